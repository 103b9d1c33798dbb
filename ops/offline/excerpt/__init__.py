"""An excerpt: the entries of one payment as `scc evidence` packs them, checked without us."""
