"""Verification of access tokens (RFC 7519, RFC 8725, RFC 9068), and the claims that are passed on to the functions.

Nothing in a token chooses how it is checked: algorithms are a configured list, keys come from the configured issuer
by ``kid``, and the ``jwk``, ``jku``, ``x5u`` and ``x5c`` headers are ignored.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

from functions.jwt_authorizer.errors import LoginTooOldError, TokenRejectedError
from functions.jwt_authorizer.keys import SigningKeys
from functions.shared.clock import Clock
from functions.shared.settings import AuthorizerSettings

#: ``typ`` headers that an access token may carry (RFC 9068 section 2.1). Logout tokens, DPoP proofs and other JWTs that
#: an issuer signs with the same keys name themselves there (RFC 8725 section 3.11).
ACCESS_TOKEN_TYPES: Final = frozenset({"jwt", "at+jwt"})
#: ``typ`` claims of access tokens: Keycloak writes the token's kind into the payload.
ACCESS_TOKEN_TYPE_CLAIMS: Final = frozenset({"bearer", "at+jwt"})
#: Claims of other kinds of token: ID tokens (OpenID Connect Core 1.0 sections 3.1.3.6 and 3.3.2.11), logout tokens and
#: security event tokens (RFC 8417), and tokens bound to a key that this API does not check (RFC 7800).
FOREIGN_CLAIMS: Final = ("at_hash", "c_hash", "events", "cnf")
#: Claims that show an access token; ID tokens of the common issuers have none of them but ``client_id``.
ACCESS_TOKEN_CLAIMS: Final = ("token_use", "scope", "scp", "client_id")
#: API Gateway takes 10,240 bytes for the request line and all headers together, so a longer token cannot arrive.
MAX_TOKEN_LENGTH: Final = 10_240
#: OpenID Connect Core 1.0 section 2: ``sub`` must not exceed 255 ASCII characters.
MAX_SUBJECT_LENGTH: Final = 255
MAX_NUMERIC_DATE: Final = 2**53
#: Longest label in the authorizer's context; the Key URI shortens it further.
MAX_LABEL_LENGTH: Final = 512


@dataclass(frozen=True)
class Caller:
    """The claims of a valid token. All are passed on to handlers, except the time of the login (None if absent)."""

    user_id: str
    label: str
    scope: str
    expires_at: int
    subject: str | None
    client_id: str | None
    session_id: str | None
    auth_time: float | None = None


class TokenVerifier:
    """Decides whether a token is an access token of the configured issuer, for this API, valid now.

    Parameters
    ----------
    settings : AuthorizerSettings
        The issuer, and which of its tokens are accepted.
    keys : SigningKeys
        The issuer's keys.
    clock : callable
        The current time in epoch seconds.
    """

    def __init__(self, settings: AuthorizerSettings, *, keys: SigningKeys, clock: Clock = time.time) -> None:
        self._settings = settings
        self._keys = keys
        self._clock = clock

    def verify(self, token: str) -> Caller:
        """Return the caller that a token stands for.

        The claims are checked before the signature: a token that is refused anyway causes no fetch of keys.

        Raises
        ------
        TokenRejectedError
            The token is not valid.
        SigningKeysUnavailableError
            The token cannot be checked now.
        """
        if len(token) > MAX_TOKEN_LENGTH:
            raise TokenRejectedError("too_long")
        if not _COMPACT_JWS.fullmatch(token):
            raise TokenRejectedError("malformed")
        try:
            options: Any = {**_NO_CLAIM_CHECKS, "verify_signature": False}
            unverified = jwt.decode_complete(token, options=options)
            header = unverified["header"]
            self._check_header(header)
            _check_kind(header, unverified["payload"])
            self._check_claims(unverified["payload"])
            claims = self._signed_claims(token, header)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            # PyJWT lets some of Python's own errors through for hostile input, such as deeply nested JSON.
            raise TokenRejectedError("malformed_or_bad_signature") from error
        return Caller(
            user_id=_user_id(claims, self._settings.user_claim),
            label=_label(claims, (*self._settings.label_claims, self._settings.user_claim)),
            scope=_scope(claims),
            expires_at=int(claims["exp"]),
            subject=_identifier(claims, "sub"),
            client_id=_identifier(claims, "client_id"),
            session_id=_identifier(claims, "sid") or _identifier(claims, "origin_jti"),
            auth_time=_auth_time(claims),
        )

    def require_recent_login(self, caller: Caller) -> None:
        """Refuse a login that is older than the configured age, lies in the future, or has no known time.

        Raises
        ------
        LoginTooOldError
            The user must log in again.
        """
        max_age = self._settings.max_auth_age_seconds
        if max_age is None:
            return
        age = None if caller.auth_time is None else self._clock() - caller.auth_time
        if age is None or not -self._settings.leeway_seconds <= age <= max_age:
            raise LoginTooOldError(max_age)

    def _check_header(self, header: Mapping[str, Any]) -> None:
        if header.get("alg") not in self._settings.algorithms:
            raise TokenRejectedError("algorithm")
        if not isinstance(header.get("kid", ""), str):
            raise TokenRejectedError("unknown_key")

    def _check_claims(self, claims: Mapping[str, Any]) -> None:
        now = self._clock()
        if _numeric_date(claims, "exp", required=True) <= now:
            raise TokenRejectedError("expired")
        if max(_numeric_date(claims, "nbf"), _numeric_date(claims, "iat")) > now + self._settings.leeway_seconds:
            raise TokenRejectedError("not_yet_valid")
        if claims.get("iss") != self._settings.issuer:
            raise TokenRejectedError("issuer")
        self._check_audience(claims)

    def _check_audience(self, claims: Mapping[str, Any]) -> None:
        # Cognito's access tokens have no audience. Of any other token, client_id names who may use it, not for what.
        names_client = claims.get("token_use") == "access" and "aud" not in claims
        audience = claims.get("client_id" if names_client else "aud")
        values = audience if isinstance(audience, list) else [audience]
        if not any(isinstance(value, str) and value in self._settings.audience for value in values):
            raise TokenRejectedError("audience")

    def _signed_claims(self, token: str, header: Mapping[str, Any]) -> dict[str, Any]:
        kid, algorithm = header.get("kid"), header["alg"]
        key = self._keys.get(kid, algorithm)
        try:
            claims = _decode(token, key)
        except jwt.InvalidSignatureError:
            if kid is not None:
                raise
            # Without a ``kid``, the only sign of a rotation is that the old key no longer verifies.
            claims = _decode(token, self._keys.get(None, algorithm, instead_of=key))
        return claims


def _decode(token: str, key: jwt.PyJWK) -> dict[str, Any]:
    """Return the claims of a token whose signature the key verifies."""
    options: Any = {**_NO_CLAIM_CHECKS, "enforce_minimum_key_length": True}
    claims: dict[str, Any] = jwt.decode(token, key, algorithms=[key.algorithm_name], options=options)
    return claims


# RFC 7515 section 7.1: three base64url parts without padding. PyJWT would let padding pass.
_COMPACT_JWS: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}")
# What OAuth allows in a scope (RFC 6749 section 3.3), and a response header can carry.
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")

#: PyJWT checks signatures; the claims are checked here, strictly by type, on one reading of the clock.
_NO_CLAIM_CHECKS: Final[Mapping[str, bool]] = dict.fromkeys(
    ("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss", "verify_sub", "verify_jti"), False
)


def _check_kind(header: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """Refuse every kind of token but access tokens: an ID token says who signed in, not what its bearer may do.

    Raises
    ------
    TokenRejectedError
        The token names another kind, has a claim of another kind, or does not show that it is an access token.
    """
    header_type = _token_type(header, "JWT")
    claimed_type = _token_type(claims, "at+jwt")
    if (
        header_type not in ACCESS_TOKEN_TYPES
        or claimed_type not in ACCESS_TOKEN_TYPE_CLAIMS
        or claims.get("token_use", "access") != "access"
        or any(name in claims for name in FOREIGN_CLAIMS)
    ):
        raise TokenRejectedError("not_an_access_token")
    if header_type == "at+jwt" or "typ" in claims:
        return
    shown = {name for name in ACCESS_TOKEN_CLAIMS if claims.get(name) is not None}
    # ZITADEL's ID tokens have a client_id too. An ID token that no at_hash marks was asked for with a nonce.
    if not shown or (shown == {"client_id"} and "nonce" in claims):
        raise TokenRejectedError("not_an_access_token")


def _token_type(part: Mapping[str, Any], default: str) -> str:
    """Return the ``typ`` of a header or payload in lower case and without its optional prefix (RFC 7515, 4.1.9)."""
    return str(part.get("typ", default)).lower().removeprefix("application/")


def _numeric_date(claims: Mapping[str, Any], name: str, *, required: bool = False) -> float:
    """Return a NumericDate (RFC 7519 section 2); 0 for an optional one that is absent."""
    if name not in claims and not required:
        return 0
    value = claims.get(name)
    # The bound also refuses NaN and infinity, which Python's JSON reads, and integers beyond a double's precision.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MAX_NUMERIC_DATE:
        raise TokenRejectedError(f"bad_{name}")
    return value


def _auth_time(claims: Mapping[str, Any]) -> float | None:
    """Return when the user logged in (RFC 9068 section 2.2.1); None if the claim is absent or not a NumericDate."""
    try:
        return _numeric_date(claims, "auth_time", required=True)
    except TokenRejectedError:
        return None


def _user_id(claims: Mapping[str, Any], name: str) -> str:
    user_id = _identifier(claims, name)
    if user_id is None:
        raise TokenRejectedError("subject")
    return user_id


def _identifier(claims: Mapping[str, Any], name: str) -> str | None:
    """Return a claim that is an identifier, or None for one that is absent or not printable ASCII."""
    value = claims.get(name)
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= MAX_SUBJECT_LENGTH
        or not (value.isascii() and value.isprintable())
        or value.strip() != value
    ):
        return None
    return value


def _label(claims: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        value = claims.get(name)
        if isinstance(value, str) and any(char.isprintable() and not char.isspace() for char in value):
            return value.encode("utf-8", "replace").decode()[:MAX_LABEL_LENGTH]
    raise TokenRejectedError("subject")


def _scope(claims: Mapping[str, Any]) -> str:
    """Return the granted scopes, space separated: RFC 9068's ``scope`` and the ``scp`` of some issuers together."""
    granted: dict[str, None] = {}
    for name in ("scope", "scp"):
        value = claims.get(name)
        scopes = value.split(" ") if isinstance(value, str) else value if isinstance(value, list) else ()
        granted.update(dict.fromkeys(each for each in scopes if isinstance(each, str) and _SCOPE.fullmatch(each)))
    return " ".join(granted)
