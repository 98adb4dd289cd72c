"""Masking of secrets in the logs, as a second line of defence.

The functions log no secret, and tests search every line for them. If one slips through, CloudWatch Logs masks it for
every principal without ``logs:Unmask`` and counts it, which sets off the alarm ``secret-in-logs``.
"""

from typing import Final

from aws_cdk import aws_logs as logs

#: Name and pattern. A custom identifier allows letters, digits, ``_ # = @ / ; , -``, the space, and these
#: parts of regular expressions: ``^ $ ? [ ] { } | \ * + .``. The patterns use ``.`` for colons and percent signs.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL-custom-data-identifiers.html
PATTERNS: Final = {
    # otpauth://totp/..., plain and with the colon and slashes percent-encoded
    "OtpauthUri": r"otpauth.{1,9}totp[^ ]*",
    # a TOTP secret: 160 bits in base32 are 32 characters
    "Base32Secret": r"[A-Z2-7]{32}",
    "BackupCode": r"[A-Z]{4}-[0-9]{4}",
}


def log_protection_policy() -> logs.DataProtectionPolicy:
    """Return a policy for a log group that a function writes to; each log group needs its own."""
    return logs.DataProtectionPolicy(
        name="mask-mfa-secrets",
        description="Masks and counts what looks like a TOTP secret, an otpauth URI or a backup code",
        identifiers=[logs.CustomDataIdentifier(name, pattern) for name, pattern in PATTERNS.items()],
    )
