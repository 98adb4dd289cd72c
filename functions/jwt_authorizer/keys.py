"""The issuer's signing keys: fetched from the configured JWKS URL only, cached, and fetched at a bounded rate."""

import encodings.idna  # noqa: F401 - see docs/adr/0072: resolving a host would import it within the first request
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from functions.jwt_authorizer.errors import SigningKeysUnavailableError, TokenRejectedError
from functions.shared.clock import Clock

#: For resolving, connecting and the TLS handshake.
CONNECT_TIMEOUT_SECONDS: Final = 2.0
#: For the response. With the time to connect, it is less than the ten seconds that API Gateway waits for an authorizer.
RESPONSE_TIMEOUT_SECONDS: Final = 6.0
#: The longest key set that is read: many times as long as those that issuers publish.
MAX_JWKS_BYTES: Final = 256 * 1024
#: Age at which a set is fetched again.
MAX_AGE_SECONDS: Final = 3600.0
#: Age up to which an old set serves requests until this environment's turn to fetch comes (`RENEWAL_SPREAD_SECONDS`).
#: Beyond it, as in a snapshot of last week, the set is fetched first, so that a withdrawn key is not accepted.
MAX_STALE_SECONDS: Final = 24 * 3600.0
#: Environments that were restored from one snapshot renew its keys at different moments within this time.
RENEWAL_SPREAD_SECONDS: Final = 60.0
#: The least time between two fetches, and the pause after a first failure.
MIN_FETCH_INTERVAL_SECONDS: Final = 10.0
#: The longest pause: for a server that asks for more with ``Retry-After``, and while known keys serve most requests.
MAX_FETCH_INTERVAL_SECONDS: Final = 300.0

#: The headers of a well-behaved client; some firewalls refuse requests without a ``User-Agent``. RFC 7517 section 8.5.2
#: registers the media type of a JWK Set.
_REQUEST_HEADERS: Final = {
    "Accept": "application/jwk-set+json, application/json;q=0.9, */*;q=0.1",
    "User-Agent": "mfa-service-jwt-authorizer/1.0",
}

#: The key type and curves of each algorithm (RFC 7518 section 3.1, RFC 8037 section 3.1).
_KEY_TYPES: Final[Mapping[str, tuple[str, tuple[str | None, ...]]]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), ("RSA", (None,))),
    "ES256": ("EC", ("P-256",)),
    "ES384": ("EC", ("P-384",)),
    "ES512": ("EC", ("P-521",)),
    "EdDSA": ("OKP", ("Ed25519", "Ed448")),
}


