"""The local AWS: MiniStack, the clients that talk to it, and the deployment of template.yaml."""
