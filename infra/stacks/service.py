"""The part that can be replaced at any time: functions, their roles, and the API in front of them."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import CfnOutput
from constructs import Construct

from functions.shared import contract
from functions.shared.contract import Env
from infra.config import ALL_AT_ONCE, Config
from infra.constructs.api import MfaApi
from infra.constructs.function import CodeSource, MfaFunction
from infra.constructs.release import GradualRelease
from infra.constructs.security_events import SecurityEvents
from infra.constructs.storage import Storage, existing_table
from infra.constructs.token_issuer import TokenIssuer
from infra.monitoring.resources import WatchedResources
from infra.outputs import Output, StackId, dead_letter_queue_name
from infra.permissions import PERMISSIONS, statements
from infra.project import VERSION
from infra.stacks.environment import EnvironmentStack


class ServiceStack(EnvironmentStack):
    """The API and the functions behind it.

    Parameters
    ----------
    config
        The environment's settings.
    storage
        The table and keys that the functions use; None if all of them exist already.
    token_issuer
        The issuer whose access tokens are accepted.
    code
        The source of the functions' code.

    Attributes
    ----------
    functions
        Every function, by its folder under ``functions``.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        config: Config,
        storage: Storage | None,
        token_issuer: TokenIssuer,
        code: CodeSource,
    ) -> None:
        super().__init__(scope, StackId.SERVICE, "API and functions of the MFA service", config=config)
        self._config: Final = config
        self._code: Final = code
        self._storage: Final = storage or self._existing_storage()
        handlers = {
            endpoint.function: self._function(
                endpoint.function, f"{endpoint.method} {endpoint.path}", self._endpoint_variables(endpoint.function)
            )
            for endpoint in contract.ENDPOINTS
        }
        if config.proof_audience:
            handlers[contract.SIGNING_KEYS_FUNCTION] = self._function(
                contract.SIGNING_KEYS_FUNCTION,
                "Publishes the issuer of the proofs and its public keys",
                {Env.PROOF_KEYS: ",".join(self._storage.proof_key_arns)},
            )
        authorizer = self._function(
            contract.AUTHORIZER_FUNCTION,
            "Decides on the access token of every request",
            self._authorizer_variables(token_issuer),
            definition=token_issuer.definition,
        )
        self._api: Final = MfaApi(self, "Api", config=config, authorizer=authorizer, handlers=handlers)
        for folder in contract.PROOF_FUNCTIONS if config.proof_audience else ():
            # After the API, whose id is in its URL.
            handlers[folder].function.add_environment(Env.PROOF_ISSUER, self._api.issuer)
        self.functions: Final = handlers | {contract.AUTHORIZER_FUNCTION: authorizer}
        if self._storage.table.table_stream_arn is not None:
            events = SecurityEvents(self, "SecurityEvents", config=config, code=code, storage=self._storage)
            self.functions[contract.SECURITY_EVENTS_FUNCTION] = events.function
        if config.traffic_shift != ALL_AT_ONCE:
            api_name = self._api.rest_api.rest_api_name
            GradualRelease(self, "Releases", config=config, functions=self.functions, api_name=api_name)
        CfnOutput(self, Output.API_URL, value=self._api.url)
        CfnOutput(self, Output.VERSION, value=VERSION)

    def watched_resources(self) -> WatchedResources:
        """Return the parts of the service that monitoring watches, by name."""
        events = contract.SECURITY_EVENTS_FUNCTION in self.functions
        return WatchedResources(
            environment=self._config.environment,
            region=self._config.region,
            api_name=self._api.rest_api.rest_api_name,
            access_log_name=self._api.access_log.log_group_name,
            functions={folder: function.name for folder, function in self.functions.items()},
            timeout_seconds=self._config.timeout_seconds,
            table_name=self._storage.table.table_name,
            secret_key_arn=self._storage.secret_key_arn,
            proof_key_arns=self._storage.proof_key_arns,
            dead_letter_queue_name=dead_letter_queue_name(self._config.environment) if events else None,
        )

    def _existing_storage(self) -> Storage:
        if self._config.secret_key_arn is None:
            raise ValueError("without a data stack, secret_key_arn is required")
        return Storage(
            table=existing_table(self, self._config),
            table_key_arn=self._config.users_table_key_arn,
            secret_key_arn=self._config.secret_key_arn,
            proof_key_arns=self._config.proof_keys if self._config.proof_audience else (),
        )

    def _function(
        self, folder: str, description: str, variables: Mapping[Env, str], *, definition: str = ""
    ) -> MfaFunction:
        return MfaFunction(
            self,
            "".join(part.capitalize() for part in folder.split("_")),
            function=folder,
            description=description,
            config=self._config,
            code=self._code,
            environment=variables,
            statements=statements(folder, self._storage),
            definitions=(definition, self._storage.definition if PERMISSIONS[folder].secret_key else ""),
        )

    def _authorizer_variables(self, token_issuer: TokenIssuer) -> dict[Env, str]:
        config = self._config
        variables = {
            Env.JWT_ISSUER: token_issuer.issuer,
            Env.JWT_AUDIENCE: ",".join(token_issuer.audience),
            Env.JWT_JWKS_URL: token_issuer.jwks_url,
            Env.JWT_ALGORITHMS: ",".join(config.jwt_algorithms),
            Env.JWT_USER_CLAIM: config.jwt_user_claim,
            Env.JWT_LABEL_CLAIMS: ",".join(config.jwt_label_claims),
            Env.JWT_LEEWAY_SECONDS: str(config.jwt_leeway_seconds),
        }
        if config.max_auth_age_seconds is not None:
            variables[Env.JWT_MAX_AUTH_AGE_SECONDS] = str(config.max_auth_age_seconds)
        return variables

    def _endpoint_variables(self, folder: str) -> dict[Env, str]:
        """Return the environment variables that the function of a route reads, and no others."""
        config, storage = self._config, self._storage
        variables = {
            Env.USERS_TABLE_NAME: storage.table.table_name,
            Env.CORS_ALLOWED_ORIGINS: ",".join(config.cors_allowed_origins),
        }
        if config.required_scope:
            variables[Env.MFA_REQUIRED_SCOPE] = config.required_scope
        if PERMISSIONS[folder].secret_key:
            variables[Env.MFA_ENCRYPTION_KEY] = storage.secret_key_arn
        if folder == contract.SETUP.function:
            variables[Env.MFA_ISSUER] = config.mfa_issuer
        if config.proof_audience and folder in contract.PROOF_FUNCTIONS:
            variables |= {
                Env.PROOF_AUDIENCE: config.proof_audience,
                Env.PROOF_LIFETIME_SECONDS: str(config.proof_lifetime_seconds),
                Env.PROOF_KEY: storage.proof_key_arns[0],
            }
        return variables
