"""``POST /auth/mfa/disable``: turn the second factor off, which takes the second factor."""
