"""The authorizer in front of a real JWKS endpoint."""

import importlib
import logging
import sys
from collections.abc import Callable, Iterator

import pytest

from functions.shared.contract import METRICS_SERVICE, Env
from tests.support.authorizer import Authorizer
from tests.support.jwks_server import JwksServer, jwks_servers
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
    variables = {
        Env.ENVIRONMENT: "dev",
        Env.JWT_ISSUER: ISSUER,
        Env.JWT_AUDIENCE: f"{AUDIENCE},second-client",
        Env.JWT_JWKS_URL: issuer.url,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return {str(name): value for name, value in variables.items()}


@pytest.fixture
def load_authorizer(authorizer_environment: dict[str, str]) -> Iterator[Callable[[], Authorizer]]:
    """Return a function that imports the handler anew, as a fresh Lambda process does."""
    name = "functions.jwt_authorizer.handler"

    def load() -> Authorizer:
        logging.Logger.manager.loggerDict.pop(METRICS_SERVICE, None)
        sys.modules.pop(name, None)
        return Authorizer(importlib.import_module(name))

    yield load
    sys.modules.pop(name, None)


@pytest.fixture
def authorizer(load_authorizer: Callable[[], Authorizer]) -> Authorizer:
    return load_authorizer()
