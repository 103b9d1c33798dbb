"""From a commit to a stack: the deployment, and the name of what is deployed."""
