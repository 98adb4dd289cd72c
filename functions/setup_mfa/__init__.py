"""``POST /auth/mfa/setup``: create a TOTP secret, store it encrypted and pending, and return its QR code."""
