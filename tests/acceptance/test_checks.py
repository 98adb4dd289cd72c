"""Every check holds on a deployment that is as assumed, and finds one that is not."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from functions.shared.contract import (
    JWKS,
    OPENID_CONFIGURATION,
    SECURITY_EVENTS_FUNCTION,
    SETUP_METRICS,
    SIGNING_KEYS_FUNCTION,
)
from infra.outputs import VERSION_TAG, Output, StackId
from tests.acceptance.catalogue import ASSUMPTIONS
from tests.acceptance.checks.http import ATTACK, FOREIGN_ORIGIN, TOO_LARGE_BYTES, TOO_LARGE_FOR_LAMBDA_BYTES
from tests.acceptance.checks.masking import masked_and_counted
from tests.acceptance.examine import examine
from tests.acceptance.fake_deployment import KEY, FakeDeployment, SentRequest, token
from tests.acceptance.model import Assumption, Result, Verdict
from tests.support.stack import HttpResponse
from tests.support.tokens import SigningKey, rsa_key

type Break = Callable[[FakeDeployment], object]


def result_of(fake: FakeDeployment, assumption: Assumption, **options: Any) -> Result:
    (result,) = examine(fake.deployment(**options), [assumption], long=True)
    return result


@pytest.mark.parametrize("assumption", ASSUMPTIONS, ids=lambda assumption: assumption.key)
def test_holds_on_a_deployment_as_assumed_and_leaves_nothing_behind(assumption: Assumption) -> None:
    fake = FakeDeployment()

    result = result_of(fake, assumption)

    assert (result.verdict, fake.left_behind) == (Verdict.HOLDS, set()), result.detail
    assert {alarm["StateValue"] for alarm in fake.alarms} == {"OK"}


# -- what breaks the API


def with_status(status: int, when: Callable[[SentRequest], bool]) -> Break:
    return changed(lambda answer: HttpResponse(status, answer.headers, answer.content), when)


def with_header(name: str, value: str | None, when: Callable[[SentRequest], bool]) -> Break:
    def change(answer: HttpResponse) -> HttpResponse:
        headers = {key: each for key, each in answer.headers.items() if key != name}
        return HttpResponse(answer.status, headers | ({} if value is None else {name: value}), answer.content)

    return changed(change, when)


def with_body(when: Callable[[SentRequest], bool], **members: str) -> Break:
    return changed(
        lambda answer: HttpResponse(answer.status, answer.headers, json.dumps(answer.json() | members).encode()), when
    )


def without_json(when: Callable[[SentRequest], bool]) -> Break:
    return changed(lambda answer: HttpResponse(answer.status, answer.headers, b"<html>"), when)


def changed(change: Callable[[HttpResponse], HttpResponse], when: Callable[[SentRequest], bool]) -> Break:
    def breaks(fake: FakeDeployment) -> None:
        fake.answered = lambda request, answer: change(answer) if when(request) else answer

    return breaks


def sets(**attributes: object) -> Break:
    def breaks(fake: FakeDeployment) -> None:
        for name, value in attributes.items():
            setattr(fake, name, value)

    return breaks


def no_token(request: SentRequest) -> bool:
    return request.token is None and request.method != "OPTIONS"


def bad_token(request: SentRequest) -> bool:
    return request.token == "not-a-token"


def public(request: SentRequest) -> bool:
    return request.path in (OPENID_CONFIGURATION.path, JWKS.path)


def any_request(_request: SentRequest) -> bool:
    return True


# -- what breaks AWS


def line(group: str, change: Callable[[str], str]) -> Break:
    """Change each line of the log groups whose name contains a text."""

    return sets(written=lambda name, text: change(text) if group in name else text)


def without_snapshot(fake: FakeDeployment) -> None:
    fake.functions["verify_mfa"]["SnapStart"]["OptimizationStatus"] = "Off"


def an_old_key(fake: FakeDeployment) -> None:
    fake.outputs[StackId.DATA][Output.KEY_ARN] = KEY + "2"


def a_slow_start(fake: FakeDeployment) -> None:
    for lines in fake.lines.values():
        lines[0] = lines[0].replace("Restore Duration: 400.25", "Restore Duration: 4000.25")


def an_alarm_without_data(fake: FakeDeployment) -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    fake.alarms[0] |= {"StateValue": "INSUFFICIENT_DATA", "AlarmConfigurationUpdatedTimestamp": hour_ago}


def a_new_alarm_with_data(fake: FakeDeployment) -> None:
    fake.alarms[0]["StateValue"] = "INSUFFICIENT_DATA"
    fake.datapoints = True


def also(folder: str, action: str) -> Break:
    return lambda fake: fake.may[folder].add(action)


def no_longer(folder: str, action: str) -> Break:
    return lambda fake: fake.may[folder].remove(action)


def unpublished(namespace: str) -> Break:
    def breaks(fake: FakeDeployment) -> None:
        fake.metrics = [each for each in fake.metrics if each["Namespace"] != namespace]

    return breaks


def with_other_dimensions(namespace: str) -> Break:
    def breaks(fake: FakeDeployment) -> None:
        for each in fake.metrics:
            if each["Namespace"] == namespace:
                each["Dimensions"] = [{"Name": "Stage", "Value": "v1"}]

    return breaks


BREAKS: Final[dict[str, list[Break]]] = {
    "http/without-token": [
        with_status(403, no_token),
        with_header("WWW-Authenticate", None, no_token),
        with_header("Access-Control-Allow-Origin", "https://other.example", no_token),
        with_header("Cache-Control", None, no_token),
        with_body(no_token, timestamp="20/Jan/2024:10:00:00 +0000"),
        with_body(no_token, timestamp="2024-01-20T10:00:00Z"),
        with_body(no_token, message="Unauthorized"),
        with_body(no_token, extra="member"),
        without_json(no_token),
    ],
    "http/invalid-token": [with_status(403, bad_token), with_body(bad_token, error="FORBIDDEN")],
    "http/unknown-routes": [
        with_status(403, lambda request: request.method == "DELETE"),
        with_status(403, lambda request: request.path.endswith("/acceptance") and request.token is not None),
    ],
    "http/too-large": [
        with_status(500, lambda request: len(request.content) >= TOO_LARGE_BYTES),
        with_status(502, lambda request: len(request.content) == TOO_LARGE_FOR_LAMBDA_BYTES),
    ],
    "http/media-types": [with_status(502, any_request), without_json(any_request)],
    "http/preflights": [
        with_status(500, lambda request: request.method == "OPTIONS"),
        with_status(500, lambda request: request.headers.get("Content-Type") == "text/plain"),
        with_header("Access-Control-Allow-Origin", "*", lambda request: request.headers["Origin"] == FOREIGN_ORIGIN),
        with_header("Access-Control-Allow-Origin", "https://app.example", any_request),
        with_header("Access-Control-Allow-Methods", "OPTIONS", any_request),
        with_header("Access-Control-Allow-Headers", "Content-Type", any_request),
    ],
    "http/firewall": [with_status(200, lambda request: request.headers.items() >= ATTACK.items())],
    "functions/version": [lambda fake: fake.outputs[StackId.SERVICE].update({Output.VERSION: "0.0.1"})],
    "functions/tags": [sets(tags={}), sets(tags={VERSION_TAG: "0.0.1"})],
    "functions/present-resources": [
        an_old_key,
        lambda fake: fake.outputs[StackId.IDENTITY].update({Output.CLIENT_ID: "new"}),
    ],
    "functions/snapshots": [without_snapshot],
    "functions/first-requests": [a_slow_start],
    "functions/releases": [lambda fake: fake.release["lastAttemptedDeployment"].update(status="Stopped")],
    "functions/replicas": [lambda fake: fake.replicas[0].update(ReplicaStatus="CREATING")],
    "functions/concurrency": [sets(quota=10)],
    "functions/after-a-silence": [
        lambda fake: setattr(
            fake, "answered", lambda _, answer: HttpResponse(503, {}, b"{}") if fake.slept > 60 else answer
        ),
    ],
    "logs/version": [
        line("disable", lambda text: json.dumps(json.loads(text) | {"version": "0.0.1"})),
        line("disable", lambda _text: "START RequestId: 1"),
    ],
    "logs/request-id": [
        line("disable", lambda text: json.dumps({"request_id": "another", "line": text})),
        line("apigateway", lambda text: json.dumps({"request_id": "another", "line": text})),
        line("apigateway", lambda _text: ""),
        line("apigateway", lambda text: json.dumps(json.loads(text) | {"extended_request_id": "-"})),
    ],
    "logs/quoted-user-agent": [line("apigateway", lambda text: text.replace("\\", ""))],
    "logs/masking": [
        sets(masks=False),
        sets(counted_under=("LogGroupName", "PolicyName")),
        sets(counted_under=("PolicyName",)),
    ],
    "events/arrive": [sets(events=["MFAEnabled"]), sets(events=[])],
    "roles/table": [also("setup_mfa", "dynamodb:GetItem"), no_longer("mfa_status", "dynamodb:GetItem")],
    "roles/key": [
        also("setup_mfa", "kms:Decrypt"),
        sets(may_anyway={"kms:Decrypt"}),
        no_longer("verify_mfa", "kms:Decrypt"),
    ],
    "roles/items": [sets(may_anyway={"dynamodb:GetItem"})],
    "roles/proof-keys": [
        lambda fake: fake.may_on_proof_keys["verify_mfa"].clear(),
        lambda fake: fake.may_on_proof_keys["verify_mfa"].add("kms:Decrypt"),
        lambda fake: fake.may_on_proof_keys.update(disable_mfa={"kms:Sign"}),
        sets(may_anyway={"kms:Sign"}),
    ],
    "proof/keys": [
        with_status(403, public),
        with_header("Cache-Control", "no-store", public),
        with_header("Access-Control-Allow-Origin", "https://app.example", public),
        without_json(public),
        lambda fake: fake.public[OPENID_CONFIGURATION.path].update(issuer="https://other.example"),
        lambda fake: fake.public[JWKS.path]["keys"][0].update(kty="EC"),
    ],
    "proof/verifies": [
        sets(proof_claims={"aud": "another"}),
        sets(proof_claims={"sub": "another"}),
        sets(proof_claims={"exp": 1}),
        sets(signing_key=SigningKey(rsa_key("another").private, "proof")),
    ],
    "roles/elsewhere": [
        no_longer("jwt_authorizer", "logs:PutLogEvents"),
        no_longer(SECURITY_EVENTS_FUNCTION, "events:PutEvents"),
        also("verify_mfa", "sqs:ReceiveMessage"),
    ],
    "alarms/evaluated": [an_alarm_without_data, a_new_alarm_with_data, sets(alarms=[])],
    "alarms/message": [sets(delivers_alarms=False)],
    "alarms/subscriptions": [sets(subscription="PendingConfirmation")],
    "metrics/AILifestyle/MFA": [
        unpublished("AILifestyle/MFA"),
        with_other_dimensions("AILifestyle/MFA"),
        lambda fake: fake.metrics.__setitem__(0, fake.metrics[0] | {"MetricName": SETUP_METRICS.successes}),
    ],
    **{
        f"metrics/{namespace}": [unpublished(namespace), with_other_dimensions(namespace)]
        for namespace in ("AWS/ApiGateway", "AWS/Lambda", "AWS/DynamoDB", "AWS/KMS", "AWS/SQS")
    },
}


def test_every_check_is_broken_once() -> None:
    assert BREAKS.keys() == {assumption.key for assumption in ASSUMPTIONS}


@pytest.mark.parametrize(
    ("assumption", "breaks"),
    [
        pytest.param(assumption, breaks, id=f"{assumption.key}-{number}")
        for assumption in ASSUMPTIONS
        for number, breaks in enumerate(BREAKS[assumption.key])
    ],
)
def test_finds_what_is_not_as_assumed_and_leaves_nothing_behind(assumption: Assumption, breaks: Break) -> None:
    fake = FakeDeployment()
    breaks(fake)

    result = result_of(fake, assumption)

    assert result.verdict is Verdict.DOES_NOT_HOLD, result.detail
    assert not result.detail.startswith("unexpected answer"), result.detail
    assert fake.left_behind == set()
    assert fake.token not in result.detail


def test_a_metric_that_nothing_caused_is_named_with_the_alarms_that_wait_for_it() -> None:
    (own,) = (assumption for assumption in ASSUMPTIONS if assumption.key == "metrics/AILifestyle/MFA")

    detail = result_of(FakeDeployment(), own).detail

    assert detail == (
        "1 published; nothing has caused MFAConflicts, MFASetupErrors yet; the alarms conflicts-surge wait for them"
    )


def test_masking_is_checked_without_its_alarms_too() -> None:
    fake = FakeDeployment()
    fake.alarms.clear()
    (masking,) = (each for each in ASSUMPTIONS if each.check is masked_and_counted)

    assert result_of(fake, masking).verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    ("key", "breaks"),
    [
        ("events/arrive", lambda fake: fake.functions.pop(SECURITY_EVENTS_FUNCTION)),
        ("roles/proof-keys", lambda fake: fake.functions.pop(SIGNING_KEYS_FUNCTION)),
        ("proof/keys", lambda fake: fake.functions["verify_mfa"]["Environment"]["Variables"].pop("PROOF_AUDIENCE")),
        ("functions/snapshots", lambda fake: [each.pop("SnapStart") for each in fake.functions.values()]),
        ("functions/present-resources", lambda fake: fake.outputs.clear()),
        ("functions/first-requests", lambda fake: fake.lines.clear()),
        ("functions/releases", lambda fake: fake.release.clear()),
        ("functions/concurrency", sets(alarms=[])),
        ("alarms/message", sets(alarms=[])),
        ("functions/replicas", lambda fake: fake.replicas.clear()),
        ("functions/after-a-silence", sets(token=token(exp=time.time() + 60))),
        ("http/preflights", lambda fake: fake.functions["mfa_status"]["Environment"]["Variables"].clear()),
    ],
)
def test_what_a_deployment_does_not_have_is_unknown(key: str, breaks: Break) -> None:
    fake = FakeDeployment()
    breaks(fake)
    (assumption,) = (each for each in ASSUMPTIONS if each.key == key)

    assert result_of(fake, assumption).verdict is Verdict.UNKNOWN
