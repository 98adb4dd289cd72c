"""Verification of access tokens (RFC 7519, RFC 8725), and the claims that are passed on.

A token cannot choose how it is checked: the algorithms are a fixed list, the key is looked up only by ``kid`` among
the configured issuer's, and the headers ``jwk``, ``jku``, ``x5u`` and ``x5c`` are ignored.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

from functions.jwt_authorizer.errors import TokenRejectedError
from functions.jwt_authorizer.keys import SigningKeys
from functions.shared.clock import Clock

ALGORITHMS: Final = ("RS256", "ES256")
#: For ``nbf`` and ``iat``, which the issuer's clock has just written. ``exp`` gets none.
LEEWAY_SECONDS: Final = 5
#: ``typ`` headers that an access token may have (RFC 9068 section 2.1). Logout tokens, DPoP proofs and other JWTs that
#: an issuer signs with the same keys have other values (RFC 8725 section 3.11).
ACCESS_TOKEN_TYPES: Final = frozenset({"jwt", "at+jwt"})
MAX_TOKEN_LENGTH: Final = 8192
#: OpenID Connect Core 1.0 section 2: ``sub`` must not exceed 255 ASCII characters.
MAX_SUBJECT_LENGTH: Final = 255
MAX_NUMERIC_DATE: Final = 2**53
#: Characters of the label in the authorizer's response; the Key URI shortens it further.
MAX_LABEL_LENGTH: Final = 512


@dataclass(frozen=True)
class Caller:
    """The claims of a valid token that handlers get."""

    user_id: str
    label: str
    scope: str


class TokenVerifier:
    """Checks that a token is an access token of the configured issuer, for this API, and valid now.

    Parameters
    ----------
    issuer : str
        The exact ``iss``.
    audience : tuple of str
        Accepted ``aud`` values; for a token without ``aud`` (Cognito's access tokens), accepted ``client_id`` values.
    keys : SigningKeys
        The issuer's keys.
    clock : callable
        The current time in epoch seconds.
    """

    def __init__(self, *, issuer: str, audience: tuple[str, ...], keys: SigningKeys, clock: Clock = time.time) -> None:
        self._issuer = issuer
        self._audience = frozenset(audience)
        self._keys = keys
        self._clock = clock

    def verify(self, token: str) -> Caller:
        """Return the caller that a token identifies.

        Raises
        ------
        TokenRejectedError
            The token is invalid.
        SigningKeysUnavailableError
            No keys are available to check it.
        """
        if len(token) > MAX_TOKEN_LENGTH or not _COMPACT_JWS.fullmatch(token):
            raise TokenRejectedError("malformed")
        try:
            claims = self._signed_claims(token)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            # PyJWT lets some of Python's own errors through on hostile input, such as deeply nested JSON.
            raise TokenRejectedError("malformed_or_bad_signature") from error
        self._check_times(claims)
        self._check_addressee(claims)
        return Caller(user_id=_subject(claims), label=_label(claims), scope=_scope(claims))

    def _signed_claims(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in ALGORITHMS:
            raise TokenRejectedError("algorithm")
        if str(header.get("typ", "JWT")).lower().removeprefix("application/") not in ACCESS_TOKEN_TYPES:
            raise TokenRejectedError("not_an_access_token")
        kid = header.get("kid")
        if not isinstance(kid, str):
            raise TokenRejectedError("unknown_key")
        # The signature only: the claims are checked below, strictly by type, at one reading of the clock.
        options: Any = {**dict.fromkeys(_PYJWT_CLAIM_CHECKS, False), "enforce_minimum_key_length": True}
        claims: dict[str, Any] = jwt.decode(token, self._keys.get(kid), algorithms=list(ALGORITHMS), options=options)
        return claims

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._clock()
        if _numeric_date(claims, "exp", required=True) <= now:
            raise TokenRejectedError("expired")
        if max(_numeric_date(claims, "nbf"), _numeric_date(claims, "iat")) > now + LEEWAY_SECONDS:
            raise TokenRejectedError("not_yet_valid")

    def _check_addressee(self, claims: Mapping[str, Any]) -> None:
        if claims.get("iss") != self._issuer:
            raise TokenRejectedError("issuer")
        # An ID token says who signed in to a client; it does not permit calling an API.
        if claims.get("token_use", "access") != "access":
            raise TokenRejectedError("not_an_access_token")
        addressee = claims["aud"] if "aud" in claims else claims.get("client_id")
        addressees = addressee if isinstance(addressee, list) else [addressee]
        if not any(isinstance(value, str) and value in self._audience for value in addressees):
            raise TokenRejectedError("audience")


# RFC 7515 section 7.1: three base64url parts without padding. PyJWT would accept padding.
_COMPACT_JWS: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}")
# The characters of a scope (RFC 6749 section 3.3), all of which a response header can contain.
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")

_PYJWT_CLAIM_CHECKS: Final = (
    "verify_exp",
    "verify_nbf",
    "verify_iat",
    "verify_aud",
    "verify_iss",
    "verify_sub",
    "verify_jti",
)


def _numeric_date(claims: Mapping[str, Any], name: str, *, required: bool = False) -> float:
    """Return a NumericDate (RFC 7519 section 2); 0 for an optional one that is absent."""
    if name not in claims and not required:
        return 0
    value = claims.get(name)
    # The bounds also refuse NaN and infinity, which Python's JSON accepts, and integers beyond a double's precision.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MAX_NUMERIC_DATE:
        raise TokenRejectedError(f"bad_{name}")
    return value


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    if (
        not isinstance(subject, str)
        or not 0 < len(subject) <= MAX_SUBJECT_LENGTH
        or not (subject.isascii() and subject.isprintable())
        or subject.strip() != subject
    ):
        raise TokenRejectedError("subject")
    return subject


def _label(claims: Mapping[str, Any]) -> str:
    for name in ("email", "username", "cognito:username", "sub"):
        value = claims.get(name)
        if isinstance(value, str) and any(char.isprintable() and not char.isspace() for char in value):
            return value.encode("utf-8", "replace").decode()[:MAX_LABEL_LENGTH]
    raise TokenRejectedError("subject")


def _scope(claims: Mapping[str, Any]) -> str:
    """Return the granted scopes, space separated (RFC 9068 ``scope``; some issuers send a list in ``scp``)."""
    granted = claims.get("scope", claims.get("scp"))
    scopes = granted.split(" ") if isinstance(granted, str) else granted if isinstance(granted, list) else ()
    return " ".join(scope for scope in scopes if isinstance(scope, str) and _SCOPE.fullmatch(scope))
