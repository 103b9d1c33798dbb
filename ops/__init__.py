"""What operations run: the `scc` command line."""
