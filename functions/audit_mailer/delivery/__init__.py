"""From a queue message to a mail that is sent once, whatever fails along the way."""
