"""HTTP: what requests may look like, and how answers and refusals are written."""
