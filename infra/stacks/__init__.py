"""The stacks of an environment, one module each."""
