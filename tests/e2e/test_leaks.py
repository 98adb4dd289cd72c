"""Secrets are found in every place where the stack writes data."""

import json
import time
import uuid
from collections.abc import Callable

import pyotp
import pytest

from functions.shared.contract import EVENT_SOURCE, METRICS_NAMESPACE, SETUP
from local.stack import Stack, StackFolder
from tests.support.http_user import NewUser
from tests.support.leak_watch import StackWatch
from tests.support.leaks import OVER_HTTP, Kind, Ledger
from tests.support.stack import Aws
from tests.support.subscriber import Subscriber

#: Used by no other test: a leaked secret of a test would fail the run.
SECRET = pyotp.random_base32()


def plant_in_a_log(aws: Aws, stack: Stack) -> str:
    logs = aws.client("logs")
    stream = {"logGroupName": f"/aws/lambda/{stack.functions[SETUP.function]}", "logStreamName": str(uuid.uuid4())}
    logs.create_log_stream(**stream)
    message = json.dumps({"message": "made", "x": SECRET.lower()})
    logs.put_log_events(**stream, logEvents=[{"timestamp": int(time.time() * 1000), "message": message}])
    return f"the log of {stack.functions[SETUP.function]}"


def plant_in_a_metric(aws: Aws, _: Stack) -> str:
    dimensions = [{"Name": "secret", "Value": SECRET}]
    aws.client("cloudwatch").put_metric_data(
        Namespace=f"{METRICS_NAMESPACE}/Planted", MetricData=[{"MetricName": "X", "Dimensions": dimensions, "Value": 1}]
    )
    return "a metric"


def plant_on_the_bus(aws: Aws, _: Stack) -> str:
    detail = json.dumps({"user_id": "planted", "x": " ".join(SECRET[i : i + 4] for i in range(0, 32, 4))})
    aws.client("events").put_events(Entries=[{"Source": EVENT_SOURCE, "DetailType": "Planted", "Detail": detail}])
    return "an event"


def plant_in_the_table(aws: Aws, stack: Stack) -> str:
    item = {"pk": {"S": "USER#planted"}, "sk": {"S": "PLANTED"}, "x": {"S": SECRET.encode().hex()}}
    aws.client("dynamodb").put_item(TableName=stack.table_name, Item=item)
    return "a stored item"


def plant_in_the_emulators_log(aws: Aws, stack: Stack) -> str:
    user = {"UserPoolId": stack.user_pool_id, "Username": SECRET}
    aws.client("cognito-idp").admin_create_user(**user, MessageAction="SUPPRESS")
    aws.client("cognito-idp").admin_delete_user(**user)
    return "the emulator's log"


@pytest.mark.parametrize(
    "plant",
    [plant_in_a_log, plant_in_a_metric, plant_on_the_bus, plant_in_the_table, plant_in_the_emulators_log],
)
def test_a_planted_secret_is_found(
    aws: Aws, stack: Stack, stack_place: StackFolder, plant: Callable[[Aws, Stack], str]
) -> None:
    ledger = Ledger()
    ledger.add(Kind.SECRET, SECRET)
    watch = StackWatch(stack, stack_place)
    with Subscriber(aws, {"source": [EVENT_SOURCE], "detail-type": ["Planted"]}).subscribed() as subscriber:
        place = plant(aws, stack)
        events = subscriber.wait_for(1) if plant is plant_on_the_bus else []
    found = {leak.place for leak in watch.leaks(ledger.used.values(), events)}
    aws.client("dynamodb").delete_item(
        TableName=stack.table_name, Key={"pk": {"S": "USER#planted"}, "sk": {"S": "PLANTED"}}
    )
    assert place in found


def test_secrets_used_over_http_are_recorded(new_user: NewUser) -> None:
    user = new_user("leaks-known@example.com")
    user.fresh_time_step()
    user.enrol()
    code, wrong, backup_code = user.code(), user.wrong_code(), user.backup_codes[0].replace("-", "")
    assert user.verify(wrong).status == 400
    assert user.verify(code).status == 200
    known = {value: used.kind for value, used in OVER_HTTP.used.items()}
    assert known[user.token] is Kind.TOKEN
    assert known[user.secret] is Kind.SECRET
    assert known[code] is known[wrong] is Kind.TOTP_CODE
    assert known[backup_code] is Kind.BACKUP_CODE
    assert Kind.QR_CODE in known.values()
    assert any("verify" in source for source, _ in OVER_HTTP.answers)
