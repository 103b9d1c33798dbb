"""What each address does: read the request, ask a rule module, answer."""
