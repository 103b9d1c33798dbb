"""What operations run: publishing the web client, building bundles, checking the template."""
