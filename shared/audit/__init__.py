"""What is known of an entry's audit mail: the message that asks for it, its delivery, findings."""
