"""``POST /auth/mfa/disable``: turn the second factor off, which requires a code."""
