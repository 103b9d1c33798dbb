"""What `scc evidence` packs for one payment: which entries, under which names, and in words."""
