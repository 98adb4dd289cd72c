"""Everything that may be replaced at any time: functions, their roles, and the API in front of them."""

from typing import Any, Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs
from constructs import Construct

from functions.shared import contract
from infra.config import ALL_AT_ONCE, Config
from infra.constructs.api import MfaApi
from infra.constructs.function import CodeSource, MfaFunction
from infra.constructs.function_environment import authorizer_environment, endpoint_environment
from infra.constructs.grants import statements, table_key_statements
from infra.constructs.release import GradualRelease
from infra.constructs.security_events import SecurityEvents
from infra.constructs.storage import Storage
from infra.constructs.token_issuer import Identity
from infra.outputs import Output


class ServiceStack(Stack):
    """The API and the functions behind it.

    Parameters
    ----------
    config
        The environment's settings.
    storage
        The table and keys that the functions use; None where all of them exist already.
    identity
        Whose access tokens are accepted.
    code
        Where the functions' code comes from.

    Attributes
    ----------
    functions
        Every function, by its folder under ``functions``.
    rest_api
        The API, deployed to its one stage.
    access_log
        The API's access log.
    storage
        The table and keys that the functions use.
    security_events
        What publishes security events; None for a table that exists already and has no stream.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: Config,
        storage: Storage | None,
        identity: Identity,
        code: CodeSource,
        **stack: Any,  # noqa: ANN401 (passed on to Stack)
    ) -> None:
        super().__init__(scope, id, **stack)
        self.storage: Final = storage or Storage.existing(self, config)
        handlers = {
            endpoint.function: MfaFunction(
                self,
                _construct_id(endpoint.function),
                function=endpoint.function,
                description=f"{endpoint.method} {endpoint.path}",
                config=config,
                code=code,
                environment=endpoint_environment(endpoint.function, config, self.storage),
                statements=statements(endpoint.function, self.storage),
            )
            for endpoint in contract.ENDPOINTS
        }
        authorizer = MfaFunction(
            self,
            _construct_id(contract.AUTHORIZER_FUNCTION),
            function=contract.AUTHORIZER_FUNCTION,
            description="Decides on the access token of every request",
            config=config,
            code=code,
            environment=authorizer_environment(config, identity),
            statements=statements(contract.AUTHORIZER_FUNCTION, self.storage),
        )
        api = MfaApi(self, "Api", config=config, authorizer=authorizer, handlers=handlers)
        self.security_events: Final = self._security_events(config, code)
        self.functions: Final = handlers | {contract.AUTHORIZER_FUNCTION: authorizer}
        if self.security_events is not None:
            self.functions[contract.SECURITY_EVENTS_FUNCTION] = self.security_events.function
        self.rest_api: Final[apigateway.RestApi] = api.rest_api
        self.access_log: Final[logs.LogGroup] = api.access_log
        if config.traffic_shift != ALL_AT_ONCE:
            GradualRelease(
                self, "Releases", config=config, functions=self.functions, api_name=api.rest_api.rest_api_name
            )
        CfnOutput(self, Output.API_URL, value=api.url)

    def _security_events(self, config: Config, code: CodeSource) -> SecurityEvents | None:
        if self.storage.table.table_stream_arn is None:
            return None
        return SecurityEvents(
            self,
            "SecurityEvents",
            config=config,
            code=code,
            table=self.storage.table,
            event_bus=config.event_bus,
            statements=table_key_statements(contract.SECURITY_EVENTS_FUNCTION, self.storage),
        )


def _construct_id(function: str) -> str:
    return "".join(part.capitalize() for part in function.split("_"))
