"""Commands for operators and maintainers. Never deployed."""
