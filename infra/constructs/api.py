"""The REST API: routes, authorizer, access log, throttling, CORS."""

import json
from collections.abc import Mapping
from typing import Final

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from functions.shared import contract
from infra.config import Config
from infra.constructs.acknowledge import acknowledge
from infra.constructs.api_domain import ApiDomain
from infra.constructs.firewall import Firewall
from infra.constructs.function import MfaFunction
from infra.constructs.gateway_responses import add_gateway_responses
from infra.constructs.logs import log_group

#: One line a request. Metadata alone: headers and bodies carry tokens, codes and secrets.
_ACCESS_LOG: Final = {
    "request_id": "$context.requestId",
    "time": "$context.requestTime",
    "method": "$context.httpMethod",
    "path": "$context.resourcePath",
    "status": "$context.status",
    "response_type": "$context.error.responseType",
    "error": "$context.error.message",
    "source_ip": "$context.identity.sourceIp",
    "user_agent": "$context.identity.userAgent",
    "response_bytes": "$context.responseLength",
    "latency_ms": "$context.responseLatency",
    "authorizer_status": "$context.authorizer.status",
    "authorizer_latency_ms": "$context.authorizer.latency",
    "integration_status": "$context.integration.status",
    "integration_latency_ms": "$context.integration.latency",
}


#: The routes of a login. All others are those that a user needs once in a while: a flood of them is no crowd of users.
_EVERYDAY: Final = (contract.VERIFY, contract.STATUS)


#: What pages may send: what the routes read, and what tracing adds to every request of a page (W3C Trace Context and
#: Baggage, Sentry). A browser refuses a request with any header that is not allowed.
_ALLOWED_HEADERS: Final = ("Authorization", "Content-Type", "traceparent", "tracestate", "baggage", "sentry-trace")


class MfaApi(Construct):
    """The API of the service.

    Parameters
    ----------
    scope, id
        As of every construct.
    config
        The environment's settings.
    authorizer
        Decides on every request but preflights.
    handlers
        The function of each endpoint, by its folder under ``functions``.

    Attributes
    ----------
    rest_api
        The API, deployed to its one stage.
    access_log
        Where its access log goes.
    url
        The stage's URL for callers, under the API's own domain if it has one, without a slash at the end.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 (the name that every construct has)
        *,
        config: Config,
        authorizer: MfaFunction,
        handlers: Mapping[str, MfaFunction],
    ) -> None:
        super().__init__(scope, id)
        name = f"mfa-{config.environment}"
        self.access_log: Final = log_group(self, "AccessLog", name=f"/aws/apigateway/{name}", config=config)
        self.rest_api: Final = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=name,
            description="Multi-factor authentication",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            # One way in: what guards the domain then guards the API.
            disable_execute_api_endpoint=True if config.domain_name else None,
            # It is the account's, not this API's: other APIs may rely on it by the time this one is deleted.
            cloud_watch_role=config.api_logging_role,
            cloud_watch_role_removal_policy=RemovalPolicy.RETAIN if config.api_logging_role else None,
            deploy_options=apigateway.StageOptions(
                stage_name=contract.STAGE_NAME,
                throttling_rate_limit=config.api_throttling_rate,
                throttling_burst_limit=config.api_throttling_burst,
                method_options=_method_options(config),
                metrics_enabled=True,
                access_log_destination=apigateway.LogGroupLogDestination(self.access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_ACCESS_LOG)),
            ),
        )
        # The construct's own output: a second name for the URL, and with a domain one that nobody can call.
        self.rest_api.node.try_remove_child("Endpoint")
        self._request_authorizer: Final = apigateway.RequestAuthorizer(
            self,
            "Authorizer",
            authorizer_name=f"jwt-{config.environment}",
            handler=authorizer.alias,
            # With an identity source the gateway would answer a request without a token by itself, and with a
            # cached result a revoked or expired token would go on working; both answers would lack the body of the
            # contract.
            identity_sources=[],
            results_cache_ttl=Duration.seconds(0),
        )
        for endpoint in contract.ENDPOINTS:
            self._add_route(endpoint, handlers[endpoint.function], config)
        add_gateway_responses(self.rest_api, config)
        if config.waf:
            Firewall(self, "Firewall", config=config, stage=self.rest_api.deployment_stage)
        self.url: Final = self._public_url(config)
        self._acknowledge(config)

    def _public_url(self, config: Config) -> str:
        if config.domain_name is None:
            return self.rest_api.url_for_path().removesuffix("/")
        return ApiDomain(self, "Domain", config=config, domain_name=config.domain_name, rest_api=self.rest_api).url

    def _add_route(self, endpoint: contract.Endpoint, handler: MfaFunction, config: Config) -> None:
        resource = self.rest_api.root.resource_for_path(endpoint.path)
        method = resource.add_method(
            endpoint.method,
            apigateway.LambdaIntegration(handler.alias, allow_test_invoke=False),
            authorization_type=apigateway.AuthorizationType.CUSTOM,
            authorizer=self._request_authorizer,
        )
        acknowledge(
            method,
            "AwsSolutions-COG4",
            "A Lambda authorizer takes tokens of any OIDC issuer, and gives the 401 body that the contract promises.",
        )
        if config.cors_allowed_origins:
            resource.add_cors_preflight(
                allow_origins=[*config.cors_allowed_origins],
                allow_methods=[endpoint.method, "OPTIONS"],
                allow_headers=[*_ALLOWED_HEADERS, *config.cors_allowed_headers],
                max_age=Duration.hours(1),
            )

    def _acknowledge(self, config: Config) -> None:
        acknowledge(
            self.rest_api,
            "AwsSolutions-APIG2",
            "The functions validate every request, and answer with the error body that the contract promises.",
        )
        acknowledge(
            self.rest_api.deployment_stage,
            "AwsSolutions-APIG6",
            "Execution logs copy headers and bodies, which carry tokens and codes; the access log has the errors.",
        )
        if not config.waf:
            acknowledge(
                self.rest_api.deployment_stage,
                "AwsSolutions-APIG3",
                "The stage throttles, each user's attempts are counted and locked, and no request reaches SQL or HTML.",
            )
        if config.api_logging_role:
            acknowledge(
                self.rest_api.node.find_child("CloudWatchRole"),
                "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
                "AmazonAPIGatewayPushToCloudWatchLogs]",
                "The policy that API Gateway asks for; the role is the account's, for all of its APIs and log groups.",
            )


def _method_options(config: Config) -> dict[str, apigateway.MethodDeploymentOptions]:
    # What a method's own entry leaves out is not taken from the stage's: it is off.
    return {
        f"{endpoint.path}/{endpoint.method}": apigateway.MethodDeploymentOptions(
            throttling_rate_limit=config.api_enrolment_throttling_rate,
            throttling_burst_limit=config.api_enrolment_throttling_burst,
            metrics_enabled=True,
            data_trace_enabled=False,
        )
        for endpoint in contract.ENDPOINTS
        if endpoint not in _EVERYDAY
    }
