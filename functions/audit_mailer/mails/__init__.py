"""What a mail says: its envelope, and the pages of payments, operations and statements."""
