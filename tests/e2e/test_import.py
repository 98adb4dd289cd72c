"""An import of several hundred users: killed, repeated and repeated again; then some of them log in.

``MFA_IMPORT_USERS=10000`` imports more of them.
"""

import base64
import json
import os
import subprocess
from pathlib import Path

from functions.shared.contract import EVENT_SOURCE, SORT_KEY, partition_key
from local.stack import Stack
from tests.e2e.operator_command import OperatorCommand
from tests.support.emulator import eventually
from tests.support.http_user import NewUser
from tests.support.leaks import OVER_HTTP, Kind
from tests.support.stack import Aws
from tests.support.subscriber import Subscriber

USERS = int(os.environ.get("MFA_IMPORT_USERS", "300"))
#: The import is killed when this user is there.
KILLED_AT = USERS // 5


def test_users_are_imported_once_whatever_happens_and_log_in(
    stack: Stack,
    aws: Aws,
    new_user: NewUser,
    operator: OperatorCommand,
    oathtool: str,
    tmp_path: Path,
) -> None:
    sample = [new_user(f"import-{number}@example.com") for number in range(3)]
    made_up = [f"imported-{number}" for number in range(USERS - len(sample))]
    secrets = {user_id: base64.b32encode(os.urandom(20)).decode() for user_id in made_up}
    for user, length in zip(sample, (10, 16, 20), strict=True):
        secrets[user.user_id] = base64.b32encode(os.urandom(length)).decode().rstrip("=")
    file = tmp_path / "users.jsonl"
    file.write_text("".join(f"{json.dumps({'user_id': name, 'secret': it})}\n" for name, it in secrets.items()))
    for secret in secrets.values():
        OVER_HTTP.add(Kind.SECRET, secret)
    options = ("--file", str(file), "--reason", "end-to-end test", "--yes", "--json")
    dynamodb = aws.client("dynamodb")

    def has(user_id: str) -> bool:
        key = {"pk": {"S": partition_key(user_id)}, "sk": {"S": SORT_KEY}}
        return "Item" in dynamodb.get_item(TableName=stack.table_name, Key=key)

    pattern = {"source": [EVENT_SOURCE], "detail": {"user_id": [user.user_id for user in sample]}}
    with Subscriber(aws, pattern).subscribed() as subscriber:
        with operator.start("import", *options) as killed:
            eventually(lambda: has(made_up[KILLED_AT]))
            killed.kill()
            operator.searched(*killed.communicate())
        assert not has(made_up[-1])

        first = json.loads(operator.run("import", *options))
        assert first["already_there"] > KILLED_AT
        assert first["imported"] + first["already_there"] == USERS
        assert (first["weak_secrets"], first["refused"]) == (1, {})
        second = json.loads(operator.run("import", *options))
        assert (second["imported"], second["already_there"]) == (0, USERS)

        events = subscriber.wait_for(len(sample))
    for event in events:
        assert (event["detail-type"], event["detail"]["actor"]) == ("MFAEnabled", "import")
        assert event["detail"]["request_id"].startswith("import:")
    for user in sample:
        user.fresh_time_step()
        command = [oathtool, "--totp", "--base32", secrets[user.user_id]]
        code = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        answer = user.verify(code)
        assert (answer.status, answer.body["warnings"]) == (200, ["BACKUP_CODES_LOW"])

    counts = json.loads(operator.run("report", "--json", "--rate", "100000"))
    assert counts["imported-never-used"] >= USERS - len(sample)
    listed = operator.run("report", "--list", "imported-never-used", "--rate", "100000").split()
    assert set(made_up) <= set(listed)
    assert not {user.user_id for user in sample} & set(listed)
    for user_id in made_up:  # other tests count users
        key = {"pk": {"S": partition_key(user_id)}, "sk": {"S": SORT_KEY}}
        dynamodb.delete_item(TableName=stack.table_name, Key=key)
