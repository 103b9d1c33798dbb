"""The daily statement: what a day in the ledger adds up to, mailed once."""
