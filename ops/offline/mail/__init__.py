"""One mail of a mailbox: its envelope, its labels, and whether it shows what its record says."""
