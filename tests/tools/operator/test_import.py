"""The import of users of another system."""

import base64
import io
import json
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.setup_mfa.encryption import SealedSecret
from tests.support.aws_calls import refused
from tests.support.embedded_aws import TABLE_NAME, EmbeddedAws
from tests.support.life_cycle import User
from tests.tools.operator.conftest import Outcome, Terminal, events_of, silently
from tools.operator.aws import WORKERS
from tools.operator.import_file import LineRefusal, LineRefusedError, numbered_lines, parse_line
from tools.operator.importing import Importer, ImportReport

SECRET = "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ"
WEAK = "GEZDGNBVGY3TQOJQ"  # 80 bits
ODD = "GEZDGNBVGY3TQOJQGEZDGNBVGY"  # 128 bits: base32 that needs padding
URI = f"otpauth://totp/Shop:ada?secret={SECRET}&issuer=Shop"

type ImportLines = Callable[..., Outcome]


def line(**members: object) -> bytes:
    return json.dumps(members).encode()


class TestLine:
    @pytest.mark.parametrize(
        ("content", "secret"),
        [
            (line(user_id="ada", secret=SECRET), SECRET),
            (line(user_id="ada", secret=" jbsw y3dp ehpk 3pxp gezd-gnbv-gy3t-qojq "), SECRET),
            (line(user_id="ada", secret=f"{ODD}======"), f"{ODD}======"),
            (line(user_id="ada", secret=ODD), f"{ODD}======"),
            (line(user_id="ada", secret=WEAK), WEAK),
            (line(user_id="ada", otpauth=URI), SECRET),
            (line(user_id="ada", otpauth=f"{URI}&algorithm=SHA1&digits=6&period=30&image=x"), SECRET),
            (line(user_id="ada", otpauth=f"OTPAUTH://TOTP/x?Secret={SECRET.lower()}&Algorithm=sha1"), SECRET),
            (b"\xef\xbb\xbf" + line(user_id="ada", secret=SECRET) + b"\r\n", SECRET),
        ],
    )
    def test_names_a_user_and_a_secret(self, content: bytes, secret: str) -> None:
        user = parse_line(content)
        assert (user.user_id, user.secret) == ("ada", secret)
        assert user.bits == 8 * len(base64.b32decode(secret))
        assert user.weak == (user.bits < 112)
        assert secret not in repr(user)

    @pytest.mark.parametrize(
        ("content", "refusal"),
        [
            (b"not json", LineRefusal.NOT_JSON),
            (b"[" * 4000, LineRefusal.NOT_JSON),
            (b"[]", LineRefusal.NOT_JSON),
            (b'{"user_id":"\xff"}', LineRefusal.NOT_JSON),
            (line(user_id="ada", secret="A" * 5000), LineRefusal.TOO_LONG),
            (line(user_id="ada"), LineRefusal.MEMBERS),
            (line(secret=SECRET), LineRefusal.MEMBERS),
            (line(user_id=7, secret=SECRET), LineRefusal.MEMBERS),
            (line(user_id="ada", secret=None), LineRefusal.MEMBERS),
            (line(user_id="ada", secret=SECRET, otpauth=URI), LineRefusal.MEMBERS),
            (line(user_id="ada", secret=SECRET, digits=8), LineRefusal.MEMBERS),
            *((line(user_id=bad, secret=SECRET), LineRefusal.USER_ID) for bad in ("", " ada", "ä", "a\n", "a" * 256)),
            (line(user_id="ada", otpauth="https://example.com"), LineRefusal.NOT_TOTP),
            (line(user_id="ada", otpauth="otpauth://["), LineRefusal.NOT_TOTP),
            (line(user_id="ada", otpauth=URI.replace("totp", "hotp")), LineRefusal.NOT_TOTP),
            (line(user_id="ada", otpauth="otpauth://totp/x"), LineRefusal.NOT_TOTP),
            (line(user_id="ada", otpauth=f"{URI}&secret={WEAK}"), LineRefusal.NOT_TOTP),
            (line(user_id="ada", otpauth=f"{URI}&algorithm=SHA256"), LineRefusal.ALGORITHM),
            (line(user_id="ada", otpauth=f"{URI}&digits=8"), LineRefusal.DIGITS),
            (line(user_id="ada", otpauth=f"{URI}&period=60"), LineRefusal.PERIOD),
            *((line(user_id="ada", secret=bad), LineRefusal.NOT_BASE32) for bad in ("0189", "A" * 17, "é" * 16)),
            (line(user_id="ada", secret=""), LineRefusal.SHORT),
            (line(user_id="ada", secret=base64.b32encode(b"x" * 9).decode()), LineRefusal.SHORT),
            (line(user_id="ada", secret=base64.b32encode(b"x" * 65).decode()), LineRefusal.LONG),
        ],
    )
    def test_is_refused_with_its_reason_alone(self, content: bytes, refusal: LineRefusal) -> None:
        with pytest.raises(LineRefusedError) as caught:
            parse_line(content)
        assert (caught.value.refusal, str(caught.value)) == (refusal, refusal)

    @given(st.binary(max_size=200) | st.text().map(lambda text: line(user_id="ada", otpauth=text)))
    def test_any_other_line_is_refused_too(self, content: bytes) -> None:
        with pytest.raises(LineRefusedError):
            parse_line(content)

    def test_lines_are_numbered_and_a_long_one_is_not_kept(self) -> None:
        file = io.BytesIO(b"one\n\n" + b"x" * 1_000_000 + b"\nfour")
        numbered = list(numbered_lines(file))
        assert [(number, len(content)) for number, content in numbered] == [(1, 4), (3, 4097), (4, 4)]


