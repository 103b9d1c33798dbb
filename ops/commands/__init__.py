"""The verbs of `scc`: each reads its options, applies the rules, and shows the result."""
