"""What a statement is made from and where it goes: one outside system each."""
