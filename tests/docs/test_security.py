"""``docs/security.md`` says what the code does and what the tests show."""

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest

from functions.shared.backup_codes import BackupCodeKeys
from functions.shared.contract import MAX_CONSECUTIVE_FAILURES
from functions.shared.lockout import Failures
from functions.shared.totp import STEP_SECONDS, WINDOW
from infra.paths import REPOSITORY
from tests.docs import defences
from tests.support.pages import rows, section, text_of
from tools.docsite import envelope

PAGE = text_of("security.md")
_TEST = re.compile(r"\[`((?:Test\w+::)?test_.+?)`\]\(\.\./(tests/[\w/]+\.py)\)")
VERDICTS = {"pass", "pass, with a subscriber of yours", "deviation", "not applicable"}


def named_tests(text: str) -> list[tuple[str, str]]:
    """Return the tests that a text names: file and name, with parameters where it has some."""
    return [(file, name.replace("&#124;", "|")) for name, file in _TEST.findall(text)]


def names_in(file: str) -> set[str]:
    """Return the names of the tests in a file, those in classes with and without the name of their class."""
    found: set[str] = set()
    for node in ast.parse((REPOSITORY / file).read_text()).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        names = {each.name for each in inner if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")}
        found |= names | ({f"{node.name}::{name}" for name in names} if isinstance(node, ast.ClassDef) else set())
    return found


def test_every_test_that_it_names_exists() -> None:
    named = set(named_tests(PAGE))
    there = {file: names_in(file) for file, _ in named}

    assert len(named) >= 100
    # Parameters are those of the defences, which `tests.attack.test_defences` holds to what is collected.
    assert [test for test in sorted(named) if test[1].partition("[")[0] not in there[test[0]]] == []


def test_every_link_to_a_test_is_one_that_was_read() -> None:
    assert len(re.findall(r"\]\(\.\./tests/", PAGE)) == len(named_tests(PAGE))


@pytest.mark.parametrize("heading", ["Who attacks, and what stops them", "What users of other systems suffered"])
def test_every_claim_names_what_shows_it(heading: str) -> None:
    claims = rows(section("security.md", heading))

    assert len(claims) >= 14
    assert [claim[0] for claim in claims if not named_tests(claim[-1])] == []


@pytest.mark.parametrize(("heading", "least"), [("NIST SP 800-63B-4", 15), ("OWASP ASVS 5.0", 20)])
def test_every_requirement_has_a_verdict_and_what_shows_it(heading: str, least: int) -> None:
    requirements = rows(section("security.md", heading))

    assert len(requirements) >= least
    for number, _, verdict, how in requirements:
        assert verdict in VERDICTS, number
        assert verdict == "not applicable" or named_tests(how) or verdict == "deviation", number
        assert verdict != "deviation" or len(re.sub(_TEST, "", how).split()) > 2, number


def test_the_defences_are_those_that_are_attacked() -> None:
    shown = PAGE.partition(defences.BEGIN)[2].partition(defences.END)[0]

    assert shown == defences.table()


def guesses(time: timedelta) -> int:
    """Return how many codes a patient attacker tries in a time: each at the moment the lock ends."""
    failures, now, count = Failures(), 0.0, 0
    while (now := max(now, failures.locked_until() or 0)) < time.total_seconds():
        failures, count = failures.after(now), count + 1
    return count


def test_the_chances_of_guessing_are_those_of_the_code() -> None:
    table = rows(section("security.md", "How hard guessing is"))
    a_day, a_year = guesses(timedelta(days=1)), 365 * guesses(timedelta(days=1))
    tried = [guesses(timedelta(minutes=1)), a_day, MAX_CONSECUTIVE_FAILURES, round(a_year, -3)]
    chance = (2 * WINDOW + 1) / 10**6

    assert [int(re.sub(r"\D", "", cells[1])) for cells in table] == tried
    told = [float(cells[2].removesuffix(" %")) / 100 for cells in table]
    assert told == pytest.approx([1 - (1 - chance) ** count for count in [*tried[:3], a_year]], rel=0.15)
    assert guesses(timedelta(days=4)) == MAX_CONSECUTIVE_FAILURES > guesses(timedelta(days=3))


def test_the_window_and_the_odds_in_words_are_those_of_the_code() -> None:
    text = section("security.md", "How hard guessing is")

    assert f"about {(2 * WINDOW + 1) * STEP_SECONDS} seconds in all" in text
    assert f"{2 * WINDOW + 1} in a million" in text
    assert round(26**4 * 10**4 / 1e9, 1) == 4.6
    assert len(BackupCodeKeys.derive(secret=bytes(20), salt=bytes(16)).codes()) == 8


def test_what_an_otp_cannot_do_is_said_at_the_beginning() -> None:
    assert "not phishing-resistant" in PAGE.partition("\n## ")[0]


def test_the_picture_of_the_envelope_is_the_one_that_the_code_draws() -> None:
    assert envelope.PICTURE.read_text() == envelope.picture()


def test_a_message_is_taken_apart_into_the_parts_that_the_picture_shows() -> None:
    message = envelope.sealed_message()
    parts = envelope.taken_apart(message)

    assert b"".join(parts.values()) == message
    assert b"user-1" in parts["encryption context"]
    assert parts["IV"] == (1).to_bytes(12)
    assert (len(parts["ciphertext"]), len(parts["tag of it"])) == (32, 16)
    assert f">{len(parts['commitment'])} bytes<" in envelope.picture()


@pytest.mark.parametrize("change", [lambda message: message + b"\0", lambda message: b"\1" + message[1:]])
def test_another_form_of_message_is_not_drawn(change: object) -> None:
    assert callable(change)
    with pytest.raises(ValueError, match="form"):
        envelope.taken_apart(change(envelope.sealed_message()))


def test_how_to_report_is_said_where_github_looks_for_it() -> None:
    text = (REPOSITORY / "SECURITY.md").read_text()

    assert Path(REPOSITORY / "docs" / "security.md").exists()
    assert "docs/security.md" in text
    assert "private vulnerability report" in text.lower()
