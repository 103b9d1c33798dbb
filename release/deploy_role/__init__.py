"""The role with which GitHub deploys a stack, and the command that creates it."""
