"""The verbs of `scc`: each reads its options, asks a rule, and shows what it found."""
