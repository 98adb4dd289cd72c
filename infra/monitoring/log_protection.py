"""Masking in the logs, should a secret ever slip into one.

The functions log none, and tests search every line for them. This is the net below: CloudWatch Logs masks what looks
like a secret for everyone without ``logs:Unmask``, and counts it, on which the alarm ``secret-in-logs`` fires.
"""

from typing import Final

from aws_cdk import aws_logs as logs

#: Name and pattern. A custom identifier allows letters, digits, ``_ # = @ / ; , -``, the blank, and of regular
#: expressions ``^ $ ? [ ] { } | \ * + .``: no colon, no percent sign, no parentheses (each ``.`` stands for one here).
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL-custom-data-identifiers.html
PATTERNS: Final = {
    # otpauth://totp/... as it is, and with the colon and slashes percent-encoded
    "OtpauthUri": r"otpauth.{1,9}totp[^ ]*",
    # a TOTP secret: 160 bits in base32 are 32 characters
    "Base32Secret": r"[A-Z2-7]{32}",
    "BackupCode": r"[A-Z]{4}-[0-9]{4}",
}


def log_protection_policy() -> logs.DataProtectionPolicy:
    """Return the policy for every log group that a function writes to.

    Returns
    -------
    DataProtectionPolicy
        For the ``data_protection_policy`` of a `aws_logs.LogGroup`. Each log group needs a policy of its own.
    """
    return logs.DataProtectionPolicy(
        name="mask-mfa-secrets",
        description="Masks and counts what looks like a TOTP secret, an otpauth URI or a backup code",
        identifiers=[logs.CustomDataIdentifier(name, pattern) for name, pattern in PATTERNS.items()],
    )
