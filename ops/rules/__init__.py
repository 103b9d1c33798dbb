"""What `scc` decides, one module a verb: pure rules over what was read."""
