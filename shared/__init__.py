"""What functions share: the ledger entry, keys, messages, reads, settings."""
