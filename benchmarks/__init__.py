"""`make bench`: our speed, compared with simpler alternatives."""
