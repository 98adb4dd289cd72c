"""A route of a region on standby: API Gateway itself answers it, and no function can be reached.

Two regions that serve the same user would each accept the same code once, and count wrong codes separately
(docs/adr/0053). So a standby region must not serve anybody, even if its address is known.
"""

from aws_cdk import aws_apigateway as apigateway

from infra.config import Config
from infra.constructs.gateway_responses import UNAVAILABLE, common_headers


def closed_integration(config: Config) -> apigateway.MockIntegration:
    """Return the integration that returns 503 to every request."""
    return apigateway.MockIntegration(
        # Any other content type gets a 415.
        passthrough_behavior=apigateway.PassthroughBehavior.NEVER,
        request_templates={"application/json": f'{{"statusCode": {UNAVAILABLE.status}}}'},
        integration_responses=[
            apigateway.IntegrationResponse(
                status_code=str(UNAVAILABLE.status),
                response_templates={"application/json": UNAVAILABLE.body()},
                response_parameters={
                    f"method.response.header.{name}": f"'{value}'" for name, value in _headers(config).items()
                },
            )
        ],
    )


def closed_response(config: Config) -> apigateway.MethodResponse:
    """Return the method's declaration of that response."""
    return apigateway.MethodResponse(
        status_code=str(UNAVAILABLE.status),
        response_parameters={f"method.response.header.{name}": True for name in _headers(config)},
    )


def _headers(config: Config) -> dict[str, str]:
    return common_headers(config) | dict(UNAVAILABLE.headers)
