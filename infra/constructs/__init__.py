"""The building blocks that the stacks compose."""
