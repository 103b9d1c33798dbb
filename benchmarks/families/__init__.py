"""What is measured: one module a family, named as ONLY= takes it."""
