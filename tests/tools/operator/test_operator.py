"""The commands about one user, on items that the routes wrote."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, NoCredentialsError

from functions.shared.clock import iso_timestamp
from functions.shared.contract import PENDING_LIFETIME_SECONDS
from functions.shared.repository import DynamoDbMfaRepository
from tests.support.aws_calls import Failure, raising, refused
from tests.support.embedded_aws import TABLE_NAME, EmbeddedAws
from tests.support.life_cycle import User
from tests.tools.operator.conftest import Outcome, Terminal, answering, events_of, silently
from tools.operator.__main__ import main

OPERATOR = "arn:aws:sts::123456789012:user/moto"

type Run = Callable[..., Outcome]


def stack_with(**outputs: str) -> Failure:
    """Return CloudFormation's description of a stack with these outputs."""
    return answering(Stacks=[{"Outputs": [{"OutputKey": key, "OutputValue": outputs[key]} for key in outputs]}])


@pytest.fixture
def locked(enrolled: User) -> User:
    """Return a user whose TOTP codes have just been locked."""
    for _ in range(5):
        assert enrolled.verify(enrolled.wrong_code()).status == 400
    assert enrolled.verify().status == 429
    return enrolled


class TestShow:
    def test_shows_the_state_and_nothing_confidential(self, aws: EmbeddedAws, run: Run, locked: User) -> None:
        before = aws.item("user-1")
        outcome = run("show")
        assert outcome.status == 0
        assert OPERATOR in outcome.shown
        locked_until = outcome.printed.pop("totp_locked_until")
        assert locked_until.startswith("2027-01-15T")
        assert outcome.printed == {
            "user_id": "user-1",
            "state": "enabled",
            "enabled_at": "2027-01-15T08:00:15Z",
            "backup_codes_remaining": 8,
            "totp_failed_attempts": 5,
            "totp_locked_until": locked_until,
            "backup_code_failed_attempts": 0,
            "backup_code_locked_until": None,
        }
        stored = [before[name]["S"] for name in ("encrypted_secret", "iv", "backup_codes_salt")]
        stored += [code["S"] for code in before["backup_codes"]["L"]]
        assert [
            value for value in (locked.secret, *locked.backup_codes, *stored) if value in outcome.shown + outcome.out
        ] == []
        assert aws.item("user-1") == before

    def test_of_an_unknown_user_needs_neither_reason_nor_terminal(self, run: Run, aws: EmbeddedAws) -> None:
        with aws.calls.recorded() as made:
            outcome = run("show", stdin=io.StringIO())
        assert (outcome.status, outcome.printed) == (3, {"user_id": "user-1", "state": "none"})
        assert "There is no record for this id." in outcome.shown
        assert made == ["sts:GetCallerIdentity", "dynamodb:GetItem"]

    def test_of_an_enrolment_says_whether_it_is_still_pending(self, run: Run, user: User) -> None:
        user.setup()
        assert run("show").printed["state"] == "pending"
        user.wait(PENDING_LIFETIME_SECONDS)
        assert run("show").printed["state"] == "expired"


class TestUnlock:
    def test_ends_a_permanent_lock(self, aws: EmbeddedAws, run: Run, locked: User) -> None:
        aws.set("user-1", failed_attempts={"N": "100"})
        locked.wait(1_000_000)
        assert locked.verify().status == 429
        assert run("show").printed["totp_locked_until"] == "an operator unlocks it"
        assert run("unlock").status == 0
        assert locked.verify().status == 200

    def test_logs_who_did_what_to_whom_when_and_why_on_one_line(self, aws: EmbeddedAws, run: Run, locked: User) -> None:
        logged = run("unlock").printed
        request_id = logged.pop("request_id")
        assert request_id.startswith("operator:")
        assert aws.item("user-1")["last_request_id"] == {"S": request_id}
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
        assert locked.status()["lockedUntil"] is None

    @pytest.mark.parametrize(("factor", "statuses"), [("totp", (200, 429)), ("backup_code", (429, 200))])
    def test_of_one_factor_leaves_the_other_locked(
        self, run: Run, locked: User, factor: str, statuses: tuple[int, int]
    ) -> None:
        for _ in range(5):
            assert locked.verify_backup("AAAA-0000").status == 400
        outcome = run("unlock", f"--factor={factor}")
        assert outcome.status == 0
        assert outcome.printed["factors"] == [factor]
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
        assert (outcome.status, outcome.printed["outcome"]) == (3, "nothing_to_do")
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
        assert (outcome.status, outcome.printed["outcome"]) == (0, "done")
        assert outcome.printed["after"] == {"state": "none"}
        assert aws.item("user-1") == {}
        assert locked.verify().error == "MFA_NOT_ENABLED"
        locked.enrol()
        assert locked.verify().status == 200

    @pytest.mark.usefixtures("enrolled")
    def test_causes_one_event_that_names_the_operator(self, run: Run, writes: list[tuple[Any, Any]]) -> None:
        request_id = run("reset").printed["request_id"]
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
    def test_of_an_enrolment_causes_no_event(
        self, aws: EmbeddedAws, run: Run, user: User, writes: list[tuple[Any, Any]], age: int
    ) -> None:
        user.setup()
        user.wait(age)
        assert run("reset").status == 0
        assert aws.item("user-1") == {}
        assert [event for old, new in writes for event in events_of(old, new)] == []

    @pytest.mark.usefixtures("aws")
    def test_of_an_unknown_user_is_nothing_to_do(self, run: Run) -> None:
        outcome = run("reset")
        assert outcome.status == 3
        assert "check the user id" in outcome.shown


