"""Daily statements: where they are kept, what they certify, and what vouches for them."""
