"""The authorizer in front of a real JWKS endpoint."""

from collections.abc import Callable, Iterator

import pytest

from functions.shared.contract import Env
from tests.support.authorizer import Authorizer, LoadAuthorizer
from tests.support.jwks_server import JwksServer, jwks_servers
from tests.support.logs import forget_logger
from tests.support.tokens import AUDIENCE, ISSUER, ec_key, rsa_key


@pytest.fixture(scope="session")
def jwks_port() -> Iterator[Callable[[], JwksServer]]:
    with jwks_servers() as serve:
        yield serve


@pytest.fixture
def issuer(jwks_port: Callable[[], JwksServer]) -> JwksServer:
    """Return an issuer that publishes an RSA and an EC key."""
    server = jwks_port()
    server.keys = [rsa_key("rsa-1").jwk, ec_key("ec-1").jwk]
    return server


@pytest.fixture
def authorizer_environment(issuer: JwksServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Set the environment variables that the service stack gives to the authorizer."""
    variables: dict[str, str] = {
        Env.ENVIRONMENT: "dev",
        Env.JWT_ISSUER: ISSUER,
        Env.JWT_AUDIENCE: f"{AUDIENCE},second-client",
        Env.JWT_JWKS_URL: issuer.url,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def load_authorizer(authorizer_environment: dict[str, str]) -> LoadAuthorizer:
    """Return a function that starts a process; it takes further environment variables.

    A test that reads the log calls it: `authorizer` logs to the standard output of the test's setup.
    """

    def load(**variables: str) -> Authorizer:
        forget_logger()
        return Authorizer(authorizer_environment | variables)

    return load


@pytest.fixture
def authorizer(load_authorizer: LoadAuthorizer) -> Authorizer:
    return load_authorizer()
