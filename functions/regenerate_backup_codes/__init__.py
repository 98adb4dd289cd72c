"""``POST /auth/mfa/backup-codes``: replace all backup codes by eight new ones."""
