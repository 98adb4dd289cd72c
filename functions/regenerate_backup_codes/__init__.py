"""``POST /auth/mfa/backup-codes``: eight new backup codes in place of all old ones."""
