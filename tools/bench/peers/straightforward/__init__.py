"""The setup route as its description reads, written without a thought of what things cost."""