class TestConsent:
    @pytest.mark.parametrize("answer", ["no", "", "y", "yes please"])
    def test_anything_but_yes_is_no(self, aws: EmbeddedAws, run: Run, locked: User, answer: str) -> None:
        before = aws.item(locked.user_id)
        outcome = run("reset", stdin=Terminal(answer))
        assert (outcome.status, outcome.printed["outcome"]) == (4, "declined")
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

    def test_without_a_terminal_the_option_yes_confirms(self, run: Run, locked: User) -> None:
        assert run("unlock", "--yes", stdin=io.StringIO()).status == 0
        assert locked.verify().status == 200


class TestOutput:
    def test_a_change_shows_before_and_after_and_goes_to_the_log_alone(
        self, run_command: Run, locked: User, log: Path
    ) -> None:
        outcome = run_command("unlock", "--user=user-1", f"--table={TABLE_NAME}", "--reason=ticket 4711")
        assert (outcome.status, outcome.out) == (0, "")
        rows = [line.split() for line in outcome.shown.splitlines()]
        assert ["before", "after"] in rows
        assert ["totp", "failed", "attempts", "5", "0"] in rows
        (entry,) = map(json.loads, log.read_text().splitlines())
        assert (entry["action"], entry["outcome"], entry["user_id"]) == ("unlock", "done", locked.user_id)
        assert "ticket 4711" not in outcome.shown

    def test_a_log_that_cannot_be_written_stops_the_command(self, aws: EmbeddedAws, run: Run, locked: User) -> None:
        before = aws.item(locked.user_id)
        outcome = run("reset", "--log=/dev/null/log")
        assert outcome.status == 1
        assert "The audit log /dev/null/log cannot be written (File exists); choose --log." in outcome.shown
        assert aws.item(locked.user_id) == before


class TestUsername:
    @pytest.fixture
    def show(self, aws: EmbeddedAws, run_command: Run) -> Run:
        """Return a function that shows the user of a name, whom the user pool knows as user-1."""
        attributes = [{"Name": "email", "Value": "ada@example.com"}, {"Name": "sub", "Value": "user-1"}]
        found = answering(UserAttributes=attributes)
        stack = stack_with(TableName=TABLE_NAME, UserPoolId="p")

        def execute(*options: str, answer: Failure = found) -> Outcome:
            with aws.calls.recorded({"cognito-idp:AdminGetUser": answer, "cloudformation:DescribeStacks": stack}):
                return run_command("show", "--username=ada@example.com", "--json", *options)

        return execute

    @pytest.mark.parametrize("where", [("--environment=dev",), (f"--table={TABLE_NAME}", "--user-pool=p")])
    @pytest.mark.usefixtures("enrolled")
    def test_finds_the_user(self, show: Run, where: tuple[str, ...]) -> None:
        outcome = show(*where)
        assert (outcome.status, outcome.printed["user_id"], outcome.printed["state"]) == (0, "user-1", "enabled")

    def test_that_is_unknown_is_said_to_be_so(self, show: Run) -> None:
        outcome = show("--environment=dev", answer=refused("UserNotFoundException"))
        assert (outcome.status, outcome.shown) == (1, "User pool p has no user ada@example.com.\n")

    def test_without_a_user_pool_one_is_asked_for(self, show: Run) -> None:
        outcome = show(f"--table={TABLE_NAME}")
        assert outcome.status == 1
        assert outcome.shown == "Name the user pool with --user-pool, or the environment with --environment.\n"


class TestRace:
    def test_a_user_who_is_faster_wins(self, aws: EmbeddedAws, run: Run, enrolled: User) -> None:
        outcome = run("reset", stdin=Terminal("yes", meanwhile=enrolled.verify))
        assert (outcome.status, outcome.printed["outcome"]) == (5, "conflict")
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
            silently(enrolled.setup)
            remove(repository, old)

        monkeypatch.setattr(DynamoDbMfaRepository, "remove", late)
        assert run("reset").status == 0
        monkeypatch.undo()
        item = aws.item("user-1")
        assert item["status"] == {"S": "PENDING"}
        assert "encrypted_secret" in item


