"""HTTP: what a request may look like, and how answers and refusals are written."""
