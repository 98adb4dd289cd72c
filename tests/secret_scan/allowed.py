"""What looks like a secret in the repository and is none: each with the places where it may be, and the reason."""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """Text that may be there.

    Attributes
    ----------
    text : str
        A regular expression that matches the whole of what was found.
    files : str
        One that matches the whole path of a file, from the root of the repository.
    reason : str
        Why it is no secret.
    kind : str
        One that matches what it looks like, as detect-secrets names it.
    """

    text: str
    files: str
    reason: str
    kind: str = ".*"

    def covers(self, file: str, kind: str, text: str) -> bool:
        """Tell whether this is about what was found in a file, or quotes it here."""
        here = file == THIS_LIST or re.fullmatch(self.files, file)
        return bool(here and re.fullmatch(self.kind, kind) and re.fullmatch(self.text, text))


THIS_LIST: Final = "tests/secret_scan/allowed.py"
_PAGES: Final = r"[\w.-]+\.md|docs/.*|tools/openapi/.*|functions/.*/models\.py"

#: Lines of which nothing is looked at: the hashes of pinned packages, which are many and known to everybody.
HASHES: Final = (r"^\s*--hash=sha256:[0-9a-f]{64}( \\)?$", r'^\s*"integrity": "sha512-[A-Za-z0-9+/]{86}==",?$')

ALLOWED: Final = (
    Allowed(
        text=r"(JBSWY3DPEHPK3PXP)+",
        files=rf"{_PAGES}|tests/.*",
        reason="the TOTP secret of everybody's examples: base32 of 'Hello!' and four bytes more",
    ),
    Allowed(
        text=r"JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ",
        files=r"tests/attack/.*",
        reason="the same, with base32 of '1234567890': a secret without a repetition, to be found in logs",
    ),
    Allowed(
        text=r"[\w.-]+",
        files=r"tests/jwt_authorizer/test_standard_vectors\.py",
        reason="the examples of RFC 7515 and RFC 7516, as they are printed there",
    ),
    Allowed(text=r"a1b2c3d4e5", files=_PAGES, reason="the id of an API in examples"),
    Allowed(
        text=r"not-a-real-secret-key-of-40-characters-x|made-up",
        files=r"tools/bench/variants\.py|tests/images/cases\.py",
        reason="credentials for a stand-in of AWS that looks at none",
    ),
    Allowed(
        text=r"encrypted_secret|MFASecretDecryptions",
        files=r"functions/shared/contract\.py",
        reason="the names of an attribute and of a metric",
    ),
    Allowed(
        text=r"no route asks for an API key|(1 x )?TOTP secret|SECRET(-SECRET)?",
        files=r"tools/openapi/responses\.py|tests/.*",
        reason="words where a secret would be",
    ),
    Allowed(
        text=r"arn:aws:kms:us-west-2:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab",
        files=r"tests/infra/.*",
        reason="the name of a key in the account of AWS's examples",
    ),
    Allowed(
        text=r"[A-Za-z]+[A-Za-z0-9]*[0-9A-F]{8}(:?[A-Z0-9]+)?|SetupMfaFunctionCurrentVersion[0-9A-F]{8}[0-9a-f]{32}",
        files=r"tests/infra/snapshots/.*\.json|tests/infra/test_snapshots\.py",
        reason="the ids that CDK gives to resources: their path, and a hash of it",
        kind=r"Base64 High Entropy String",
    ),
    Allowed(
        text=r"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        files=r"tests/shared/test_backup_codes\.py",
        reason="RFC 5869, appendix A.1",
    ),
    Allowed(
        text=r"[0-9a-f]{64}",
        files=r"tests/shared/older_backup_codes\.json",
        reason="hashes of made-up backup codes, as an older version stored them",
    ),
    Allowed(
        text=r"[A-Za-z0-9_-]{64}",
        files=r"tests/support/hostile_tokens\.py",
        reason="the alphabet of base64url",
    ),
)
