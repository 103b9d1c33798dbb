"""What we measure: one module per family, under the name that ONLY= takes."""
