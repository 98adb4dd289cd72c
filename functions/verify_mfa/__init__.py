"""``POST /auth/mfa/verify``: prove the second factor at login."""
