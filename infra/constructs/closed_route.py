"""A route of a region on standby: API Gateway itself answers it, and no function can be reached.

Two regions that serve the same user would each accept the same code once, and count wrong codes separately
(docs/adr/0053). So a standby region must refuse every request, even from callers who know its address.
"""

from aws_cdk import aws_apigateway as apigateway

from infra.config import Config
from infra.constructs.gateway_responses import UNAVAILABLE, common_headers


def add_closed_method(resource: apigateway.Resource, verb: str, config: Config) -> apigateway.Method:
    """Add a method that returns 503 to every request."""
    status = str(UNAVAILABLE.status)
    headers = {
        f"method.response.header.{name}": value
        for name, value in (common_headers(config) | dict(UNAVAILABLE.headers)).items()
    }
    integration = apigateway.MockIntegration(
        # Any other content type gets a 415.
        passthrough_behavior=apigateway.PassthroughBehavior.NEVER,
        request_templates={"application/json": f'{{"statusCode": {status}}}'},
        integration_responses=[
            apigateway.IntegrationResponse(
                status_code=status,
                response_templates={"application/json": UNAVAILABLE.body()},
                response_parameters={name: f"'{value}'" for name, value in headers.items()},
            )
        ],
    )
    return resource.add_method(
        verb,
        integration,
        authorization_type=apigateway.AuthorizationType.NONE,
        method_responses=[
            apigateway.MethodResponse(status_code=status, response_parameters=dict.fromkeys(headers, True))
        ],
    )