@pytest.fixture
def import_lines(run_command: Callable[..., Outcome], aws: EmbeddedAws, tmp_path: Path) -> ImportLines:
    """Return a function that imports lines into the embedded table."""

    def execute(*lines: bytes, options: tuple[str, ...] = ("--json",), **others: Any) -> Outcome:
        file = tmp_path / "users.jsonl"
        file.write_bytes(b"\n".join(lines) + b"\n")
        where = (f"--table={TABLE_NAME}", f"--key={aws.key_arn}", f"--file={file}", "--reason=ticket 4711")
        return run_command("import", *where, *options, **others)

    return execute


def imported(user: User, user_id: str, secret: str) -> User:
    return User(user.load, user_id, now=user.now, secret=secret)


class TestImport:
    @pytest.mark.parametrize("secret", [SECRET, ODD])
    def test_an_imported_user_logs_in_and_gets_backup_codes(
        self, import_lines: ImportLines, aws: EmbeddedAws, user: User, secret: str
    ) -> None:
        assert import_lines(line(user_id="ada", secret=secret)).status == 0
        ada = imported(user, "ada", secret)
        assert ada.status() == {
            "enabled": True,
            "state": "ENABLED",
            "enabledAt": "2027-01-15T08:00:15Z",
            "pendingExpiresAt": None,
            "lockedUntil": None,
            "backupCodesRemaining": 0,
        }
        assert ada.verify_backup("QKXA-4821").error == "INVALID_CODE"
        ada.wait(60)
        before = aws.item("ada")
        assert ada.verify().body["warnings"] == ["BACKUP_CODES_LOW"]
        assert "MFARecordTampered" not in [kind for kind, _ in events_of(before, aws.item("ada"))]
        ada.wait()
        assert ada.regenerate().status == 200
        assert ada.verify_backup(ada.backup_codes[0]).status == 200
        assert ada.setup().error == "MFA_ALREADY_ENABLED"

    def test_a_weak_secret_works_too(self, import_lines: ImportLines, user: User, oathtool: str) -> None:
        assert import_lines(line(user_id="ada", secret=WEAK)).status == 0
        command = [oathtool, "--totp", "--base32", f"--now=@{int(user.now)}", WEAK]
        code = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        assert imported(user, "ada", WEAK).verify(code).status == 200

    def test_the_event_names_the_import(self, import_lines: ImportLines, aws: EmbeddedAws) -> None:
        request_id = import_lines(line(user_id="ada", secret=SECRET)).printed["request_id"]
        ((kind, detail),) = events_of(None, aws.item("ada"))
        assert (kind, detail["actor"], detail["request_id"]) == ("MFAEnabled", "import", request_id)
        assert request_id.startswith("import:")

    def test_the_report_counts_and_the_log_has_it(self, import_lines: ImportLines, log: Path) -> None:
        lines = (
            line(user_id="ada", otpauth=URI),
            line(user_id="bob", secret=WEAK),
            b"",
            line(user_id="ada", secret=WEAK),
            b"not json",
            line(user_id="eve", secret="AAAA"),
        )
        outcome = import_lines(*lines)
        assert outcome.status == 6
        assert "line 5: the line is not a JSON object in UTF-8" in outcome.shown
        assert "line 6: the secret has fewer than 80 bits" in outcome.shown
        printed = outcome.printed
        assert [json.loads(each) for each in log.read_text().splitlines()] == [printed]
        assert stat.S_IMODE(log.stat().st_mode) == 0o600
        assert printed.pop("request_id").startswith("import:")
        assert printed.pop("operator").startswith("arn:")
        assert printed == {
            "timestamp": "2027-01-15T08:00:15Z",
            "event": "mfa_operator_command",
            "action": "import",
            "outcome": "refused_lines",
            "dry_run": False,
            "imported": 2,
            "already_there": 1,
            "weak_secrets": 1,
            "refused": {"the line is not a JSON object in UTF-8": 1, "the secret has fewer than 80 bits": 1},
            "reason": "ticket 4711",
            "region": "us-east-1",
            "table": TABLE_NAME,
        }

    def test_without_json_only_people_get_the_report(self, import_lines: ImportLines, log: Path) -> None:
        outcome = import_lines(line(user_id="ada", secret=WEAK), options=())
        assert outcome.out == ""
        assert "imported" in outcome.shown
        assert "weak secret" in outcome.shown
        assert str(log) in outcome.shown.replace("\n", "")

    def test_a_second_run_writes_nothing(self, import_lines: ImportLines, aws: EmbeddedAws) -> None:
        lines = [line(user_id=f"user-{number}", secret=SECRET) for number in range(30)]
        assert import_lines(*lines).printed["imported"] == 30
        with aws.calls.recorded() as made:
            assert import_lines(*lines).printed["already_there"] == 30
        # One call of KMS tries the key.
        assert {name: made.count(name) for name in set(made)} == {
            "sts:GetCallerIdentity": 1,
            "kms:GenerateDataKey": 1,
            "dynamodb:GetItem": 30,
        }

    def test_a_second_factor_that_is_on_is_never_overwritten_not_even_meanwhile(
        self, import_lines: ImportLines, aws: EmbeddedAws, user: User
    ) -> None:
        with aws.calls.before("dynamodb:PutItem", lambda: silently(user.enrol)):
            outcome = import_lines(line(user_id="user-1", secret=SECRET))
        assert (outcome.printed["imported"], outcome.printed["already_there"]) == (0, 1)
        assert "enabled_at" in aws.item("user-1")
        assert user.verify(user.code(steps=1)).status == 200

    @pytest.mark.parametrize("meanwhile", [True, False])
    def test_a_pending_enrolment_does_not_keep_a_user_out(
        self, import_lines: ImportLines, aws: EmbeddedAws, user: User, meanwhile: bool
    ) -> None:
        if not meanwhile:
            user.setup()
        with aws.calls.before("dynamodb:PutItem", lambda: silently(user.setup)) if meanwhile else nullcontext():
            outcome = import_lines(line(user_id="user-1", secret=SECRET))
        assert (outcome.printed["imported"], outcome.printed["already_there"]) == (1, 0)
        assert user.verify_setup().error == "MFA_ALREADY_ENABLED"

    def test_a_lost_response_counts_as_imported(self, import_lines: ImportLines, aws: EmbeddedAws) -> None:
        with aws.calls.repeating("dynamodb:PutItem"):
            assert import_lines(line(user_id="ada", secret=SECRET)).printed["imported"] == 1

    def test_a_dry_run_checks_everything_and_writes_nothing(
        self, import_lines: ImportLines, aws: EmbeddedAws, user: User
    ) -> None:
        user.enrol()
        lines = [line(user_id=name, secret=SECRET) for name in ("user-1", "ada", "ada")]
        with aws.calls.recorded() as made:
            outcome = import_lines(*lines, b"x", options=("--json", "--dry-run"), stdin=io.StringIO())
        assert (outcome.status, outcome.printed["dry_run"]) == (6, True)
        assert (outcome.printed["imported"], outcome.printed["already_there"]) == (1, 2)
        assert "dynamodb:PutItem" not in made
        assert aws.item("ada") == {}

    def test_no_secret_is_written_anywhere(self, import_lines: ImportLines, aws: EmbeddedAws, log: Path) -> None:
        lines = [
            line(user_id="ada", secret=SECRET),
            line(user_id="bob", secret=SECRET, more=1),
            b'{"secret": "' + ODD.encode(),
        ]
        outcome = import_lines(*lines)
        texts = [outcome.out, outcome.shown, log.read_text(), json.dumps(aws.item("ada"))]
        for secret in (SECRET, ODD, base64.b64encode(SECRET.encode()).decode().rstrip("=")):
            assert not any(secret in text for text in texts)

    def test_standard_input_is_read_with_a_confirmation_beforehand(self, import_lines: ImportLines) -> None:
        stdin = io.TextIOWrapper(io.BytesIO(line(user_id="ada", secret=SECRET)))
        outcome = import_lines(options=("--json", "--file=-", "--yes"), stdin=stdin)
        assert outcome.printed["imported"] == 1

    @pytest.mark.parametrize("answer", ["no", ""])
    def test_anything_but_yes_imports_nothing(self, import_lines: ImportLines, aws: EmbeddedAws, answer: str) -> None:
        outcome = import_lines(line(user_id="ada", secret=SECRET), stdin=Terminal(answer))
        assert (outcome.status, outcome.out, aws.item("ada")) == (4, "", {})

    def test_a_file_that_cannot_be_read_is_named(self, import_lines: ImportLines) -> None:
        outcome = import_lines(options=("--file=/no/such/file",))
        assert (outcome.status, outcome.shown) == (1, "/no/such/file cannot be read: No such file or directory.\n")

    def test_a_log_that_cannot_be_written_stops_the_import(self, import_lines: ImportLines, aws: EmbeddedAws) -> None:
        outcome = import_lines(line(user_id="ada", secret=SECRET), options=("--log=/dev/null/log",))
        assert outcome.status == 1
        assert "/dev/null/log cannot be written" in outcome.shown
        assert aws.item("ada") == {}


