"""How Gmail is spoken to, and what each of its refusals means."""
