"""The setup route in straightforward Python, written without regard to its cost."""
