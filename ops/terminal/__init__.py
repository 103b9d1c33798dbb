"""What a terminal shows and sends: tables, words, streams and interrupts."""
