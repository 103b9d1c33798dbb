"""What `scc` reads and writes in a deployed stack, one module per outside system."""
