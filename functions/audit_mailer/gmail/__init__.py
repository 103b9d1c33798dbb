"""How we talk to Gmail, and what each of its refusals means."""
