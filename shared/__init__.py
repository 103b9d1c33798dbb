"""What two functions really share: the ledger entry, the audit message, how settings are read."""