class TestTable:
    def test_is_looked_up_in_the_environments_data_stack(self, aws: EmbeddedAws, run: Run, locked: User) -> None:
        with aws.calls.recorded({"cloudformation:DescribeStacks": stack_with(TableName=TABLE_NAME)}) as made:
            outcome = run("unlock", where="--environment=dev")
        assert outcome.status == 0
        assert made == [
            "sts:GetCallerIdentity",
            "cloudformation:DescribeStacks",
            "dynamodb:GetItem",
            "dynamodb:UpdateItem",
        ]
        assert locked.verify().status == 200

    @pytest.mark.parametrize("answer", [refused("ValidationError"), stack_with()], ids=["no stack", "no output"])
    def test_that_is_not_there_is_said_to_be_so(self, aws: EmbeddedAws, run: Run, answer: Failure) -> None:
        with aws.calls.recorded({"cloudformation:DescribeStacks": answer}):
            outcome = run("show", where="--environment=dev")
        assert outcome.status == 1
        assert outcome.shown == (
            "Stack mfa-dev-data does not exist in us-east-1, or has no output TableName; check --environment, --region "
            "and --profile, or name the resource itself: --table, --key, --user-pool.\n"
        )


class TestFailure:
    LOG_IN = "log in to AWS again (aws sso login), or choose other credentials with --profile."
    NO_CONNECTION = "AWS does not respond; check the network, --region and AWS_ENDPOINT_URL."
    NO_TABLE = "the table does not exist; check --table, --environment, --region and --profile."
    NO_PERMISSION = "your role does not allow this action; docs/operator.md has a policy to copy."

    @pytest.mark.parametrize(
        ("operation", "failure", "line"),
        [
            ("sts:GetCallerIdentity", refused("ExpiredToken"), f"(ExpiredToken): {LOG_IN}"),
            ("sts:GetCallerIdentity", refused("InvalidClientTokenId"), f"(InvalidClientTokenId): {LOG_IN}"),
            ("sts:GetCallerIdentity", raising(NoCredentialsError()), f"(NoCredentialsError): {LOG_IN}"),
            (
                "sts:GetCallerIdentity",
                raising(EndpointConnectionError(endpoint_url="https://x")),
                f"(EndpointConnectionError): {NO_CONNECTION}",
            ),
            (
                "dynamodb:GetItem",
                raising(ConnectTimeoutError(endpoint_url="https://x")),
                f"(ConnectTimeoutError): {NO_CONNECTION}",
            ),
            ("dynamodb:GetItem", refused("AccessDeniedException"), f"(AccessDeniedException): {NO_PERMISSION}"),
            ("dynamodb:GetItem", refused("ResourceNotFoundException"), f"(ResourceNotFoundException): {NO_TABLE}"),
            (
                "dynamodb:GetItem",
                refused("InternalServerError", 500),
                "(InternalServerError): run `show` to see the state, then try again.",
            ),
        ],
    )
    def test_is_one_line_with_the_next_step_and_changes_nothing(
        self, aws: EmbeddedAws, run: Run, locked: User, operation: str, failure: Failure, line: str
    ) -> None:
        before = aws.item(locked.user_id)
        with aws.calls.recorded({operation: failure}):
            outcome = run("reset")
        assert (outcome.status, outcome.shown.splitlines()[-1]) == (1, f"{operation} failed {line}")
        assert outcome.printed == {}
        assert "Traceback" not in outcome.shown
        assert aws.item(locked.user_id) == before

    def test_a_table_of_another_service_is_suspected(self, aws: EmbeddedAws, run: Run) -> None:
        with aws.calls.recorded({"dynamodb:GetItem": refused("ValidationException")}):
            outcome = run("reset")
        assert (outcome.status, outcome.shown.splitlines()[-1]) == (1, "Check that the table belongs to this service.")

    def test_a_name_that_is_not_a_region_is_said_to_be_so(self, run: Run) -> None:
        outcome = run("show", "--region=eu west")
        assert outcome.status == 1
        assert outcome.shown == (
            "sts:GetCallerIdentity failed (InvalidRegionError): this is not the name of a region; check --region.\n"
        )

    def test_of_the_write_is_logged_with_its_outcome_unknown(self, aws: EmbeddedAws, run: Run, locked: User) -> None:
        timeout = raising(ConnectTimeoutError(endpoint_url="https://dynamodb.example"))
        with aws.calls.recorded({"dynamodb:UpdateItem": timeout}):
            outcome = run("unlock")
        assert (outcome.status, outcome.printed["outcome"]) == (1, "failed")
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
        ["show", "--user=user-1", "--username=ada", "--table=users"],
        ["import", "--table=users", "--reason=x"],
        ["import", "--table=users", "--file=x", "--reason=x", "--key=alias/mfa"],
        ["import", "--table=users", "--file=x", "--reason=x", "--key=raw:AAAA"],
        ["report", "--table=users", "--rate=0"],
        ["report", "--table=users", "--list=unknown"],
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
