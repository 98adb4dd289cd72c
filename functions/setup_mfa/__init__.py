"""``POST /auth/mfa/setup``: a new TOTP secret, sealed and stored as pending, and the QR code to scan it."""
