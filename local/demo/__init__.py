"""The demo data of `make run`, and the show of `make demo-outage`."""
