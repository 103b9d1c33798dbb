"""The verbs of `scc` whose output leaves the house: proofs for an auditor, a bank, a court."""
