"""What operations run: the `scc` command line, building bundles, checking the template."""
