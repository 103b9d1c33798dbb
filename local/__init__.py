"""One-machine run: the AWS emulator, the Gmail sandbox, the deployed template and demo data."""
