"""What `scc verify` decides: about the ledger's rows, their mails, and what was settled."""
