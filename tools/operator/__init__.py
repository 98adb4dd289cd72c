"""What an operator does for a user who is locked out or has lost everything: ``python -m tools.operator --help``.

There is no route for it. It works with the operator's own AWS credentials, and leaves its mark on what it writes.
"""
