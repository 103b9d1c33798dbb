"""Events, their rosters and their waivers."""
