"""A Cognito user pool, for environments that bring no OIDC issuer of their own."""

from typing import Any, Final

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from infra.config import Config
from infra.constructs.acknowledge import acknowledge
from infra.constructs.retention import removal_policy
from infra.constructs.token_issuer import Identity
from infra.outputs import Output


class IdentityStack(Stack):
    """The user pool and its one client.

    Attributes
    ----------
    identity
        What the authorizer must know to accept the pool's access tokens.
    """

    def __init__(self, scope: Construct, id: str, *, config: Config, **stack: Any) -> None:  # noqa: ANN401 (passed on to Stack)
        super().__init__(scope, id, **stack)
        pool = cognito.UserPool(
            self,
            "UserPool",
            user_pool_name=f"mfa-{config.environment}",
            # Accounts are made by whoever runs the login: this service has no sign-up page to defend.
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(username=True, email=True),
            sign_in_case_sensitive=False,
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            password_policy=cognito.PasswordPolicy(
                min_length=12,
                require_digits=True,
                require_lowercase=True,
                require_symbols=True,
                require_uppercase=True,
                temp_password_validity=Duration.days(1),
            ),
            deletion_protection=config.retain_data,
            removal_policy=removal_policy(config),
        )
        acknowledge(
            pool, "AwsSolutions-COG2", "The second factor is this very service, whatever issues the first one's tokens."
        )
        acknowledge(
            pool,
            "AwsSolutions-COG8",
            "Threat protection is charged for every user. The pool is what an environment without an issuer of its own "
            "gets; one with real users brings its own.",
        )
        client = pool.add_client(
            "Client",
            user_pool_client_name=f"mfa-{config.environment}",
            generate_secret=False,
            # SRP for apps; the administrator's flow for `local` tooling and smoke tests, which sign in with AWS
            # credentials on top of the user's password.
            auth_flows=cognito.AuthFlow(user_srp=True, admin_user_password=True),
            disable_o_auth=True,
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            access_token_validity=Duration.minutes(60),
            id_token_validity=Duration.minutes(60),
            refresh_token_validity=Duration.days(1),
        )
        issuer = f"https://cognito-idp.{self.region}.{self.url_suffix}/{pool.user_pool_id}"
        base = f"{config.cognito_jwks_base_url}/{pool.user_pool_id}" if config.cognito_jwks_base_url else issuer
        self.identity: Final = Identity(
            issuer=issuer,
            audience=(client.user_pool_client_id,),
            jwks_url=f"{base}/.well-known/jwks.json",
        )
        CfnOutput(self, Output.ISSUER, value=self.identity.issuer)
        CfnOutput(self, Output.JWKS_URL, value=self.identity.jwks_url)
        CfnOutput(self, Output.USER_POOL_ID, value=pool.user_pool_id)
        CfnOutput(self, Output.CLIENT_ID, value=client.user_pool_client_id)
