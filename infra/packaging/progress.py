"""What the builder says while it works."""

import sys


def say(line: str) -> None:
    """Write a line of progress; to standard error, as the CDK CLI keeps standard output for templates."""
    sys.stderr.write(f"  packaging: {line}\n")
    sys.stderr.flush()
