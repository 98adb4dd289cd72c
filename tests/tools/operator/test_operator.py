"""The operator's command, on items that the routes wrote."""

import io
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, NoCredentialsError

from functions.security_events.service import derive_events
from functions.security_events.stream import change_from_record
from functions.shared.clock import iso_timestamp
from functions.shared.contract import PENDING_LIFETIME_SECONDS
from functions.shared.repository import DynamoDbMfaRepository
from tests.support.aws_calls import Failure, raising, refused
from tests.support.embedded_aws import TABLE_NAME, EmbeddedAws
from tests.support.life_cycle import User
from tests.support.stream_records import stream_record
from tools.operator.__main__ import main

OPERATOR = "arn:aws:sts::123456789012:user/moto"

type Run = Callable[..., "Outcome"]


class Outcome:
    """The exit status and output of a run of the command."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.shown = status, err
        lines = out.splitlines()
        assert len(lines) <= 1, "standard output is for the one log line"
        self.logged: dict[str, Any] = json.loads(lines[0]) if lines else {}


class Terminal(io.StringIO):
    """A person at the keyboard who types a line; ``meanwhile`` runs before that."""

    def __init__(self, text: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__(f"{text}\n")
        self._meanwhile = meanwhile

    def isatty(self) -> bool:
        return True

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]  # as io.StringIO itself
        with redirect_stdout(io.StringIO()):  # what the routes log is not the command's
            self._meanwhile()
        return super().readline(-1 if size is None else size)


@pytest.fixture
def run(user: User, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the command for user-1 at the user's time, with a person at the keyboard."""

    def execute(
        action: str, *options: str, stdin: io.StringIO | None = None, where: str = f"--table={TABLE_NAME}"
    ) -> Outcome:
        monkeypatch.setattr(sys, "stdin", stdin or Terminal("yes"))
        reason = [] if action == "show" else ["--reason=ticket 4711"]
        capsys.readouterr()
        status = main([action, "--user=user-1", where, *reason, *options], clock=user.time)
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return execute


