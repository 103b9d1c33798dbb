"""`scc dlq`: look at dead letters, put them back, discard them."""
