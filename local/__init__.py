"""The whole system on one machine: AWS emulator, Gmail sandbox, deployed template, demo data."""
