"""From the audit queue to the compliance inbox: one mail per ledger entry."""
