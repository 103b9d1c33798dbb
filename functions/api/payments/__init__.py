"""The rules of payments: logging, voiding, duplicates, listing and exports."""
