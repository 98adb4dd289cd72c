"""The whole service on one machine: an embedded AWS, the real stacks deployed to it, users and tokens.

``python -m local --help`` is the way in. None of this is ever deployed.
"""
