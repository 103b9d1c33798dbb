"""What `make run` puts in to look at, and the show of an outage."""
