"""The issuer of the access tokens, and the authorizer's settings for it."""

from infra.outputs import StackId
from tests.infra.synthesis import Synthesized, synthesize

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
    environment = synthesize(
        "prod",
        jwt_issuer="https://login.example.com/",
        jwt_jwks_url="https://login.example.com/keys",
        jwt_audience="mfa-api,mobile-app",
    )

    assert StackId.IDENTITY not in environment.stacks
    found = environment.service.variables("jwt_authorizer")
    assert found["JWT_ISSUER"] == "https://login.example.com/"
    assert found["JWT_JWKS_URL"] == "https://login.example.com/keys"
    assert found["JWT_AUDIENCE"] == "mfa-api,mobile-app"


def test_passwords_are_strong_and_administrators_create_accounts(each: Synthesized, environment: str) -> None:
    pool = each.identity.only("AWS::Cognito::UserPool")

    policy = pool["Properties"]["Policies"]["PasswordPolicy"]
    assert policy["MinimumLength"] == 12
    assert all(policy[f"Require{kind}"] for kind in ("Lowercase", "Uppercase", "Numbers", "Symbols"))
    assert pool["Properties"]["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert pool["Properties"]["DeletionProtection"] == ("ACTIVE" if environment == "prod" else "INACTIVE")
    assert pool["DeletionPolicy"] == ("RetainExceptOnCreate" if environment == "prod" else "Delete")


def test_the_client_has_no_secret_and_no_browser_flow(each: Synthesized) -> None:
    client = each.identity.only("AWS::Cognito::UserPoolClient")["Properties"]

    assert client["GenerateSecret"] is False
    assert set(client["ExplicitAuthFlows"]) == {
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_ADMIN_USER_PASSWORD_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
    }
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client.get("AllowedOAuthFlowsUserPoolClient", False) is False
