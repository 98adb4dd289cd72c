"""The issuer's signing keys: fetched from the configured JWKS URL alone, cached, and fetched at a bounded rate."""

import time
from collections.abc import Callable
from typing import Final, Protocol

from jwt import PyJWK, PyJWTError

from functions.jwt_authorizer.errors import SigningKeysUnavailableError, TokenRejectedError

FETCH_TIMEOUT_SECONDS: Final = 2.0
MAX_AGE_SECONDS: Final = 3600.0
MIN_FETCH_INTERVAL_SECONDS: Final = 10.0


class JwksSource(Protocol):
    """Where keys come from; `jwt.PyJWKClient` with its own caches off."""

    def get_signing_keys(self, refresh: bool = False) -> list[PyJWK]:
        """Fetch the JWK Set and return its signing keys."""
        ...


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
            keys = self._source.get_signing_keys(refresh=True)
        # A connection may break while the body is read (OSError) and the body may be no JSON (ValueError).
        except (PyJWTError, OSError, ValueError) as error:
            self._on_fetch_failure(error)
            return
        self._keys = {key.key_id: key for key in keys if key.key_id}
        self._fetched_at = now
