"""What `scc reconcile` is made of: the work, the repair, and what is shown of it."""
