"""``POST /auth/mfa/verify-setup``: the first code turns a pending enrolment on and shows the backup codes, once."""
