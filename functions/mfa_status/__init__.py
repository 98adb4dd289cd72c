"""``GET /auth/mfa``: the state of the caller's second factor. It reads one item and touches no key."""
