"""One mailbox: its messages, where they lie, and how mail gets in."""