class FetchError(Exception):
    """The JWKS endpoint did not return a usable key set.

    Parameters
    ----------
    reason : str
        For the log.
    retry_after : float
        Seconds that the server asks to wait before the next request; 0 if it does not ask.
    """

    def __init__(self, reason: str, retry_after: float = 0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class JwksSource(Protocol):
    """Where keys come from."""

    def fetch(self) -> object:
        """Return the decoded JWK Set, or raise."""
        ...


class JwksEndpoint:
    """The issuer's JWKS URL, read in bounded time and size. No redirect is followed, and nothing is cached here.

    Parameters
    ----------
    url : str
        An https URL, or http on the loopback interface; see `functions.shared.settings.AuthorizerSettings`.
    response_timeout : float
        Seconds for each wait for more of the response, and for its whole body.
    """

    def __init__(self, url: str, *, response_timeout: float = RESPONSE_TIMEOUT_SECONDS) -> None:
        self._url = urlsplit(url)
        self.response_timeout = response_timeout

    def fetch(self) -> object:
        """Return the decoded JSON of the endpoint.

        Raises
        ------
        FetchError
            The response is not a 200, too long or too slow.
        Exception
            Whatever a broken connection or a body that is not JSON raises.
        """
        url = self._url
        make = HTTPSConnection if url.scheme == "https" else HTTPConnection
        connection = make(str(url.hostname), url.port, timeout=CONNECT_TIMEOUT_SECONDS)
        try:
            connection.connect()
            connection.sock.settimeout(self.response_timeout)
            target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
            connection.request("GET", target, headers=_REQUEST_HEADERS)
            response = connection.getresponse()
            try:
                if response.status != HTTPStatus.OK:
                    raise FetchError(f"status {response.status}", _retry_after(response))
                return json.loads(self._body(response))
            finally:
                response.close()
        finally:
            connection.close()

    def _body(self, response: HTTPResponse) -> bytes:
        deadline = time.monotonic() + self.response_timeout
        body = b""
        while chunk := response.read1(MAX_JWKS_BYTES):
            body += chunk
            if len(body) > MAX_JWKS_BYTES or time.monotonic() > deadline:
                raise FetchError("too long or too slow")
        return body


def _retry_after(response: HTTPResponse) -> float:
    """Return the seconds of ``Retry-After`` (RFC 9110 section 10.2.3); its form with a date counts as absent."""
    value = response.headers.get("Retry-After", "").strip()
    return float(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0.0


@dataclass(frozen=True)
class _PublishedKey:
    """One entry of the set, for one algorithm that it may verify."""

    kid: str | None
    algorithm: str
    key: PyJWK


class SigningKeys:
    """The keys of one issuer.

    A set is kept for an hour. An unknown ``kid`` causes one fetch, so that a rotated key works at once, but two
    fetches are at least ten seconds apart: neither a flood of made-up ``kid`` values nor an outage of the issuer
    becomes a flood of fetches. A ``kid`` that was not in a set of the last ten seconds is unknown. While a fetch fails,
    the keys last seen stay in use.

    Parameters
    ----------
    source : JwksSource
        Fetches the set.
    algorithms : tuple of str
        The algorithms that tokens may be signed with; keys for others are ignored.
    on_fetch_failure : callable
        Called with the failure each time a fetch fails.
    clock : callable
        The current time in epoch seconds. Not a monotonic clock: that stops while Lambda freezes an environment.
    """

    def __init__(
        self,
        source: JwksSource,
        *,
        algorithms: tuple[str, ...],
        on_fetch_failure: Callable[[Exception], None],
        clock: Clock = time.time,
    ) -> None:
        self._source = source
        self._algorithms = algorithms
        self._on_fetch_failure = on_fetch_failure
        self._clock = clock
        self._keys: tuple[_PublishedKey, ...] = ()
        self._fetched_at = float("-inf")
        self._renew_at: float | None = None
        self._attempted_at = float("-inf")
        self._pause = 0.0
        self._failures = 0

    def prefetch(self) -> None:
        """Fetch the set while the function initialises, so that a snapshot holds it. A failure is not an error."""
        self._refresh(self._clock())

    def get(self, kid: str | None, algorithm: str, *, instead_of: PyJWK | None = None) -> PyJWK:
        """Return the key for a token's ``kid`` and ``alg``.

        Parameters
        ----------
        kid : str or None
            The token's ``kid``. Without one, the key is the only one of the set that fits the algorithm.
        algorithm : str
            One of the configured algorithms.
        instead_of : PyJWK, optional
            A key that this method returned and that did not verify a token without ``kid``: the set is fetched again.

        Raises
        ------
        TokenRejectedError
            The issuer publishes no such key, or did not in the last ten seconds.
        SigningKeysUnavailableError
            The key is not known, and the last fetch of the set failed.
        """
        now = self._clock()
        if not self._renewal_due(now) and instead_of is None:
            if (key := self._find(kid, algorithm)) is not None:
                return key
            if kid is None or any(each.kid == kid for each in self._keys):
                raise TokenRejectedError("unknown_key")
        self._refresh(now)
        key = self._find(kid, algorithm)
        if key is not None and key is not instead_of:
            return key
        if self._failures:
            raise SigningKeysUnavailableError
        # Also within the pause after a successful fetch. A 503 here would let anyone page on-call and roll releases
        # back, with invented key ids (docs/adr/0091).
        raise TokenRejectedError("unknown_key")

    def _find(self, kid: str | None, algorithm: str) -> PyJWK | None:
        found = [each for each in self._keys if each.algorithm == algorithm and kid in (None, each.kid)]
        if not found or (kid is None and len(found) > 1):
            return None
        return found[0].key

    def _renewal_due(self, now: float) -> bool:
        age = now - self._fetched_at
        if 0 <= age < MAX_AGE_SECONDS:
            return False
        if not 0 <= age < MAX_STALE_SECONDS:  # also after the clock was set back
            return True
        if self._renew_at is None:
            # From the operating system: Python's generator would continue the snapshot's sequence everywhere.
            self._renew_at = now + RENEWAL_SPREAD_SECONDS * os.urandom(1)[0] / 256
        return now >= self._renew_at

    def _refresh(self, now: float) -> None:
        """Fetch the set unless it is too early."""
        if 0 <= now - self._attempted_at < self._pause:
            return
        self._attempted_at = now
        try:
            keys = _usable_keys(self._source.fetch(), self._algorithms)
        # Connection, HTTP, JSON and values of any type fail with various exceptions. None means a bad token.
        except Exception as error:  # noqa: BLE001
            self._failures += 1
            # With known keys, the pause grows, so that few requests wait for a failing fetch. Without any, it stays
            # short, so that a recovery is noticed soon.
            growth = 2.0 ** min(self._failures - 1, 10) if self._keys else 1.0
            asked = error.retry_after if isinstance(error, FetchError) else 0.0
            self._pause = min(max(MIN_FETCH_INTERVAL_SECONDS * growth, asked), MAX_FETCH_INTERVAL_SECONDS)
            self._on_fetch_failure(error)
            return
        self._keys = keys
        self._fetched_at = now
        self._renew_at = None
        self._pause = MIN_FETCH_INTERVAL_SECONDS
        self._failures = 0


def _usable_keys(document: object, algorithms: tuple[str, ...]) -> tuple[_PublishedKey, ...]:
    """Return the keys of a JWK Set, one for each algorithm that an entry may verify; unusable entries are ignored.

    Raises
    ------
    FetchError
        The document is not a JWK Set, or none of its entries is usable.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    found = [
        key
        for entry in (entries if isinstance(entries, list) else ())
        for algorithm in algorithms
        if (key := _published_key(entry, algorithm)) is not None
    ]
    if not found:
        raise FetchError("no usable key")
    return tuple(found)


def _published_key(entry: Any, algorithm: str) -> _PublishedKey | None:  # noqa: ANN401 (decoded JSON)
    """Return an entry as a key for an algorithm, or None if it is not one (RFC 7517 section 4)."""
    key_type, curves = _KEY_TYPES[algorithm]
    if not isinstance(entry, dict) or entry.get("kty") != key_type or entry.get("crv") not in curves:
        return None
    # RFC 9864 names the curve in the algorithm: a key for "Ed25519" verifies what JOSE calls EdDSA.
    names = (algorithm, entry.get("crv")) if key_type == "OKP" else (algorithm,)
    operations = entry.get("key_ops", ["verify"])
    if (
        entry.get("use", "sig") != "sig"
        or entry.get("alg", algorithm) not in names
        or not isinstance(operations, list)
        or "verify" not in operations
    ):
        return None
    kid = entry.get("kid")
    if kid is not None and not isinstance(kid, str):
        return None
    try:
        return _PublishedKey(kid, algorithm, PyJWK(entry, algorithm))
    except (PyJWTError, TypeError, ValueError):  # PyJWT lets some of Python's own errors through for hostile values
        return None
