"""DynamoDB: one adapter a table, and the transaction that writes the ledger."""
