"""From a commit to a deployed stack: bundles, deployment, smoke test, web client, first steps."""
