"""``docs/security.md`` agrees with the code and links existing tests."""

import re
from datetime import timedelta

import pytest

from functions.shared.contract import FREE_ATTEMPTS, MAX_CONSECUTIVE_FAILURES, WINDOW
from functions.shared.lockout import Failures
from infra.paths import REPOSITORY
from tests.support.pages import rows, section, text_of

PAGE = text_of("security.md")
_TEST = re.compile(r"\[`(test_\w+)`\]\(\.\./(tests/[\w/]+\.py)\)")


def test_every_linked_test_exists() -> None:
    missing = [
        f"{file}: {test}"
        for test, file in set(_TEST.findall(PAGE))
        if not re.search(rf"^ *def {test}\(", (REPOSITORY / file).read_text(), re.MULTILINE)
    ]

    assert missing == []


def test_every_requirement_that_is_met_links_a_test() -> None:
    met = [row for row in rows(PAGE) if any(re.match("pass(,|$)", cell) for cell in row)]

    assert met
    assert [row[0] for row in met if not _TEST.search(row[-1])] == []


def guesses(time: timedelta) -> int:
    """Return how many codes an attacker can try within a time, each at the moment the lock ends."""
    failures, now, count = Failures(), 0.0, 0
    while (now := max(now, failures.locked_until() or 0)) < time.total_seconds():
        failures, count = failures.after(now), count + 1
    return count


def test_the_chances_of_guessing_match_the_code() -> None:
    table = rows(section("security.md", "Guessing codes"))
    a_day, a_year = guesses(timedelta(days=1)), 365 * guesses(timedelta(days=1))
    unlocked = 365 * (FREE_ATTEMPTS - 1)
    tried = [guesses(timedelta(minutes=1)), a_day, MAX_CONSECUTIVE_FAILURES, round(a_year, -3), unlocked, 10 * unlocked]
    chance = (2 * WINDOW + 1) / 10**6

    assert [int(re.sub(r"\D", "", cells[1])) for cells in table] == tried
    documented = [float(cells[2].removesuffix(" %")) / 100 for cells in table]
    assert documented == pytest.approx([1 - (1 - chance) ** count for count in tried], rel=0.15)
    assert guesses(timedelta(days=4)) == MAX_CONSECUTIVE_FAILURES > guesses(timedelta(days=3))
