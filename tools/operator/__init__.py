"""Commands for an operator, to help a user who is locked out or has lost all factors: ``python -m tools.operator -h``.

They have no route. They use the operator's own AWS credentials and store the operator's request id in what they write.
"""
