"""``GET /auth/mfa``: return the state of the caller's second factor. It reads one item and uses no key."""
