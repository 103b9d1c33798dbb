"""What is known about mails after they were sent: what the watch found and what operators did."""