def events_of(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> list[tuple[str, dict[str, Any]]]:
    record = stream_record(dict(old) if old else None, dict(new) if new else None)
    return [(str(event.type), event.detail("dev")) for event in derive_events(change_from_record(record))]


@pytest.fixture
def locked(enrolled: User) -> User:
    """Return a user whose TOTP codes have just been locked."""
    for _ in range(5):
        assert enrolled.verify(enrolled.wrong_code()).status == 400
    assert enrolled.verify().status == 429
    return enrolled


class TestShow:
    def test_tells_the_state_and_nothing_confidential(self, aws: EmbeddedAws, run: Run, locked: User) -> None:
        before = aws.item("user-1")
        outcome = run("show")
        assert outcome.status == 0
        assert outcome.logged == {}
        for expected in (
            OPERATOR,
            "enabled",
            "totp failed attempts",
            "5",
            "backup codes remaining",
            "8",
            "2027-01-15T",
        ):
            assert expected in outcome.shown
        stored = [before[name]["S"] for name in ("encrypted_secret", "iv", "backup_codes_salt")]
        stored += [code["S"] for code in before["backup_codes"]["L"]]
        assert [value for value in (locked.secret, *locked.backup_codes, *stored) if value in outcome.shown] == []
        assert aws.item("user-1") == before

    @pytest.mark.usefixtures("aws")
    def test_of_a_stranger_says_that_there_is_nothing(self, run: Run) -> None:
        outcome = run("show")
        assert outcome.status == 0
        assert "none" in outcome.shown

    def test_of_an_enrolment_says_whether_it_is_still_pending(self, run: Run, user: User) -> None:
        user.setup()
        assert "pending" in run("show").shown
        user.wait(PENDING_LIFETIME_SECONDS)
        assert "expired" in run("show").shown

    def test_asks_for_neither_reason_nor_terminal(self, run: Run, aws: EmbeddedAws) -> None:
        with aws.calls.recorded() as made:
            assert run("show", stdin=io.StringIO()).status == 0
        assert made == ["sts:GetCallerIdentity", "dynamodb:GetItem"]


class TestUnlock:
    def test_lets_the_user_in_at_once(self, run: Run, locked: User) -> None:
        outcome = run("unlock")
        assert outcome.status == 0
        assert locked.verify().status == 200

    def test_lets_a_user_in_whom_no_time_would(self, aws: EmbeddedAws, run: Run, locked: User) -> None:
        aws.set("user-1", failed_attempts={"N": "100"})
        locked.wait(1_000_000)
        assert locked.verify().status == 429
        assert "an operator unlocks it" in run("show").shown
        assert run("unlock").status == 0
        assert locked.verify().status == 200

    def test_logs_who_did_what_to_whom_when_and_why_on_one_line(self, run: Run, locked: User) -> None:
        logged = run("unlock").logged
        request_id = logged.pop("request_id")
        assert request_id.startswith("operator:")
        before, after = logged.pop("before"), logged.pop("after")
        assert (before["totp_failed_attempts"], after["totp_failed_attempts"]) == (5, 0)
        assert before["totp_locked_until"] is not None
        assert after["totp_locked_until"] is None
        assert logged == {
            "timestamp": iso_timestamp(locked.now),
            "event": "mfa_operator_command",
            "action": "unlock",
            "outcome": "done",
            "user_id": "user-1",
            "factors": ["totp", "backup_code"],
            "reason": "ticket 4711",
            "operator": OPERATOR,
            "region": "us-east-1",
            "table": TABLE_NAME,
        }
        assert locked.secret not in json.dumps(logged)

    def test_marks_the_item_as_written_by_an_operator(self, aws: EmbeddedAws, run: Run, locked: User) -> None:
        request_id = run("unlock").logged["request_id"]
        item = aws.item("user-1")
        assert item["last_request_id"] == {"S": request_id}
        assert locked.status()["lockedUntil"] is None

    @pytest.mark.parametrize(("factor", "statuses"), [("totp", (200, 429)), ("backup_code", (429, 200))])
    def test_of_one_factor_leaves_the_other_locked(
        self, run: Run, locked: User, factor: str, statuses: tuple[int, int]
    ) -> None:
        for _ in range(5):
            assert locked.verify_backup("AAAA-0000").status == 400
        outcome = run("unlock", f"--factor={factor}")
        assert outcome.status == 0
        assert outcome.logged["factors"] == [factor]
        assert (locked.verify().status, locked.verify_backup(locked.backup_codes[0]).status) == statuses

    def test_changes_nothing_else(self, aws: EmbeddedAws, run: Run, locked: User) -> None:
        before = aws.item("user-1")
        locked.wait(1)
        run("unlock")
        after = aws.item("user-1")
        changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        assert changed == {"failed_attempts", "last_failed_at", "last_request_id", "updated_at", "version"}

    @pytest.mark.usefixtures("enrolled")
    def test_of_a_user_who_is_not_locked_is_nothing_to_do(self, aws: EmbeddedAws, run: Run) -> None:
        before = aws.item("user-1")
        outcome = run("unlock")
        assert (outcome.status, outcome.logged["outcome"]) == (3, "nothing_to_do")
        assert aws.item("user-1") == before

    def test_cannot_revive_an_enrolment(self, aws: EmbeddedAws, run: Run, user: User) -> None:
        user.setup()
        user.verify_setup(user.wrong_code())
        before = aws.item("user-1")
        assert run("unlock").status == 3
        assert aws.item("user-1") == before


class TestReset:
    @pytest.fixture
    def writes(self, aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
        """Return a list that grows by the item before and after each write of the command."""
        found: list[tuple[Any, Any]] = []

        def spied(method: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **named: Any) -> Any:
                before = aws.item("user-1")
                stored = method(*arguments, **named)
                found.append((before, aws.item("user-1")))
                return stored

            return call

        for name in ("swap", "remove"):
            monkeypatch.setattr(DynamoDbMfaRepository, name, spied(getattr(DynamoDbMfaRepository, name)))
        return found

    def test_leaves_nothing_and_lets_the_user_enrol_again(self, aws: EmbeddedAws, run: Run, locked: User) -> None:
        outcome = run("reset")
        assert (outcome.status, outcome.logged["outcome"]) == (0, "done")
        assert outcome.logged["after"] == {"state": "none"}
        assert aws.item("user-1") == {}
        assert locked.verify().error == "MFA_NOT_ENABLED"
        locked.enrol()
        assert locked.verify().status == 200

    @pytest.mark.usefixtures("enrolled")
    def test_is_told_once_as_an_operators_doing(self, run: Run, writes: list[tuple[Any, Any]]) -> None:
        request_id = run("reset").logged["request_id"]
        ((kind, detail),) = [event for old, new in writes for event in events_of(old, new)]
        assert kind == "MFADisabled"
        assert detail["actor"] == "operator"
        assert detail["request_id"] == request_id

    def test_that_stops_half_way_is_a_reset_all_the_same(
        self, aws: EmbeddedAws, run: Run, enrolled: User, writes: list[tuple[Any, Any]]
    ) -> None:
        with aws.calls.recorded({"dynamodb:DeleteItem": refused("InternalServerError", 500)}):
            assert run("reset").status == 0
        item = aws.item("user-1")
        assert {"encrypted_secret", "iv", "backup_codes_salt", "enabled_at"} & set(item) == set()
        assert int(item["expires_at"]["N"]) > 0
        assert [kind for old, new in writes for kind, _ in events_of(old, new)] == ["MFADisabled"]
        assert enrolled.verify().error == "MFA_NOT_ENABLED"
        assert enrolled.verify_setup().error == "MFA_SETUP_NOT_FOUND"
        assert enrolled.status()["enabled"] is False
        enrolled.enrol()
        assert enrolled.verify().status == 200

    @pytest.mark.usefixtures("enrolled")
    def test_of_an_item_of_an_older_deployment(self, aws: EmbeddedAws, run: Run) -> None:
        aws.set("user-1", status=None, version=None)
        assert run("reset").status == 0
        assert aws.item("user-1") == {}

    @pytest.mark.parametrize("age", [0, PENDING_LIFETIME_SECONDS + 1], ids=["pending", "expired"])
    def test_of_an_enrolment_tells_nobody(
        self,
        aws: EmbeddedAws,
        run: Run,
        user: User,
        writes: list[tuple[Any, Any]],
        age: int,
    ) -> None:
        user.setup()
        user.wait(age)
        assert run("reset").status == 0
        assert aws.item("user-1") == {}
        assert [event for old, new in writes for event in events_of(old, new)] == []

    @pytest.mark.usefixtures("aws")
    def test_of_a_stranger_is_nothing_to_do(self, run: Run) -> None:
        outcome = run("reset")
        assert outcome.status == 3
        assert "check the user id" in outcome.shown


class TestConsent:
    @pytest.mark.parametrize("answer", ["no", "", "y", "yes please"])
    def test_anything_but_yes_is_no(self, aws: EmbeddedAws, run: Run, locked: User, answer: str) -> None:
        before = aws.item(locked.user_id)
        outcome = run("reset", stdin=Terminal(answer))
        assert (outcome.status, outcome.logged["outcome"]) == (4, "declined")
        assert aws.item(locked.user_id) == before

    def test_the_state_is_shown_before_the_question(self, run: Run, locked: User) -> None:
        shown = run("unlock").shown
        assert 0 < shown.index("totp failed attempts") < shown.index("Clear the wrong codes")
        assert locked.user_id in shown

    @pytest.mark.parametrize("action", ["unlock", "reset"])
    def test_without_a_terminal_nothing_is_asked_and_nothing_done(
        self, aws: EmbeddedAws, run: Run, locked: User, action: str
    ) -> None:
        with aws.calls.recorded() as made:
            outcome = run(action, stdin=io.StringIO("yes\n"))
        assert outcome.status == 4
        assert "--yes" in outcome.shown
        assert made == []
        assert locked.verify().status == 429

    def test_without_a_terminal_yes_may_be_said_beforehand(self, run: Run, locked: User) -> None:
        assert run("unlock", "--yes", stdin=io.StringIO()).status == 0
        assert locked.verify().status == 200


class TestRace:
    def test_a_user_who_is_faster_wins(self, aws: EmbeddedAws, run: Run, enrolled: User) -> None:
        outcome = run("reset", stdin=Terminal("yes", meanwhile=enrolled.verify))
        assert (outcome.status, outcome.logged["outcome"]) == (5, "conflict")
        assert "start again" in outcome.shown
        assert aws.item("user-1")
        assert enrolled.status()["enabled"] is True

    def test_a_user_who_removed_the_factor_meanwhile_wins_too(self, run: Run, enrolled: User) -> None:
        assert run("reset", stdin=Terminal("yes", meanwhile=enrolled.disable)).status == 5

    def test_a_user_who_enrols_again_at_once_keeps_the_new_enrolment(
        self, aws: EmbeddedAws, run: Run, enrolled: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        remove = DynamoDbMfaRepository.remove

        def late(repository: DynamoDbMfaRepository, old: Any) -> None:
            with redirect_stdout(io.StringIO()):
                assert enrolled.setup().status == 200
            remove(repository, old)

        monkeypatch.setattr(DynamoDbMfaRepository, "remove", late)
        assert run("reset").status == 0
        monkeypatch.undo()
        item = aws.item("user-1")
        assert item["status"] == {"S": "PENDING"}
        assert "encrypted_secret" in item


class TestTable:
    def stacks(self, *outputs: tuple[str, str]) -> Failure:
        found = [{"OutputKey": key, "OutputValue": value} for key, value in outputs]
        answer = {"Stacks": [{"StackName": "mfa-dev-data", "Outputs": found}]}
        return lambda: (SimpleNamespace(status_code=200, headers={}), answer)

    def test_is_looked_up_in_the_environments_data_stack(self, aws: EmbeddedAws, run: Run, locked: User) -> None:
        with aws.calls.recorded({"cloudformation:DescribeStacks": self.stacks(("TableName", TABLE_NAME))}) as made:
            outcome = run("unlock", where="--environment=dev")
        assert outcome.status == 0
        assert made == [
            "sts:GetCallerIdentity",
            "cloudformation:DescribeStacks",
            "dynamodb:GetItem",
            "dynamodb:UpdateItem",
        ]
        assert locked.verify().status == 200

    @pytest.mark.parametrize("answer", [refused("ValidationError"), None], ids=["no stack", "no output"])
    def test_that_is_not_there_is_said_to_be_so(self, aws: EmbeddedAws, run: Run, answer: Failure | None) -> None:
        with aws.calls.recorded({"cloudformation:DescribeStacks": answer or self.stacks()}):
            outcome = run("show", where="--environment=dev")
        assert outcome.status == 1
        assert "mfa-dev-data" in outcome.shown
        assert "--region" in outcome.shown


class TestFailure:
    @pytest.mark.parametrize(
        ("operation", "failure", "advice"),
        [
            ("sts:GetCallerIdentity", refused("ExpiredToken"), "log in"),
            ("sts:GetCallerIdentity", raising(NoCredentialsError()), "log in"),
            ("dynamodb:GetItem", refused("AccessDeniedException"), "docs/operator.md"),
            ("dynamodb:GetItem", refused("ResourceNotFoundException"), "--table"),
            ("dynamodb:GetItem", raising(ConnectTimeoutError(endpoint_url="https://x")), "try again"),
            ("dynamodb:GetItem", refused("ValidationException"), "Check that the table"),
        ],
    )
    def test_says_what_failed_and_what_to_do_and_changes_nothing(
        self, aws: EmbeddedAws, run: Run, locked: User, operation: str, failure: Failure, advice: str
    ) -> None:
        before = aws.item(locked.user_id)
        with aws.calls.recorded({operation: failure}):
            outcome = run("reset")
        assert outcome.status == 1
        assert advice in outcome.shown
        assert outcome.logged == {}
        assert "Traceback" not in outcome.shown
        assert aws.item(locked.user_id) == before

    def test_of_the_write_is_logged_with_its_outcome_unknown(self, aws: EmbeddedAws, run: Run, locked: User) -> None:
        timeout = raising(ConnectTimeoutError(endpoint_url="https://dynamodb.example"))
        with aws.calls.recorded({"dynamodb:UpdateItem": timeout}):
            outcome = run("unlock")
        assert (outcome.status, outcome.logged["outcome"]) == (1, "failed")
        assert "may or may not" in outcome.shown
        assert locked.verify().status == 429

    def test_a_damaged_item_is_left_alone_and_the_way_out_named(self, aws: EmbeddedAws, run: Run, locked: User) -> None:
        aws.set(locked.user_id, failed_attempts={"S": "three"})
        before = aws.item(locked.user_id)
        outcome = run("reset")
        assert outcome.status == 1
        assert "A damaged item" in outcome.shown
        assert aws.item(locked.user_id) == before

    def test_an_unknown_profile_is_said_to_be_so(self, run: Run) -> None:
        outcome = run("show", "--profile=nobody")
        assert outcome.status == 1
        assert "nobody" in outcome.shown

    def test_a_missing_region_is_said_to_be_so(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
        outcome = run("show")
        assert outcome.status == 1
        assert "--region" in outcome.shown

    @pytest.mark.usefixtures("aws")
    def test_a_region_is_found_as_by_the_aws_command_line(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        assert "in us-east-1" in run("show").shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["unlock", "--user=user-1", "--table=users"],
        ["unlock", "--user=user-1", "--table=users", "--reason= "],
        ["reset", "--user=user-1", "--reason=x"],
        ["reset", "--user=user-1", "--reason=x", "--table=users", "--environment=dev"],
        ["reset", "--user= ", "--reason=x", "--table=users"],
        ["reset", f"--user={'x' * 256}", "--reason=x", "--table=users"],
        ["show", "--user=user-1", "--environment=staging"],
        ["reset", "--reason=x", "--table=users"],
        [],
    ],
)
def test_a_command_line_without_sense_is_refused_before_anything_is_called(
    arguments: list[str], aws: EmbeddedAws
) -> None:
    with aws.calls.recorded() as made, pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert made == []