class TestTrouble:
    @pytest.fixture
    def throttled(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
        """Return a function that lets AWS throttle the first calls of an operation."""

        def throttle(operation: str, times: int) -> None:
            original = botocore.endpoint.Endpoint._get_response
            left = iter(range(times))
            parsed = {"Error": {"Code": "ThrottlingException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}

            def get_response(endpoint: Any, request: Any, operation_model: Any, context: Any) -> Any:
                if operation_model.name == operation and next(left, None) is not None:
                    return (SimpleNamespace(status_code=400, headers={}), dict(parsed)), None
                return original(endpoint, request, operation_model, context)

            monkeypatch.setattr(botocore.endpoint.Endpoint, "_get_response", get_response)

        return throttle

    @pytest.mark.parametrize("operation", ["GenerateDataKey", "PutItem"])
    def test_throttling_slows_the_import_down(
        self, import_lines: ImportLines, throttled: Callable[[str, int], None], operation: str
    ) -> None:
        throttled(operation, 3)
        assert import_lines(*(line(user_id=f"u{n}", secret=SECRET) for n in range(5))).printed["imported"] == 5

    @pytest.mark.parametrize("operation", ["kms:GenerateDataKey", "dynamodb:GetItem", "dynamodb:PutItem"])
    def test_a_missing_permission_is_named_and_a_repeated_run_continues(
        self, import_lines: ImportLines, aws: EmbeddedAws, operation: str
    ) -> None:
        lines = [line(user_id=f"user-{number}", secret=SECRET) for number in range(3)]
        with aws.calls.recorded({operation: refused("AccessDeniedException")}):
            outcome = import_lines(*lines)
        assert outcome.status == 1
        assert f"{operation} failed (AccessDeniedException): your role does not allow" in outcome.shown
        assert import_lines(*lines).printed["imported"] == 3

    def test_an_interrupted_import_says_how_far_it_came(
        self, import_lines: ImportLines, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add = ImportReport.add

        def interrupt_at_third(report: ImportReport, processed: Any) -> None:
            if processed.number == 3:
                raise KeyboardInterrupt
            add(report, processed)

        monkeypatch.setattr(ImportReport, "add", interrupt_at_third)
        outcome = import_lines(*(line(user_id=f"u{n}", secret=SECRET) for n in range(200)))
        assert (outcome.status, outcome.printed["outcome"], outcome.printed["imported"]) == (130, "interrupted", 2)
        assert "Run the same command again" in outcome.shown


def test_lines_are_read_only_as_far_ahead_as_the_workers_need() -> None:
    class Stub:
        """Stands for the repository and the sealer."""

        def has(self, _: str) -> bool:
            return False

        def put(self, *_: object, **__: object) -> bool:
            return True

        def seal(self, *_: object, **__: object) -> SealedSecret:
            return SealedSecret("", "")

    read = 0

    def lines() -> Iterator[tuple[int, bytes]]:
        nonlocal read
        for read in range(1, 2001):
            yield read, line(user_id=f"user-{read}", secret=SECRET)

    stub: Any = Stub()
    ahead = [read - each.number for each in Importer(repository=stub, sealer=stub, clock=lambda: 0).process(lines())]
    assert len(ahead) == 2000
    assert max(ahead) < 8 * WORKERS
