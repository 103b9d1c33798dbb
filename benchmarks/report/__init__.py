"""The results of a run: goals, raw runs on disk, tables and plots."""
