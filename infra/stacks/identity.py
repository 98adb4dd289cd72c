"""A Cognito user pool, for environments without a configured OIDC issuer."""

from typing import Final

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from infra.config import Config
from infra.constructs.acknowledge import acknowledge
from infra.constructs.retention import removal_policy
from infra.constructs.token_issuer import TokenIssuer
from infra.outputs import Output, StackId
from infra.stacks.environment import EnvironmentStack


class IdentityStack(EnvironmentStack):
    """The user pool and its only client.

    Attributes
    ----------
    token_issuer
        What the authorizer needs to accept the pool's access tokens.
    """

    def __init__(self, scope: Construct, *, config: Config) -> None:
        super().__init__(scope, StackId.IDENTITY, "User pool of the MFA service", config=config)
        pool = cognito.UserPool(
            self,
            "UserPool",
            user_pool_name=f"mfa-{config.environment}",
            # The operator of the login creates the accounts: there is no sign-up page to protect.
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
        acknowledge(pool, "AwsSolutions-COG2", "This service is the second factor; the user pool is only the first.")
        acknowledge(
            pool,
            "AwsSolutions-COG8",
            "Threat protection is charged for every user. The pool serves environments without a configured issuer; "
            "one with real users configures its own issuer.",
        )
        client = pool.add_client(
            "Client",
            user_pool_client_name=f"mfa-{config.environment}",
            generate_secret=False,
            # SRP for apps; the administrator's flow for the `local` tools and the smoke tests, which sign in with AWS
            # credentials and the user's password.
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
        self.token_issuer: Final = TokenIssuer(
            issuer=issuer,
            audience=(client.user_pool_client_id,),
            jwks_url=f"{base}/.well-known/jwks.json",
            definition=self.definition(),
        )
        CfnOutput(self, Output.ISSUER, value=self.token_issuer.issuer)
        CfnOutput(self, Output.JWKS_URL, value=self.token_issuer.jwks_url)
        CfnOutput(self, Output.USER_POOL_ID, value=pool.user_pool_id)
        CfnOutput(self, Output.CLIENT_ID, value=client.user_pool_client_id)
