"""The whole service on one machine: an emulated AWS, the real stacks deployed to it, users and tokens.

Start with ``python -m local --help``. None of this is deployed.
"""
