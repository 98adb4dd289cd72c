"""The issuer of the access tokens, and the authorizer's settings for it."""

from infra.outputs import StackId
from tests.infra.deployments import SECOND_REGION, deployment
from tests.infra.synthesis import Synthesized

POOL = "<AWS::Cognito::UserPool>"
CLIENT = "<AWS::Cognito::UserPoolClient>"
POOL_ISSUER = f"https://cognito-idp.us-east-1.<AWS::URLSuffix>/{POOL}"


def test_without_an_issuer_the_authorizer_accepts_tokens_of_a_user_pool(dev: Synthesized) -> None:
    found = dev.service.variables("jwt_authorizer")

    assert found["JWT_ISSUER"] == POOL_ISSUER
    assert found["JWT_AUDIENCE"] == CLIENT
    assert found["JWT_JWKS_URL"] == f"{POOL_ISSUER}/.well-known/jwks.json"
    assert dev.identity.outputs == {
        "Issuer": POOL_ISSUER,
        "JwksUrl": f"{POOL_ISSUER}/.well-known/jwks.json",
        "UserPoolId": POOL,
        "ClientId": CLIENT,
    }


def test_locally_the_keys_are_fetched_from_the_emulator(local: Synthesized) -> None:
    found = local.service.variables("jwt_authorizer")

    assert found["JWT_ISSUER"] == POOL_ISSUER
    assert found["JWT_JWKS_URL"] == f"http://127.0.0.1:4566/{POOL}/.well-known/jwks.json"


def test_a_configured_issuer_replaces_the_user_pool() -> None:
    environment = deployment(SECOND_REGION)

    assert StackId.IDENTITY not in environment.stacks
    found = environment.service.variables("jwt_authorizer")
    assert found["JWT_ISSUER"] == "https://login.example.com"
    assert found["JWT_JWKS_URL"] == "https://login.example.com/keys"
    assert found["JWT_AUDIENCE"] == "mfa,mobile-app"
