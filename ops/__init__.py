"""What operators run: the `scc` command line."""
