"""The issuer's signing keys: fetched from the configured JWKS URL alone, cached, and fetched at a bounded rate."""

import encodings.idna  # noqa: F401 - see docs/adr/0072: looking up a host would import it within the first request
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

#: For connecting, and for each wait for more of the answer.
FETCH_TIMEOUT_SECONDS: Final = 2.0
#: For reading the whole body, so that one that drips in cannot use up the function's time.
BODY_TIMEOUT_SECONDS: Final = 4.0
#: Many times what an issuer publishes.
MAX_JWKS_BYTES: Final = 256 * 1024
MAX_AGE_SECONDS: Final = 3600.0
MIN_FETCH_INTERVAL_SECONDS: Final = 10.0


class JwksSource(Protocol):
    """Where keys come from."""

    def get_signing_keys(self, refresh: bool = False) -> list[PyJWK]:
        """Fetch the JWK Set and return its signing keys."""
        ...


class JwksEndpoint(PyJWKClient):
    """The issuer's JWKS URL, read in bounded time and size. No redirect is followed, and nothing is cached here.

    Parameters
    ----------
    url : str
        An https URL, or http on the loopback interface; see `functions.shared.settings.AuthorizerSettings`.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, cache_jwk_set=False, timeout=FETCH_TIMEOUT_SECONDS)

    def fetch_data(self) -> object:
        """Return the decoded JSON of the endpoint.

        Raises
        ------
        PyJWKClientConnectionError
            The answer is not a 200, too long or too slow.
        Exception
            Whatever a broken connection or a body that is no JSON brings.
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
                return json.loads(_body(response))
            finally:
                response.close()
        finally:
            connection.close()


def _body(response: HTTPResponse) -> bytes:
    deadline = time.monotonic() + BODY_TIMEOUT_SECONDS
    body = b""
    while chunk := response.read1(MAX_JWKS_BYTES):
        body += chunk
        if len(body) > MAX_JWKS_BYTES or time.monotonic() > deadline:
            raise PyJWKClientConnectionError("too long or too slow")
    return body


class SigningKeys:
    """The keys of one issuer, by ``kid``.

    A set is kept for an hour. An unknown ``kid`` makes one fetch, so that a rotated key works at once, but two
    fetches are never less than ten seconds apart, failed ones included: neither a flood of made-up ``kid`` values
    nor an outage of the issuer becomes a flood of fetches. While the issuer cannot be reached, the keys last seen
    stay in use.

    Parameters
    ----------
    source : JwksSource
        Fetches the set.
    on_fetch_failure : callable
        Called with the failure each time a fetch fails.
    monotonic : callable
        Seconds of a clock that never goes back.
    """

    def __init__(
        self,
        source: JwksSource,
        *,
        on_fetch_failure: Callable[[Exception], None],
        monotonic: Callable[[], float] = time.monotonic,
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
            The issuer's keys have never been fetched, and cannot be now.
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
        # Connection, HTTP, JSON, and values of any type where PyJWT expects text: each fails in its own way, and
        # must not pass for a bad token.
        except Exception as error:  # noqa: BLE001
            self._on_fetch_failure(error)
            return
        self._keys = keys
        self._fetched_at = now
