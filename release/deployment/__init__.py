"""From a commit to a stack, and back to none: deployments, their names, and deletion."""
