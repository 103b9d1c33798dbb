"""A local stand-in for Google: token endpoint, Gmail API and a web inbox."""
