"""Who issues the access tokens, and what the authorizer is told about it."""

from infra.outputs import StackId
from tests.infra.synthesis import Synthesized, synthesize
from tests.infra.test_functions import variables

POOL = "<AWS::Cognito::UserPool>"
CLIENT = "<AWS::Cognito::UserPoolClient>"
POOL_ISSUER = f"https://cognito-idp.us-east-1.<AWS::URLSuffix>/{POOL}"


def test_without_an_issuer_there_is_a_user_pool_whose_tokens_the_authorizer_accepts(dev: Synthesized) -> None:
    found = variables(dev.stacks[StackId.SERVICE], "jwt_authorizer")

    assert found["JWT_ISSUER"] == POOL_ISSUER
    assert found["JWT_AUDIENCE"] == CLIENT
    assert found["JWT_JWKS_URL"] == f"{POOL_ISSUER}/.well-known/jwks.json"
    assert dev.stacks[StackId.IDENTITY].outputs == {
        "Issuer": POOL_ISSUER,
        "JwksUrl": f"{POOL_ISSUER}/.well-known/jwks.json",
        "UserPoolId": POOL,
        "ClientId": CLIENT,
    }


def test_the_emulators_tokens_name_aws_but_their_keys_are_at_the_emulator(local: Synthesized) -> None:
    found = variables(local.stacks[StackId.SERVICE], "jwt_authorizer")

    assert found["JWT_ISSUER"] == POOL_ISSUER
    assert found["JWT_JWKS_URL"] == f"http://127.0.0.1:4566/{POOL}/.well-known/jwks.json"


def test_an_issuer_that_exists_takes_the_place_of_the_user_pool() -> None:
    environment = synthesize(
        "prod",
        jwt_issuer="https://login.example.com/",
        jwt_jwks_url="https://login.example.com/keys",
        jwt_audience="mfa-api,mobile-app",
    )

    assert StackId.IDENTITY not in environment.stacks
    found = variables(environment.stacks[StackId.SERVICE], "jwt_authorizer")
    assert found["JWT_ISSUER"] == "https://login.example.com/"
    assert found["JWT_JWKS_URL"] == "https://login.example.com/keys"
    assert found["JWT_AUDIENCE"] == "mfa-api,mobile-app"


def test_passwords_are_strong_and_accounts_are_made_by_administrators(each: Synthesized, environment: str) -> None:
    pool = each.stacks[StackId.IDENTITY].only("AWS::Cognito::UserPool")

    policy = pool["Properties"]["Policies"]["PasswordPolicy"]
    assert policy["MinimumLength"] == 12
    assert all(policy[f"Require{kind}"] for kind in ("Lowercase", "Uppercase", "Numbers", "Symbols"))
    assert pool["Properties"]["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert pool["Properties"]["DeletionProtection"] == ("ACTIVE" if environment == "prod" else "INACTIVE")
    assert pool["DeletionPolicy"] == ("Retain" if environment == "prod" else "Delete")


def test_the_client_has_no_secret_and_no_way_in_by_browser(each: Synthesized) -> None:
    client = each.stacks[StackId.IDENTITY].only("AWS::Cognito::UserPoolClient")["Properties"]

    assert client["GenerateSecret"] is False
    assert set(client["ExplicitAuthFlows"]) == {
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_ADMIN_USER_PASSWORD_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
    }
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client.get("AllowedOAuthFlowsUserPoolClient", False) is False
