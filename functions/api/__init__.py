"""The HTTP API: validates and writes one ledger transaction. It never mails and never queues."""
