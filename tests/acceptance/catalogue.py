"""The assumptions about AWS: what only a deployment can prove."""

from collections.abc import Iterator
from typing import Final

from functions.shared.contract import METRICS_NAMESPACE
from tests.acceptance.checks import alarms, events, functions, http, logs, masking, metrics, proof, roles
from tests.acceptance.model import Assumption

_AWS: Final = "https://docs.aws.amazon.com"
_GATEWAY: Final = f"{_AWS}/apigateway/latest/developerguide"
_LAMBDA: Final = f"{_AWS}/lambda/latest/dg"
_CLOUDWATCH: Final = f"{_AWS}/AmazonCloudWatch/latest"
_IAM: Final = f"{_AWS}/IAM/latest/UserGuide"

_ACCESS_LOG: Final = "no access log is written"
_SNAPSHOT: Final = "no snapshot is made"

#: The page that lists the metrics of each namespace, with their dimensions.
NAMESPACES: Final = {
    METRICS_NAMESPACE: f"{_CLOUDWATCH}/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html",
    "AWS/ApiGateway": f"{_GATEWAY}/api-gateway-metrics-and-dimensions.html",
    "AWS/Lambda": f"{_LAMBDA}/monitoring-metrics-types.html",
    "AWS/DynamoDB": f"{_AWS}/amazondynamodb/latest/developerguide/metrics-dimensions.html",
    "AWS/KMS": f"{_AWS}/kms/latest/developerguide/monitoring-cloudwatch.html",
    "AWS/SQS": f"{_AWS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html",
}
#: `masking/counted` covers the one metric of this namespace, which exists only after something was masked.
COVERED_ELSEWHERE: Final = frozenset({"AWS/Logs"})
#: Namespaces of which the local stack publishes nothing.
_ONLY_ON_AWS: Final = frozenset({"AWS/DynamoDB", "AWS/KMS", "AWS/SQS"})


def _http() -> Iterator[Assumption]:
    yield Assumption(
        key="http/without-token",
        assumed="A Deny without a token becomes the 401 of the contract: body, WWW-Authenticate and CORS headers.",
        source=f"{_GATEWAY}/supported-gateway-response-types.html",
        check=http.refused_without_token,
        remedy="ACCESS_DENIED in infra/constructs/gateway_responses.py, and docs/api.md if AWS cannot send it.",
    )
    yield Assumption(
        key="http/invalid-token",
        assumed="A Deny for an invalid token becomes the same 401, with the authorizer's time.",
        source=f"{_GATEWAY}/supported-gateway-response-types.html",
        check=http.refused_with_invalid_token,
        remedy="ACCESS_DENIED in infra/constructs/gateway_responses.py; the context in functions/jwt_authorizer.",
    )
    yield Assumption(
        key="http/unknown-routes",
        assumed="An unknown path or method gets the contract's 404, also with a token, which is not an AWS signature.",
        source=f"{_GATEWAY}/supported-gateway-response-types.html",
        check=http.unknown_paths_and_methods,
        remedy="The response types with _NO_ROUTE in infra/constructs/gateway_responses.py.",
    )
    yield Assumption(
        key="http/too-large",
        assumed="A body above API Gateway's limit of 10 MB gets the contract's 413. One above Lambda's gets no 5xx.",
        source=f"{_GATEWAY}/api-gateway-execution-service-limits-table.html",
        check=http.too_large,
        remedy="REQUEST_TOO_LARGE in infra/constructs/gateway_responses.py, and docs/api.md.",
    )
    yield Assumption(
        key="http/media-types",
        assumed="A body of another media type gets an error of the contract: the function's 400, or a 415.",
        source=f"{_GATEWAY}/integration-passthrough-behaviors.html",
        check=http.other_media_types,
        remedy="UNSUPPORTED_MEDIA_TYPE in infra/constructs/gateway_responses.py, and docs/api.md.",
    )
    yield Assumption(
        key="http/preflights",
        assumed="Each configured origin may call every route, and another origin may not. No preflight is a 5xx.",
        source=f"{_GATEWAY}/how-to-cors.html",
        check=http.preflights,
        remedy="_allow_preflight in infra/constructs/api.py.",
    )
    yield Assumption(
        key="http/firewall",
        assumed="A request that the firewall blocks gets the 403 of the contract.",
        source=f"{_AWS}/waf/latest/developerguide/aws-managed-rule-groups-baseline.html",
        check=http.known_attacks,
        remedy="WAF_FILTERED in infra/constructs/gateway_responses.py; the rules in infra/constructs/firewall.py.",
        only_on_aws="no request is blocked",
    )


