"""What `scc` decides: pure rules, one module a verb. What was read goes in, what to say comes out."""
