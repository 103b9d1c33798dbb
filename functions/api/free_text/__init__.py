"""What people may type into a name, a reference or a note."""
