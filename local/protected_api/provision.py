"""Creates the protected API in the emulated AWS."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any, Final

from local.bootstrap import session
from local.stack import Stack

NAME: Final = "protected-api"
ROUTE: Final = "POST /payments"
_STAGE: Final = "v1"
_TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def provision(stack: Stack, audience: str) -> str:
    """Create the API, or update its function if it exists, and return its id and stage: ``abc123/v1``.

    It accepts the stack's proofs with this ``aud``, and allows the pages of the console to call it.
    """
    aws = session(stack.administrator, stack.region)
    gateway, functions, iam = (
        aws.client(service, endpoint_url=stack.endpoint_url) for service in ("apigatewayv2", "lambda", "iam")
    )
    api = next((api["ApiId"] for api in gateway.get_apis()["Items"] if api["Name"] == NAME), None)
    if api is None:
        api = _create(gateway, functions, iam, issuer=stack.api_url, audience=audience, page=stack.console_url)
    else:
        functions.update_function_code(FunctionName=NAME, ZipFile=_package())
    return f"{api}/{_STAGE}"


def _create(gateway: Any, functions: Any, iam: Any, *, issuer: str, audience: str, page: str) -> str:  # noqa: ANN401 - boto3 clients
    role = iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(_TRUST))["Role"]["Arn"]
    function = functions.create_function(
        FunctionName=NAME,
        Role=role,
        Runtime="python3.13",
        Handler="handler.lambda_handler",
        Code={"ZipFile": _package()},
    )["FunctionArn"]
    api: str = gateway.create_api(
        Name=NAME,
        ProtocolType="HTTP",
        CorsConfiguration={
            "AllowOrigins": [page],
            "AllowMethods": ["POST"],
            "AllowHeaders": ["authorization"],
            "ExposeHeaders": ["www-authenticate"],
        },
    )["ApiId"]
    authorizer = gateway.create_authorizer(
        ApiId=api,
        Name="proof",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": issuer, "Audience": [audience]},
    )["AuthorizerId"]
    integration = gateway.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=function, PayloadFormatVersion="2.0"
    )["IntegrationId"]
    gateway.create_route(
        ApiId=api,
        RouteKey=ROUTE,
        Target=f"integrations/{integration}",
        AuthorizationType="JWT",
        AuthorizerId=authorizer,
    )
    gateway.create_stage(ApiId=api, StageName=_STAGE, AutoDeploy=True)
    functions.add_permission(
        FunctionName=NAME, StatementId="gateway", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    return api


def _package() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.write(Path(__file__).with_name("handler.py"), "handler.py")
    return content.getvalue()
