"""Who is asking: accounts, sessions, and what each group may do."""
