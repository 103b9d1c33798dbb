"""What a stack needs of a platform that exists: its table of events, its web buckets."""
