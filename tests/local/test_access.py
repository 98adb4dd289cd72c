"""Which requests the emulator accepts, and which routes are public."""

import hashlib
import inspect
import json
import re
import urllib.parse
import uuid
from dataclasses import replace
from typing import Any

import boto3
import pytest
import urllib3
from botocore import UNSIGNED
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.bootstrap import session
from local.server import HEALTH_PATH, REGION
from local.stack import Credentials
from tests.support.emulator import Deploy, Emulator, function

ACCOUNT = "000000000000"
UNKNOWN_KEYS = ["test", ACCOUNT, "123456789012", "AKIAIOSFODNN7EXAMPLE"]
#: Error codes of AWS for an unknown key; they differ by protocol.
UNKNOWN_KEY = {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure"}
WRONG_SIGNATURE = {"SignatureDoesNotMatch", "InvalidSignatureException"}
UNSIGNED_REQUEST = {"MissingAuthenticationToken", "MissingAuthenticationTokenException", "AccessDenied"}
CALLS = [("sts", "get_caller_identity"), ("lambda", "list_functions"), ("s3", "list_buckets"), ("kms", "list_keys")]
CUSTOM_DOMAIN = "api.example.com"


def send(emulator: Emulator, method: str, path: str, **headers: str) -> urllib3.BaseHTTPResponse:
    """Send an unsigned request; underscores in the names of headers become dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return urllib3.request(method, emulator.url + path, headers=named, retries=False)


def refusal(emulator: Emulator, credentials: Credentials | None, service: str, operation: str) -> str:
    """Return the error code of a call; without credentials it is not signed."""
    if credentials is None:
        client: Any = boto3.client(
            service, endpoint_url=emulator.url, region_name=REGION, config=Config(signature_version=UNSIGNED)
        )
    else:
        client = emulator.client(service, credentials)
    with pytest.raises(ClientError) as raised:
        getattr(client, operation)()
    return str(raised.value.response["Error"]["Code"])


# -- keys and signatures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("service", "operation"), CALLS)
def test_a_call_needs_a_known_key_and_its_secret(emulator: Emulator, service: str, operation: str) -> None:
    for key in UNKNOWN_KEYS:
        assert refusal(emulator, Credentials(key, "test"), service, operation) in UNKNOWN_KEY
    for known in (emulator.administrator, emulator.root):
        forged = replace(known, secret_access_key="x" * 40)
        assert refusal(emulator, forged, service, operation) in WRONG_SIGNATURE
    assert refusal(emulator, None, service, operation) in UNSIGNED_REQUEST


def test_the_generated_key_is_root(emulator: Emulator) -> None:
    root = Credentials(emulator.root.access_key_id, emulator.root.secret_access_key)
    assert emulator.client("sts", root).get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


@pytest.mark.parametrize(
    "authorization", ["Bearer token", "Basic dGVzdDp0ZXN0", "AWS test:signature", "AWS4-HMAC-SHA256"]
)
@pytest.mark.parametrize("path", ["/2015-03-31/functions", "/", "/a-bucket"])
def test_other_authorization_is_no_signature(emulator: Emulator, authorization: str, path: str) -> None:
    assert send(emulator, "GET", path, Authorization=authorization).status in {400, 403}


def _first_call(client: Any) -> str | None:
    """Return a reading operation that is signed and needs no input, or None."""
    model = client.meta.service_model
    operations = [
        name
        for name in model.operation_names
        if not (shape := model.operation_model(name).input_shape) or not shape.required_members
        if model.operation_model(name).auth_type not in ("none", "v4-unsigned-body", "bearer")
    ]
    reading = [name for name in operations if name.startswith(("List", "Describe", "Get"))]
    return next(iter(reading), None)


def test_no_service_accepts_ministacks_default_key(emulator: Emulator) -> None:
    services = json.loads(send(emulator, "GET", HEALTH_PATH).data)["services"]
    stranger = session(Credentials("test", "test"), REGION)
    options = Config(inject_host_prefix=False, retries={"total_max_attempts": 1})
    answers = {}
    for service in sorted(set(services) & set(boto3.Session().get_available_services())):
        client = stranger.client(service, endpoint_url=emulator.url, config=options)
        operation = _first_call(client)
        if operation is not None:
            try:
                client._make_api_call(operation, {})
                answers[service] = "served"
            except ClientError as error:
                answers[service] = error.response["Error"]["Code"]
    assert len(answers) > 50
    # IoT's data plane returns one error code for every refusal.
    assert answers.pop("iot-data") == "ForbiddenException"
    assert {service: code for service, code in answers.items() if code not in UNKNOWN_KEY} == {}


# -- functions' credentials --------------------------------------------------------------------------------------------


def test_a_functions_credentials_cannot_be_computed(emulator: Emulator, deploy: Deploy) -> None:
    trust = {
        "Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    }
    name = f"role-{uuid.uuid4().hex[:8]}"
    role = emulator.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    reveal = "import os\ndef handler(event, context):\n    return {k: v for k, v in os.environ.items() if 'AWS_' in k}"
    deployed = deploy({"F": function(reveal, Role=role)})
    answer = emulator.client("lambda").invoke(FunctionName=deployed.physical_id("F"))
    own = json.loads(answer["Payload"].read())
    arn = emulator.client("lambda").get_function(FunctionName=deployed.physical_id("F"))["Configuration"]["FunctionArn"]

    # As MiniStack derives them.
    digest = hashlib.sha256(f"{arn}:{role}".encode()).hexdigest()
    computed = Credentials(
        f"ASIA{digest[:16].upper()}",
        hashlib.sha256(f"secret:{digest}".encode()).hexdigest(),
        hashlib.sha256(f"token:{digest}".encode()).hexdigest(),
    )
    given = Credentials(*(own[f"AWS_{part}"] for part in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")))

    assert emulator.client("sts", given).get_caller_identity()["Arn"].split("/")[1] == name
    assert refusal(emulator, computed, "sts", "get_caller_identity") in UNKNOWN_KEY
    assert emulator.root.access_key_id not in own.values()
    assert emulator.root.secret_access_key not in own.values()


# -- S3 ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bucket(emulator: Emulator) -> str:
    name = f"bucket-{uuid.uuid4().hex[:8]}"
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="key", Body=b"content")
    return name


def test_a_presigned_url_is_served(emulator: Emulator, bucket: str) -> None:
    url = emulator.client("s3").generate_presigned_url("get_object", {"Bucket": bucket, "Key": "key"})
    assert urllib3.request("GET", url).data == b"content"
    assert urllib3.request("GET", url.replace("/key?", "/other?")).status == 403


@pytest.mark.parametrize("key", UNKNOWN_KEYS)
def test_a_presigned_url_with_an_unknown_key_is_refused(emulator: Emulator, bucket: str, key: str) -> None:
    client = emulator.client("s3", Credentials(key, "test"))
    url = client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "key"})
    assert urllib3.request("GET", url).status == 403


@pytest.mark.parametrize(("method", "path"), [("GET", "/key"), ("PUT", "/new"), ("DELETE", "/key"), ("GET", "")])
def test_objects_are_not_public(emulator: Emulator, bucket: str, method: str, path: str) -> None:
    assert send(emulator, method, f"/{bucket}{path}").status == 403


# -- public and closed routes ----------------------------------------------------------------------------------


def _administration() -> list[str]:
    """Return MiniStack's own routes, found in its source; a final parameter becomes ``x``."""
    from ministack import app
    from ministack.services.cloudformation import wait_conditions

    source = inspect.getsource(app) + inspect.getsource(wait_conditions)
    routes = {each.rstrip(".,") for each in re.findall(r"/_ministack/[\w./-]*", source)}
    assert len(routes) > 12, routes
    return sorted({route + "x" if route.endswith("/") else route for route in routes} - {HEALTH_PATH})


def test_the_emulators_own_routes_are_closed_but_for_health(emulator: Emulator) -> None:
    answers = {
        (method, route): send(emulator, method, route).status
        for route in _administration()
        for method in ("GET", "POST", "PUT")
    }
    assert set(answers.values()) == {403}, answers
    assert send(emulator, "GET", HEALTH_PATH).status == 200


def test_the_emulators_own_routes_are_closed_to_the_administrator_too(emulator: Emulator) -> None:
    request = AWSRequest("POST", f"{emulator.url}/_ministack/reset", data=b"")
    keys = emulator.administrator
    SigV4Auth(boto3.Session(keys.access_key_id, keys.secret_access_key).get_credentials(), "s3", REGION).add_auth(
        request
    )
    assert urllib3.request("POST", request.url, headers=dict(request.headers)).status == 403


@pytest.mark.parametrize("path", ["/v2/", "/v2/_catalog", "/v2/image/tags/list", "/v2/image/manifests/latest"])
def test_the_image_registry_is_closed(emulator: Emulator, path: str) -> None:
    assert send(emulator, "GET", path).status == 403


def test_operations_that_sdks_do_not_sign_are_served(emulator: Emulator) -> None:
    pools = emulator.client("cognito-idp")
    pool = pools.create_user_pool(PoolName="open")["UserPool"]["Id"]
    client = pools.create_user_pool_client(UserPoolId=pool, ClientName="open")["UserPoolClient"]["ClientId"]
    login = {
        "ClientId": client,
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": "unknown", "PASSWORD": "-"},
    }
    with pytest.raises(ClientError) as raised:
        emulator.client("cognito-idp", Credentials("unused", "unused")).initiate_auth(**login)
    assert raised.value.response["Error"]["Code"] in {"NotAuthorizedException", "UserNotFoundException"}
    assert "keys" in send(emulator, "GET", f"/{pool}/.well-known/jwks.json").json()


@pytest.fixture(scope="module")
def api_path(emulator: Emulator) -> str:
    """Return the path of an API with one open method; it has a custom domain too."""
    gateway = emulator.client("apigateway")
    api = gateway.create_rest_api(name="open")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    method = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    gateway.put_method(**method, authorizationType="NONE")
    gateway.put_method_response(**method, statusCode="200")
    gateway.put_integration(**method, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    gateway.put_integration_response(**method, statusCode="200", responseTemplates={"application/json": '"hello"'})
    gateway.create_deployment(restApiId=api, stageName="v1")
    gateway.create_domain_name(domainName=CUSTOM_DOMAIN, regionalCertificateArn="arn:aws:acm:us-east-1:0:certificate/x")
    gateway.create_base_path_mapping(domainName=CUSTOM_DOMAIN, basePath="v1", restApiId=api, stage="v1")
    return f"/_aws/execute-api/{api}/v1/"


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://evil.example"}, {"Authorization": "Bearer x"}], ids=str)
def test_an_api_is_open_to_pages_and_programs(emulator: Emulator, api_path: str, headers: dict[str, str]) -> None:
    answer = send(emulator, "GET", api_path, **headers)
    assert (answer.status, answer.json()) == (200, "hello")
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_an_api_answers_for_a_method_that_it_does_not_have(emulator: Emulator, api_path: str) -> None:
    answer = send(emulator, "POST", api_path)
    assert (answer.status, answer.json()["message"]) == (403, "Missing Authentication Token")


def test_an_api_answers_under_its_custom_domain_only_there(emulator: Emulator, api_path: str) -> None:
    assert send(emulator, "GET", "/v1/", Host=CUSTOM_DOMAIN).json() == "hello"
    assert send(emulator, "GET", f"/v1/?{urllib.parse.quote(api_path)}", Host="evil.example").status == 421
    assert send(emulator, "GET", api_path, Host="evil.example").status == 421
    assert send(emulator, "GET", "/2015-03-31/functions", Host=CUSTOM_DOMAIN).status == 421
    assert send(emulator, "POST", "/_ministack/reset", Host=CUSTOM_DOMAIN).status == 421


# -- hosts and pages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [HEALTH_PATH, "/", "/a-bucket", "/2015-03-31/functions"])
def test_another_host_is_refused(emulator: Emulator, path: str) -> None:
    answer = send(emulator, "GET", path, Host="evil.example")
    assert (answer.status, "this is a local stack" in answer.json()["message"]) == (421, True)


def test_two_hosts_are_refused(emulator: Emulator) -> None:
    headers = urllib3.HTTPHeaderDict([("Host", "127.0.0.1"), ("Host", "evil.example")])
    assert urllib3.request("GET", emulator.url + HEALTH_PATH, headers=headers).status in {400, 421}


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:9"}]
    + [{"Sec_Fetch_Site": site, "Sec_Fetch_Mode": "no-cors"} for site in ("cross-site", "same-site")],
    ids=str,
)
def test_a_page_of_another_origin_is_refused(emulator: Emulator, method: str, headers: dict[str, str]) -> None:
    for path in (HEALTH_PATH, "/", "/2015-03-31/functions"):
        answer = send(emulator, method, path, **headers)
        assert (answer.status, answer.json()["message"]) == (403, "Only pages of this origin may call it")
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_signed_request_of_another_origin_is_refused(emulator: Emulator) -> None:
    client = emulator.client("sts")
    url = client.generate_presigned_url("get_caller_identity", HttpMethod="GET")
    assert urllib3.request("GET", url).status == 200
    assert urllib3.request("GET", url, headers={"Origin": "http://evil.example"}).status == 403
