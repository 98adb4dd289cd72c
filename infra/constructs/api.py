"""The REST API: routes, authorizer, access log, throttling, CORS."""

import json
from collections.abc import Mapping
from typing import Final, cast

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from functions.shared import contract
from infra.config import Config
from infra.constructs.acknowledge import acknowledge
from infra.constructs.api_domain import ApiDomain
from infra.constructs.closed_route import add_closed_method
from infra.constructs.firewall import Firewall
from infra.constructs.function import MfaFunction
from infra.constructs.gateway_responses import add_gateway_responses
from infra.constructs.logs import log_group
from infra.project import VERSION

#: One line for each request. Only metadata: headers and bodies contain tokens, codes and secrets.
_ACCESS_LOG: Final = {
    "request_id": "$context.requestId",
    "extended_request_id": "$context.extendedRequestId",  # callers can choose the other one
    "version": VERSION,
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

#: The routes of a login. Users need the others rarely, so those have lower limits, except the public routes of the
#: proof: a caller who used up a low limit would keep other APIs from reading the keys.
_EVERYDAY: Final = (contract.VERIFY, contract.STATUS)

#: What pages may send: what the routes read, and what tracing adds to every request of a page (W3C Trace Context and
#: Baggage, Sentry). A browser refuses a request with any header that is not allowed.
_ALLOWED_HEADERS: Final = ("Authorization", "Content-Type", "traceparent", "tracestate", "baggage", "sentry-trace")


class MfaApi(Construct):
    """The API of the service.

    Parameters
    ----------
    config
        The environment's settings.
    authorizer
        Decides on every request except preflights. Unused on standby, like the handlers.
    handlers
        The function of each endpoint, by its folder under ``functions``.

    Attributes
    ----------
    rest_api
        The API, deployed to its one stage.
    access_log
        The log group of its access log.
    url
        The stage's URL for callers, under the custom domain if there is one, without a trailing slash.
    issuer
        The same URL as ``iss`` of the proofs. It refers to no stage, so that functions behind the API may have it.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: Config,
        authorizer: MfaFunction,
        handlers: Mapping[str, MfaFunction],
    ) -> None:
        super().__init__(scope, id)
        self._config: Final = config
        name = f"mfa-{config.environment}"
        self.access_log: Final = log_group(self, "AccessLog", name=f"/aws/apigateway/{name}", config=config)
        self.rest_api: Final = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=name,
            description="Multi-factor authentication",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            # The domain is the only endpoint, so that its protection covers the API.
            disable_execute_api_endpoint=True if config.domain_name else None,
            # The role belongs to the account: other APIs may still use it when this one is deleted. It also stays when
            # its creation is rolled back, because the account keeps using it. Its name is generated, so it blocks no
            # later deployment.
            cloud_watch_role=config.api_logging_role,
            cloud_watch_role_removal_policy=RemovalPolicy.RETAIN if config.api_logging_role else None,
            deploy_options=apigateway.StageOptions(
                stage_name=contract.STAGE_NAME,
                throttling_rate_limit=config.api_throttling_rate,
                throttling_burst_limit=config.api_throttling_burst,
                method_options=_method_options(config),
                # Every metric of the API and stage is published without it. Those of each method are charged for, and
                # the service's own metrics already distinguish the routes.
                # https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
                metrics_enabled=False,
                access_log_destination=apigateway.LogGroupLogDestination(self.access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_ACCESS_LOG)),
            ),
        )
        # The construct's own output repeats the URL, and with a custom domain that URL does not work.
        self.rest_api.node.try_remove_child("Endpoint")
        public = contract.PROOF_ENDPOINTS if config.proof_audience else ()
        if config.standby:
            for endpoint in (*contract.ENDPOINTS, *public):
                self._add_closed_route(endpoint)
        else:
            request_authorizer = self._add_authorizer(authorizer)
            for endpoint in contract.ENDPOINTS:
                self._add_route(endpoint, handlers[endpoint.function], request_authorizer)
            for endpoint in public:
                self._add_public_route(endpoint, handlers[endpoint.function])
        # The stage serves a snapshot of the methods. A function's name is part of them, but CDK does not include it in
        # the hash of the deployment, because the methods refer to the alias.
        deployment = cast("apigateway.Deployment", self.rest_api.latest_deployment)
        deployment.add_to_logical_id({"functions": [authorizer.name, *(each.name for each in handlers.values())]})
        add_gateway_responses(self.rest_api, config)
        if config.waf:
            Firewall(self, "Firewall", config=config, stage=self.rest_api.deployment_stage)
        self.url: Final = self._public_url()
        self.issuer: Final = self._issuer()
        self._acknowledge()

    def _public_url(self) -> str:
        name = self._config.domain_name
        if name is None:
            return self.rest_api.url_for_path().removesuffix("/")
        return ApiDomain(self, "Domain", config=self._config, domain_name=name, rest_api=self.rest_api).url

    def _issuer(self) -> str:
        if self._config.domain_name is not None:
            return self.url
        if self._config.execute_api_base_url is not None:
            return f"{self._config.execute_api_base_url}/{self.rest_api.rest_api_id}/{contract.STAGE_NAME}"
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html
        region, suffix = Stack.of(self).region, Stack.of(self).url_suffix
        return f"https://{self.rest_api.rest_api_id}.execute-api.{region}.{suffix}/{contract.STAGE_NAME}"

    def _add_public_route(self, endpoint: contract.Endpoint, handler: MfaFunction) -> None:
        """Add a route without an authorizer. Its function lets pages of every origin read it, with or without CORS."""
        method = self.rest_api.root.resource_for_path(endpoint.path).add_method(
            endpoint.method,
            apigateway.LambdaIntegration(handler.alias, allow_test_invoke=False),
            authorization_type=apigateway.AuthorizationType.NONE,
        )
        reason = "Public keys, which every verifier of proofs needs. The stage throttles the requests."
        for rule in ("AwsSolutions-APIG4", "AwsSolutions-COG4"):
            acknowledge(method, rule, reason)

    def _add_authorizer(self, function: MfaFunction) -> apigateway.RequestAuthorizer:
        return apigateway.RequestAuthorizer(
            self,
            "Authorizer",
            authorizer_name=f"jwt-{self._config.environment}",
            handler=function.alias,
            # With an identity source, the gateway would refuse a request without a token itself, and without the
            # contract's body. With a cached result, a revoked or expired token would keep working.
            identity_sources=[],
            results_cache_ttl=Duration.seconds(0),
        )

    def _add_route(
        self, endpoint: contract.Endpoint, handler: MfaFunction, authorizer: apigateway.RequestAuthorizer
    ) -> None:
        resource = self.rest_api.root.resource_for_path(endpoint.path)
        method = resource.add_method(
            endpoint.method,
            apigateway.LambdaIntegration(handler.alias, allow_test_invoke=False),
            authorization_type=apigateway.AuthorizationType.CUSTOM,
            authorizer=authorizer,
        )
        acknowledge(
            method,
            "AwsSolutions-COG4",
            "A Lambda authorizer accepts tokens of any OIDC issuer, and returns the 401 body of the contract.",
        )
        self._allow_preflight(resource, endpoint)

    def _add_closed_route(self, endpoint: contract.Endpoint) -> None:
        resource = self.rest_api.root.resource_for_path(endpoint.path)
        method = add_closed_method(resource, endpoint.method, self._config)
        for rule in ("AwsSolutions-APIG4", "AwsSolutions-COG4"):
            acknowledge(method, rule, "The region is on standby: API Gateway returns 503 and calls no function.")
        self._allow_preflight(resource, endpoint)

    def _allow_preflight(self, resource: apigateway.Resource, endpoint: contract.Endpoint) -> None:
        if self._config.cors_allowed_origins:
            preflight = resource.add_cors_preflight(
                allow_origins=[*self._config.cors_allowed_origins],
                allow_methods=[endpoint.method, "OPTIONS"],
                allow_headers=[*_ALLOWED_HEADERS, *self._config.cors_allowed_headers],
                max_age=Duration.hours(1),
            )
            # By default, the mock reads a body of any other media type as its instructions, and fails. Anyone's
            # preflights could then page on-call and roll a release back, with 500s. With this, such a body gets a 415.
            # https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
            cast("apigateway.CfnMethod", preflight.node.default_child).add_property_override(
                "Integration.PassthroughBehavior", apigateway.PassthroughBehavior.NEVER.value
            )

    def _acknowledge(self) -> None:
        acknowledge(
            self.rest_api,
            "AwsSolutions-APIG2",
            "The functions validate every request, and return the error body of the contract.",
        )
        acknowledge(
            self.rest_api.deployment_stage,
            "AwsSolutions-APIG6",
            "Execution logs contain headers and bodies with tokens and codes; the access log has the errors.",
        )
        if not self._config.waf:
            acknowledge(
                self.rest_api.deployment_stage,
                "AwsSolutions-APIG3",
                "The stage throttles, attempts are counted and locked per user, and there is no SQL or HTML to attack.",
            )
        if self._config.api_logging_role:
            acknowledge(
                self.rest_api.node.find_child("CloudWatchRole"),
                "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
                "AmazonAPIGatewayPushToCloudWatchLogs]",
                "The policy that API Gateway requires; the account's role serves all of its APIs and log groups.",
            )


def _method_options(config: Config) -> dict[str, apigateway.MethodDeploymentOptions]:
    # A method does not inherit from the stage what its own entry leaves out.
    return {
        f"{endpoint.path}/{endpoint.method}": apigateway.MethodDeploymentOptions(
            throttling_rate_limit=config.api_enrolment_throttling_rate,
            throttling_burst_limit=config.api_enrolment_throttling_burst,
            metrics_enabled=False,
            data_trace_enabled=False,
        )
        for endpoint in contract.ENDPOINTS
        if endpoint not in _EVERYDAY
    }
