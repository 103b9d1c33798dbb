"""What `scc doctor` looks at, one thing a file."""
