"""DynamoDB: one adapter per table, and the transaction that writes the ledger."""