def _functions() -> Iterator[Assumption]:
    yield Assumption(
        key="functions/version",
        assumed="The deployment is of the version of this checkout, so that the list applies to it.",
        source=f"{_AWS}/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html",
        check=functions.this_version,
        remedy="Run the checks of the commit that is deployed.",
    )
    yield Assumption(
        key="functions/tags",
        assumed="CloudFormation gives the tags of a stack to its resources.",
        source=f"{_AWS}/AWSCloudFormation/latest/TemplateReference/aws-properties-resource-tags.html",
        check=functions.tags,
        remedy="Add the tag with Tags.of in infra/stage.py.",
        only_on_aws="the tags of a stack are not given to its resources",
    )
    yield Assumption(
        key="functions/present-resources",
        assumed="The functions use the current table, key and pool, also after one was replaced.",
        source=f"{_AWS}/cdk/v2/guide/resources.html",
        check=functions.present_resources,
        remedy="Deploy the service stack with --force; the references between stacks in infra/stacks.",
    )
    yield Assumption(
        key="functions/snapshots",
        assumed="SnapStart is on for the version behind each alias.",
        source=f"{_LAMBDA}/snapstart.html",
        check=functions.snapshots,
        remedy="snap_start in infra/config, and docs/performance.md and the costs in docs/deploy.md.",
        only_on_aws=_SNAPSHOT,
    )
    yield Assumption(
        key="functions/first-requests",
        assumed="The first request of a restored environment is faster than the threshold of the latency alarm.",
        source=f"{_LAMBDA}/snapstart-monitoring.html",
        check=functions.first_requests,
        remedy="memory_mb or snap_start in infra/config, and docs/performance.md.",
        only_on_aws=_SNAPSHOT,
    )
    yield Assumption(
        key="functions/releases",
        assumed="CodeDeploy shifts the traffic of each function to its new version, and completes.",
        source=f"{_AWS}/codedeploy/latest/userguide/deployment-steps-lambda.html",
        check=functions.releases,
        remedy="infra/constructs/release.py; its alarms if they stopped a release without a fault.",
        only_on_aws="an alias moves to the new version at once",
    )
    yield Assumption(
        key="functions/replicas",
        assumed="The table has an active replica in every replica region.",
        source=f"{_AWS}/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html",
        check=functions.replicas,
        remedy="infra/constructs/users_table.py; add one region in each deployment.",
        only_on_aws="only one region",
    )
    yield Assumption(
        key="functions/concurrency",
        assumed="The account's quota of concurrent executions is above the alarm's threshold, so the alarm can fire.",
        source=f"{_LAMBDA}/gettingstarted-limits.html",
        check=functions.concurrency,
        remedy="Request a higher quota (new accounts may have 10), or lower monitoring.thresholds.concurrency.",
        only_on_aws="there is no quota",
    )
    yield Assumption(
        key="functions/after-a-silence",
        assumed="Gateway, authorizer and functions answer as before after half an hour without a request.",
        source=f"{_LAMBDA}/lambda-runtime-environment.html",
        check=functions.after_a_silence,
        remedy="The ages in functions/jwt_authorizer/keys.py; the clients in functions/shared/aws.py.",
        long=True,
    )


def _logs() -> Iterator[Assumption]:
    yield Assumption(
        key="logs/version",
        assumed="Each line of a function has the deployed version.",
        source=f"{_LAMBDA}/configuration-envvars.html",
        check=logs.versions,
        remedy="SERVICE_VERSION in infra/constructs/function.py.",
    )
    yield Assumption(
        key="logs/request-id",
        assumed="Response and logs have the same request id; the access log has another one that no caller chooses.",
        source=f"{_GATEWAY}/api-gateway-variables-for-access-logging.html",
        check=logs.one_request_id,
        remedy="_ACCESS_LOG in infra/constructs/api.py; the request id in functions/shared/http.py.",
        only_on_aws=_ACCESS_LOG,
    )
    yield Assumption(
        key="logs/quoted-user-agent",
        assumed="API Gateway escapes a quotation mark in a header, so that the access log stays valid JSON.",
        source=f"{_GATEWAY}/api-gateway-variables-for-access-logging.html",
        check=logs.quoted_user_agent,
        remedy="Take user_agent out of _ACCESS_LOG in infra/constructs/api.py.",
        only_on_aws=_ACCESS_LOG,
    )
    yield Assumption(
        key="logs/masking",
        assumed="Data protection masks a secret in a log group, and counts it under the dimensions of its alarm.",
        source=f"{_AWS}/AmazonCloudWatch/latest/logs/mask-sensitive-log-data.html",
        check=masking.masked_and_counted,
        remedy="masked_log_events in infra/monitoring/resources.py; infra/constructs/log_protection.py.",
        only_on_aws="nothing is masked",
    )


