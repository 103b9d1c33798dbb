"""What `scc` reads and writes of a deployed stack, one outside system a module."""
