"""A deployment of which every assumption holds, in memory. Tests break one thing of it at a time."""

import json
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from types import SimpleNamespace
from typing import Any, Final

import jwt

from functions.shared.clock import iso_timestamp
from functions.shared.contract import (
    AUTHORIZER_FUNCTION,
    DISABLE,
    ENDPOINTS,
    EVENT_SOURCE,
    JWKS,
    METRICS_NAMESPACE,
    OPENID_CONFIGURATION,
    PROOF_KMS_ALGORITHM,
    SECRET_PURPOSE,
    SECURITY_EVENTS_FUNCTION,
    SETUP_METRICS,
    SIGNING_KEYS_FUNCTION,
    STATUS,
    UNAUTHORIZED_MESSAGE,
    ErrorCode,
    Metric,
    SecurityEventType,
    lambda_name,
    metric_dimensions,
)
from infra.outputs import VERSION_TAG, Output, StackId, stack_name
from infra.project import VERSION
from tests.acceptance.checks.http import ATTACK, TOO_LARGE_BYTES
from tests.acceptance.checks.masking import SECRETS
from tests.acceptance.deployment import Deployment, Patience
from tests.support.least_privilege import MAY, MAY_ON_PROOF_KEYS
from tests.support.stack import HttpResponse
from tests.support.tokens import SigningKey, rsa_key

ENVIRONMENT: Final = "dev"
USER: Final = "user-1"
ORIGINS: Final = ("https://app.example", "https://admin.example")
KEY: Final = "arn:aws:kms:us-east-1:123456789012:key/k"
TABLE: Final = "mfa-dev-users"
TOPIC: Final = "arn:aws:sns:us-east-1:123456789012:mfa-dev-alerts"
PROOF_KEY: Final = "arn:aws:kms:us-east-1:123456789012:key/proof"
PROOF_ISSUER: Final = "https://api.example/v1"
FOLDERS: Final = (
    *(each.function for each in ENDPOINTS),
    *(AUTHORIZER_FUNCTION, SECURITY_EVENTS_FUNCTION, SIGNING_KEYS_FUNCTION),
)

type Described = dict[str, Any]


@dataclass
class SentRequest:
    """A request to the API."""

    method: str
    path: str
    token: str | None
    headers: Mapping[str, str]
    content: bytes


def token(**claims: Any) -> str:
    """Return an unsigned token."""
    return jwt.encode({"sub": USER, **claims}, "", algorithm="none")