def _events_and_roles() -> Iterator[Assumption]:
    yield Assumption(
        key="events/arrive",
        assumed="The events of a user's enrolment, logins and end of MFA arrive on the bus.",
        source=f"{_LAMBDA}/with-ddb.html",
        check=events.arrive,
        remedy="infra/constructs/security_events.py, and the role of security_events in infra/permissions.py.",
    )
    simulator = f"{_IAM}/access_policies_testing-policies.html"
    yield Assumption(
        key="roles/table",
        assumed="Each role may do on the users' table what the design lists, and nothing on other tables.",
        source=simulator,
        check=roles.on_the_table,
        remedy="infra/permissions.py.",
    )
    yield Assumption(
        key="roles/items",
        assumed="No role may touch an item of the users' table that is not this service's.",
        source=f"{_AWS}/amazondynamodb/latest/developerguide/specifying-conditions.html",
        check=roles.on_other_items,
        remedy="The conditions in infra/permissions.py.",
        only_on_aws="the emulated simulator ignores condition keys",
    )
    yield Assumption(
        key="roles/key",
        assumed="Each role may use the secret key as the design lists, and only for the purpose of the secrets.",
        source=simulator,
        check=roles.on_the_key,
        remedy="infra/permissions.py, and the conditions in infra/constructs/secret_key.py.",
        only_on_aws="the emulated simulator ignores condition keys",
    )
    yield Assumption(
        key="roles/proof-keys",
        assumed="Only verify and verify-setup may sign with the proof's keys, by one algorithm.",
        source=f"{_AWS}/kms/latest/developerguide/conditions-kms.html",
        check=roles.on_the_proof_keys,
        remedy="infra/permissions.py, and the policy in infra/constructs/signing_key.py.",
        only_on_aws="the emulated simulator ignores condition keys",
    )
    yield Assumption(
        key="roles/elsewhere",
        assumed="No role may touch another function's log group, code, roles or messages.",
        source=simulator,
        check=roles.elsewhere,
        remedy="infra/permissions.py.",
    )


def _proof() -> Iterator[Assumption]:
    yield Assumption(
        key="proof/keys",
        assumed="The issuer's metadata and its RSA keys can be read without a token, from any origin, and be cached.",
        source=f"{_GATEWAY}/http-api-jwt-authorizer.html",
        check=proof.published_keys,
        remedy="functions/signing_keys, and the public routes in infra/constructs/api.py.",
    )
    yield Assumption(
        key="proof/verifies",
        assumed="A proof that KMS signed verifies with the published keys.",
        source=f"{_AWS}/kms/latest/APIReference/API_Sign.html",
        check=proof.verifies,
        remedy="functions/shared/proof.py and functions/shared/signing.py.",
    )


def _alarms_and_metrics() -> Iterator[Assumption]:
    yield Assumption(
        key="alarms/evaluated",
        assumed="Every alarm is evaluated: missing data counts as no traffic.",
        source=f"{_CLOUDWATCH}/monitoring/alarms-and-missing-data.html",
        check=alarms.evaluated,
        remedy="The rule in infra/monitoring/rules, or its treatment of missing data.",
    )
    yield Assumption(
        key="alarms/message",
        assumed="An alarm's message passes the encrypted topic.",
        source=f"{_AWS}/sns/latest/dg/sns-key-management.html",
        check=alarms.reach_the_topic,
        remedy="The policies of topic and key in infra/monitoring/topics.py.",
    )
    yield Assumption(
        key="alarms/subscriptions",
        assumed="Every subscriber has confirmed the subscription.",
        source=f"{_AWS}/sns/latest/dg/sns-email-notifications.html",
        check=alarms.subscriptions_are_confirmed,
        remedy="Confirm the subscription by the link in AWS's e-mail.",
    )
    for namespace, source in NAMESPACES.items():
        yield Assumption(
            key=f"metrics/{namespace}",
            assumed=f"{namespace} has every metric that an alarm or dashboard reads, under exactly these dimensions.",
            source=source,
            check=metrics.published(namespace),
            remedy="The name or dimensions in infra/monitoring/resources.py.",
            only_on_aws="the local stack publishes none of them" if namespace in _ONLY_ON_AWS else "",
        )


#: Every assumption, in the order of the checks: those of the log lines and events before those that wait for metrics.
ASSUMPTIONS: Final = (*_http(), *_functions(), *_logs(), *_events_and_roles(), *_proof(), *_alarms_and_metrics())
