"""`make bench`: what is claimed about speed, measured beside what a user would take instead."""
