"""Code that several functions use. Nothing here imports a function."""
