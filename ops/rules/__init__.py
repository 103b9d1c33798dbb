"""What `scc` decides: pure rules over what was read, one module per verb."""
