"""What comes of a run: results against goals, raw runs on disk, tables and plots."""
