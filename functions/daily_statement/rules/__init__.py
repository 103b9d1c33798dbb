"""What a statement says, decided without any outside system."""
