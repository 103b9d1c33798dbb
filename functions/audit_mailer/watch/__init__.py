"""The watch over the audit mailbox: what Gmail accepted is there, once, and as it was written."""
