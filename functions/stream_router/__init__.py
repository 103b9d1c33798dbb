"""From the ledger's stream to the audit queue: one claim check per new entry."""
