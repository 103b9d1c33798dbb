"""From a commit to a deployed stack: bundles, deployment, smoke test, the web client, first steps."""