@dataclass
class FakeDeployment:
    """The API and the AWS services behind it."""

    #: Change a response before the caller gets it, and a line before it is in its log group.
    answered: Callable[[SentRequest, HttpResponse], HttpResponse] = lambda _request, answer: answer
    written: Callable[[str, str], str] = lambda _group, line: line
    token: str = field(default_factory=lambda: token(exp=time.time() + 86_400))
    slept: float = 0
    events: list[str] = field(default_factory=lambda: list(SecurityEventType))
    queues: dict[str, list[str]] = field(default_factory=dict)
    left_behind: set[str] = field(default_factory=set)  # created and not yet deleted
    lines: dict[str, list[str]] = field(default_factory=dict)
    functions: dict[str, Described] = field(init=False)
    outputs: dict[StackId, dict[str, str]] = field(init=False)
    public: dict[str, Described] = field(init=False)
    proof_claims: Described = field(default_factory=dict)
    signing_key: SigningKey = field(default_factory=lambda: rsa_key("proof"))
    tags: dict[str, str] = field(default_factory=lambda: {VERSION_TAG: VERSION})
    quota: int = 1000
    release: Described = field(default_factory=lambda: {"lastAttemptedDeployment": {"status": "Succeeded"}})
    replicas: list[Described] = field(default_factory=lambda: [{"RegionName": "us-west-2", "ReplicaStatus": "ACTIVE"}])
    may: dict[str, set[str]] = field(default_factory=lambda: {name: set(each) for name, each in MAY.items()})
    may_on_proof_keys: dict[str, set[str]] = field(
        default_factory=lambda: {name: set(each) for name, each in MAY_ON_PROOF_KEYS.items()}
    )
    may_anyway: set[str] = field(default_factory=set)  # without the right condition
    alarms: list[Described] = field(init=False)
    datapoints: bool = False
    delivers_alarms: bool = True
    subscription: str = "arn:aws:sns:us-east-1:123456789012:mfa-dev-alerts:1"
    metrics: list[Described] = field(init=False)
    masks: bool = True
    counted_under: tuple[str, ...] = ("LogGroupName", "DataProtectionOperation")

    def __post_init__(self) -> None:
        self.functions = {folder: _function(folder) for folder in FOLDERS}
        self.public = {
            OPENID_CONFIGURATION.path: {"issuer": PROOF_ISSUER, "jwks_uri": f"{PROOF_ISSUER}{JWKS.path}"},
            JWKS.path: {"keys": [self.signing_key.jwk]},
        }
        reports = [
            "REPORT RequestId: 1\tDuration: 20.50 ms\tMemory Size: 1024 MB\tRestore Duration: 400.25 ms\t\n",
            "REPORT RequestId: 2\tDuration: 4.10 ms\tMemory Size: 1024 MB\t\n",
        ]
        self.lines[f"/aws/lambda/{lambda_name(STATUS.function, ENVIRONMENT)}"] = reports
        self.outputs = {
            StackId.DATA: {Output.TABLE_NAME: TABLE, Output.KEY_ARN: KEY},
            StackId.IDENTITY: {Output.ISSUER: "https://issuer.example", Output.CLIENT_ID: "client"},
            StackId.SERVICE: {Output.VERSION: VERSION},
        }
        counted = [SETUP_METRICS.attempts, SETUP_METRICS.errors, Metric.CONFLICTS]
        self.alarms = [_alarm("conflicts-surge", METRICS_NAMESPACE, counted, metric_dimensions(ENVIRONMENT))]
        self.metrics = [_metric(METRICS_NAMESPACE, SETUP_METRICS.attempts, metric_dimensions(ENVIRONMENT))]
        for key, namespace, name, dimensions in (
            ("account-concurrency", "AWS/Lambda", "ClaimedAccountConcurrency", {}),
            ("api", "AWS/ApiGateway", "5XXError", {"ApiName": "mfa-dev"}),
            ("table", "AWS/DynamoDB", "ConsumedReadCapacityUnits", {"TableName": TABLE}),
            ("key", "AWS/KMS", "SuccessfulRequest", {"KeyArn": KEY, "Operation": "Decrypt"}),
            ("queue", "AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "letters"}),
        ):
            self.alarms.append(_alarm(key, namespace, [name], dimensions))
            self.metrics.append(_metric(namespace, name, dimensions))
        # The list of metrics has none of AWS/Logs before something was masked.
        masked = {"LogGroupName": "group", "DataProtectionOperation": "Audit"}
        self.alarms.append(_alarm("secret-in-logs", "AWS/Logs", ["LogEventsWithFindings"], masked))

    def deployment(self, **options: Any) -> Deployment:
        """Return what the checks use."""
        found = _WithoutJourney(
            ENVIRONMENT,
            self,  # type: ignore[arg-type] # has the one method of the API's client that checks use
            self.token,
            self.client,
            sleep=self._sleep,
            patience=Patience(messages=10, metrics=10),
            **options,
        )
        found.made, found.signed = self._emit, self._proof
        return found

    def alarm(self, key: str) -> Described:
        """Return an alarm by its key."""
        return next(each for each in self.alarms if each["AlarmName"] == f"mfa-{ENVIRONMENT}-{key}")

    def client(self, service: str) -> Any:
        """Return a client of a service, with the calls that the checks make."""
        return getattr(self, f"_{service.replace('-', '_')}")()

    def _sleep(self, seconds: float) -> None:
        self.slept += seconds

    # -- the API

    def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        """HttpResponse as the deployed API does."""
        sent = SentRequest(method, path, token, headers or {}, content or json.dumps(body).encode())
        if path in self.public:
            found = {"Cache-Control": "public, max-age=3600", "Access-Control-Allow-Origin": "*"}
            return self.answered(sent, HttpResponse(200, found, json.dumps(self.public[path]).encode()))
        request_id = str(uuid.uuid4())
        status, error = self._outcome(sent)
        said: Described = {"enabled": False}
        if error is not None:
            message = UNAUTHORIZED_MESSAGE if error is ErrorCode.UNAUTHORIZED else "message"
            said = {"error": error, "message": message, "request_id": request_id}
            said["timestamp"] = iso_timestamp(time.time())
        origin = sent.headers.get("Origin")
        response = {
            "Cache-Control": "no-store",
            "Access-Control-Allow-Origin": origin if origin in ORIGINS else ORIGINS[0],
            "Access-Control-Allow-Methods": f"{','.join(each.method for each in ENDPOINTS)},OPTIONS",
            "Access-Control-Allow-Headers": "Authorization,Content-Type",
        }
        if status == 401:
            response["WWW-Authenticate"] = "Bearer"
        agent = sent.headers.get("User-Agent", "urllib3")
        line = {"request_id": request_id, "version": VERSION}
        self._log(f"/aws/lambda/{lambda_name(DISABLE.function, ENVIRONMENT)}", json.dumps(line))
        self._log(
            f"/aws/apigateway/mfa-{ENVIRONMENT}",
            json.dumps(line | {"user_agent": agent, "extended_request_id": "extended"}),
        )
        return self.answered(sent, HttpResponse(status, response, json.dumps(said).encode()))

    def _outcome(self, sent: SentRequest) -> tuple[int, ErrorCode | None]:
        route = next((each for each in ENDPOINTS if each.path == sent.path), None)
        if sent.method == "OPTIONS":
            text = sent.headers.get("Content-Type") == "text/plain"
            return (415, ErrorCode.UNSUPPORTED_MEDIA_TYPE) if text else (204, None)
        if sent.headers.items() >= ATTACK.items():
            return 403, ErrorCode.FORBIDDEN
        if route is None or route.method != sent.method:
            return 404, ErrorCode.NOT_FOUND
        if sent.token != self.token:
            return 401, ErrorCode.UNAUTHORIZED
        if len(sent.content) >= TOO_LARGE_BYTES:
            return 413, ErrorCode.PAYLOAD_TOO_LARGE
        if sent.content.startswith((b"<", b"x")):
            return 400, ErrorCode.VALIDATION_ERROR
        return (200, None) if route is STATUS else (409, ErrorCode.MFA_NOT_ENABLED)

    def _log(self, group: str, line: str) -> None:
        self.lines.setdefault(group, []).append(self.written(group, line))

    # -- the services

    def _lambda(self) -> Any:
        def configuration(*, FunctionName: str, Qualifier: str) -> Described:  # noqa: N803 - names of AWS
            assert Qualifier == "live"
            named = {each["FunctionArn"].split(":")[-2]: each for each in self.functions.values()}
            return named[FunctionName]

        return SimpleNamespace(
            get_function_configuration=configuration,
            list_tags=lambda **_options: {"Tags": self.tags},
            get_account_settings=lambda: {"AccountLimit": {"ConcurrentExecutions": self.quota}},
            exceptions=SimpleNamespace(ResourceNotFoundException=KeyError),
        )

    def _cloudformation(self) -> Any:
        stacks = [
            {
                "StackName": stack_name(ENVIRONMENT, stack),
                "Outputs": [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items()],
            }
            for stack, outputs in self.outputs.items()
        ]
        return _paginated(describe_stacks=lambda: {"Stacks": stacks})

    def _codedeploy(self) -> Any:
        return SimpleNamespace(
            list_applications=lambda: {"applications": [f"mfa-{ENVIRONMENT}"]},
            get_deployment_group=lambda **_options: {"deploymentGroupInfo": self.release},
        )

    def _dynamodb(self) -> Any:
        return SimpleNamespace(describe_table=lambda **_options: {"Table": {"Replicas": self.replicas}})

    def _wafv2(self) -> Any:
        return SimpleNamespace(list_web_acls=lambda **_options: {"WebACLs": [{"Name": f"mfa-{ENVIRONMENT}"}]})

    def _logs(self) -> Any:
        def lines(group: str) -> list[Described]:
            found = self.lines.get(group, [])
            if group.startswith("/mfa/") and self.masks:
                found = [re.sub("|".join(map(re.escape, SECRETS)), "***", line) for line in found]
            return [{"message": line} for line in found]

        def filtered(*, logGroupName: str, filterPattern: str, startTime: int) -> Described:  # noqa: N803
            wanted = filterPattern.strip('"')
            return {"events": [each for each in lines(logGroupName) if wanted in each["message"]]}

        def put(*, logGroupName: str, logStreamName: str, logEvents: list[Described]) -> None:  # noqa: N803
            assert logGroupName in self.left_behind, "only a temporary log group may be written to"
            self._log(logGroupName, logEvents[0]["message"])
            values = {"LogGroupName": logGroupName}
            dimensions = {name: values.get(name, "Audit") for name in self.counted_under}
            self.metrics.append(_metric("AWS/Logs", "LogEventsWithFindings", dimensions))

        return _paginated(
            filter_log_events=filtered,
            describe_log_streams=lambda **_options: {"logStreams": [{"logStreamName": "2026/11/27/[3]abc"}]},
            get_log_events=lambda logGroupName, **_options: {"events": lines(logGroupName)},  # noqa: N803
            get_data_protection_policy=lambda **_options: {"policyDocument": "{}"},
            put_data_protection_policy=lambda **_options: None,
            create_log_stream=lambda **_options: None,
            create_log_group=lambda logGroupName: self.left_behind.add(logGroupName),  # noqa: N803
            delete_log_group=lambda logGroupName: self.left_behind.remove(logGroupName),  # noqa: N803
            put_log_events=put,
        )

    def _cloudwatch(self) -> Any:
        def metrics(**wanted: str) -> Described:
            return {"Metrics": [each for each in self.metrics if each.items() >= wanted.items()]}

        def set_state(*, AlarmName: str, StateValue: str, StateReason: str) -> Described:  # noqa: N803
            assert "test" in StateReason
            next(each for each in self.alarms if each["AlarmName"] == AlarmName)["StateValue"] = StateValue
            if self.delivers_alarms:
                message = json.dumps({"AlarmName": AlarmName, "NewStateValue": StateValue})
                self._deliver(json.dumps({"Message": message}))
            return {}

        datapoints: Described = {"Datapoints": [{}] if self.datapoints else []}
        return _paginated(
            describe_alarms=lambda **_options: {"MetricAlarms": self.alarms, "CompositeAlarms": []},
            list_metrics=metrics,
            list_dashboards=lambda **_options: {"DashboardEntries": []},
            get_metric_statistics=lambda **_options: datapoints,
            set_alarm_state=set_state,
        )

    def _sqs(self) -> Any:
        def create(*, QueueName: str) -> Described:  # noqa: N803
            self.left_behind.add(QueueName)
            self.queues[QueueName] = []
            return {"QueueUrl": QueueName}

        def receive(*, QueueUrl: str, **_options: int) -> Described:  # noqa: N803
            bodies, self.queues[QueueUrl] = self.queues[QueueUrl], []
            return {"Messages": [{"Body": body, "ReceiptHandle": "1"} for body in bodies]}

        return SimpleNamespace(
            create_queue=create,
            get_queue_url=lambda QueueName: {"QueueUrl": QueueName},  # noqa: N803
            get_queue_attributes=lambda **_options: {"Attributes": {"QueueArn": "arn:aws:sqs:::queue"}},
            set_queue_attributes=lambda **_options: None,
            receive_message=receive,
            delete_message=lambda **_options: None,
            delete_queue=lambda QueueUrl: self.left_behind.remove(QueueUrl),  # noqa: N803
        )

    def _sns(self) -> Any:
        described = {"Protocol": "email", "Endpoint": "team@example.com", "SubscriptionArn": self.subscription}
        return SimpleNamespace(
            subscribe=lambda **_options: {"SubscriptionArn": self._left("subscription")},
            unsubscribe=lambda SubscriptionArn: self.left_behind.remove(SubscriptionArn),  # noqa: N803
            list_subscriptions_by_topic=lambda **_options: {"Subscriptions": [described]},
        )

    def _events(self) -> Any:
        return SimpleNamespace(
            put_rule=lambda **_options: {"RuleArn": self._left("rule")},
            put_targets=lambda **_options: self.left_behind.add("target"),
            remove_targets=lambda **_options: self.left_behind.remove("target"),
            delete_rule=lambda **_options: self.left_behind.remove("rule"),
        )

    def _iam(self) -> Any:
        def simulate(**sent: Any) -> Described:
            folder, (resource,) = sent["PolicySourceArn"].rpartition("/")[2], sent["ResourceArns"]
            values = [value for each in sent["ContextEntries"] for value in each["ContextKeyValues"]]
            granted = self._granted(folder, resource, values)
            decisions = {name: "allowed" if name in granted else "implicitDeny" for name in sent["ActionNames"]}
            results = [{"EvalActionName": name, "EvalDecision": decision} for name, decision in decisions.items()]
            return {"EvaluationResults": results}

        return SimpleNamespace(simulate_principal_policy=simulate)

    def _granted(self, folder: str, resource: str, values: list[str]) -> set[str]:
        """Return what a role may do on a resource, under the values of the condition keys."""
        if resource == PROOF_KEY:
            granted = self.may_on_proof_keys.get(folder, set())
            return granted if values == [PROOF_KMS_ALGORITHM] else granted - ({"kms:Sign"} - self.may_anyway)
        own = (f"*:table/{TABLE}", KEY, f"*/{lambda_name(folder, ENVIRONMENT)}:*", "*:sqs:*", "*:event-bus/default")
        granted = self.may[folder] if any(fnmatchcase(resource, each) for each in own) else set()
        fits = all(value == SECRET_PURPOSE or value.startswith("USER#") for value in values)
        return granted if fits else granted & self.may_anyway

    def _proof(self) -> str:
        now = int(time.time())
        claims = {"iss": PROOF_ISSUER, "aud": "payments", "sub": USER, "iat": now, "exp": now + 300}
        return self.signing_key.token(claims | self.proof_claims)

    def _left(self, name: str) -> str:
        self.left_behind.add(name)
        return name

    def _emit(self) -> None:
        for kind in self.events:
            detail = {"user_id": USER, "environment": ENVIRONMENT}
            self._deliver(json.dumps({"source": EVENT_SOURCE, "detail-type": kind, "detail": detail}))

    def _deliver(self, body: str) -> None:
        for messages in self.queues.values():
            messages.append(body)


class _WithoutJourney(Deployment):
    """A deployment whose journey only causes the events."""

    made: Callable[[], None]
    signed: Callable[[], str]

    def journey(self) -> None:
        self.made()

    def proof(self) -> str:
        return self.signed()


def _function(folder: str) -> Described:
    name = lambda_name(folder, ENVIRONMENT)
    return {
        "FunctionArn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}:live",
        "Role": f"arn:aws:iam::123456789012:role/{folder}",
        "Version": "3",
        "SnapStart": {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"},
        "Environment": {
            "Variables": {
                "USERS_TABLE_NAME": TABLE,
                "MFA_ENCRYPTION_KEY": KEY,
                "JWT_ISSUER": "https://issuer.example",
                "JWT_AUDIENCE": "client",
                "CORS_ALLOWED_ORIGINS": ",".join(ORIGINS),
                "EVENT_BUS_NAME": "default",
                "PROOF_AUDIENCE": "payments",
                "PROOF_ISSUER": PROOF_ISSUER,
                "PROOF_KEYS": PROOF_KEY,
            }
        },
    }


def _alarm(key: str, namespace: str, names: list[str], dimensions: Mapping[str, str]) -> Described:
    return {
        "AlarmName": f"mfa-{ENVIRONMENT}-{key}",
        "AlarmActions": [TOPIC],
        "AlarmConfigurationUpdatedTimestamp": datetime.now(UTC),
        "StateValue": "OK",
        "Threshold": 800.0,
        "Metrics": [{"MetricStat": {"Metric": _metric(namespace, name, dimensions)}} for name in names],
    }


def _metric(namespace: str, name: str, dimensions: Mapping[str, str]) -> Described:
    described = [{"Name": each, "Value": value} for each, value in dimensions.items()]
    return {"Namespace": namespace, "MetricName": name, "Dimensions": described}


def _paginated(**calls: Callable[..., Any]) -> Any:
    """Return a client whose calls can also be paginated."""

    def paginator(name: str) -> Any:
        def paginate(**options: Any) -> Iterator[Described]:
            yield calls[name](**options)

        return SimpleNamespace(paginate=paginate)

    return SimpleNamespace(get_paginator=paginator, **calls)
