"""The issuer's signing keys: fetched only from the configured JWKS URL, at a limited rate, and cached."""

import encodings.idna  # noqa: F401 - docs/adr/0072: the first request would import it to look up a host
import json
import time
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Final, Protocol
from urllib.parse import urlsplit

from jwt import PyJWK, PyJWKClient
from jwt.exceptions import PyJWKClientConnectionError

from functions.jwt_authorizer.errors import SigningKeysUnavailableError, TokenRejectedError
from functions.shared.clock import Clock

FETCH_TIMEOUT_SECONDS: Final = 2.0
BODY_TIMEOUT_SECONDS: Final = 4.0
#: Many times the size of a real issuer's key set.
MAX_JWKS_BYTES: Final = 256 * 1024
MAX_AGE_SECONDS: Final = 3600.0
MIN_FETCH_INTERVAL_SECONDS: Final = 10.0


class JwksSource(Protocol):
    """A source of signing keys."""

    def get_signing_keys(self, refresh: bool = False) -> list[PyJWK]:
        """Fetch the JWK Set and return its signing keys."""
        ...


class JwksEndpoint(PyJWKClient):
    """The issuer's JWKS URL, read with limits on time and size. It follows no redirect and caches nothing.

    Parameters
    ----------
    url : str
        An https URL, or http on the loopback interface; see `functions.shared.settings.AuthorizerSettings`.
    timeout : float
        Seconds for connecting, and for each wait for more of the response.
    body_timeout : float
        Seconds for reading the whole body, so that one that arrives byte by byte cannot use up the function's time.
    monotonic : callable
        Seconds of a clock that never goes back.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = FETCH_TIMEOUT_SECONDS,
        body_timeout: float = BODY_TIMEOUT_SECONDS,
        monotonic: Clock = time.monotonic,
    ) -> None:
        super().__init__(url, cache_jwk_set=False, timeout=timeout)
        self.body_timeout = body_timeout
        self._monotonic = monotonic

    def fetch_data(self) -> object:
        """Return the decoded JSON of the endpoint.

        Raises
        ------
        PyJWKClientConnectionError
            The response is not a 200, too long or too slow.
        Exception
            The connection broke, or the body is not JSON.
        """
        url = urlsplit(self.uri)
        make = HTTPSConnection if url.scheme == "https" else HTTPConnection
        connection = make(str(url.hostname), url.port, timeout=self.timeout)
        try:
            target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
            connection.request("GET", target, headers={"Accept": "application/json"})
            response = connection.getresponse()
            try:
                if response.status != HTTPStatus.OK:
                    raise PyJWKClientConnectionError(f"status {response.status}")
                return json.loads(self._read(response))
            finally:
                response.close()
        finally:
            connection.close()

    def _read(self, response: HTTPResponse) -> bytes:
        deadline = self._monotonic() + self.body_timeout
        body = b""
        while chunk := response.read1(MAX_JWKS_BYTES):
            body += chunk
            if len(body) > MAX_JWKS_BYTES or self._monotonic() > deadline:
                raise PyJWKClientConnectionError("too long or too slow")
        return body


class SigningKeys:
    """The keys of one issuer, by ``kid``.

    A set is cached for an hour. An unknown ``kid`` causes one fetch, so that a rotated key works at once. Two fetches
    are at least ten seconds apart, even if they fail, so that neither a flood of invented ``kid`` values nor an
    outage of the issuer becomes a flood of fetches. While the issuer cannot be reached, the last known keys stay in
    use.

    Parameters
    ----------
    source : JwksSource
        Fetches the set.
    on_fetch_failure : callable
        Called with the exception each time a fetch fails.
    monotonic : callable
        Seconds of a clock that never goes back.
    """

    def __init__(
        self,
        source: JwksSource,
        *,
        on_fetch_failure: Callable[[Exception], None],
        monotonic: Clock = time.monotonic,
    ) -> None:
        self._source = source
        self._on_fetch_failure = on_fetch_failure
        self._monotonic = monotonic
        self._keys: dict[str, PyJWK] = {}
        self._fetched_at = float("-inf")
        self._attempted_at = float("-inf")

    def get(self, kid: str) -> PyJWK:
        """Return the key with this ``kid``.

        Raises
        ------
        TokenRejectedError
            The issuer publishes no such key.
        SigningKeysUnavailableError
            The issuer's keys have never been fetched, and cannot be fetched now.
        """
        stale = self._monotonic() - self._fetched_at >= MAX_AGE_SECONDS
        if stale or kid not in self._keys:
            self._refresh()
        if not self._keys:
            raise SigningKeysUnavailableError
        try:
            return self._keys[kid]
        except KeyError:
            raise TokenRejectedError("unknown_key") from None

    def _refresh(self) -> None:
        now = self._monotonic()
        if now - self._attempted_at < MIN_FETCH_INTERVAL_SECONDS:
            return
        self._attempted_at = now
        try:
            keys = {key.key_id: key for key in self._source.get_signing_keys(refresh=True) if key.key_id}
        # Connection, HTTP, JSON, and values of the wrong type each raise their own exceptions. None of them means
        # that the token is invalid.
        except Exception as error:  # noqa: BLE001
            self._on_fetch_failure(error)
            return
        self._keys = keys
        self._fetched_at = now
