"""A bit changes in the table of the deployed stack: no byte of a stored secret is one that does not matter."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from functions.shared.contract import DISABLE, STATUS, VERIFY
from tests.support.http_user import HttpUser

pytestmark = [pytest.mark.e2e, pytest.mark.attack]


def changed(text: str) -> Iterator[str]:
    """Yield the text with one bit changed, once for each character."""
    for position, char in enumerate(text):
        yield text[:position] + chr(ord(char) ^ 1 << position % 7) + text[position + 1 :]


def test_no_byte_of_the_stored_text_can_be_changed(
    new_user: Callable[[str], HttpUser], report: Callable[[str, str], None], say: Callable[[str], None]
) -> None:
    user = new_user("damaged-secret@example.com")
    user.enrol()
    item = user.item()
    secret = item["encrypted_secret"]["S"]
    statuses: Counter[int] = Counter()
    for number, damaged in enumerate(changed(secret)):
        if number % 100 == 0:
            say(f"{number} of {len(secret)} bytes")
        user.set(encrypted_secret={"S": damaged})
        body = {"code": user.code()} if number % 2 else {"backupCode": user.backup_codes[number % 8]}
        answer = user.call(DISABLE if number % 5 == 0 else VERIFY, body)
        assert (answer.status, answer.error) in {(500, "INTERNAL_ERROR"), (503, "SERVICE_UNAVAILABLE")}, number
        statuses[answer.status] += 1

    assert user.call(STATUS).body["backupCodesRemaining"] == 8
    user.set(encrypted_secret=item["encrypted_secret"])
    assert user.item() == item
    assert user.verify_backup(user.backup_codes[0]).status == 200
    counted = ", ".join(f"{number} x {status}" for status, number in sorted(statuses.items()))
    report(
        "A stored secret, bit by bit",
        f"A bit changed in each of the {len(secret)} bytes of a secret as it is stored, and a right code sent over\n"
        f"HTTP each time: {counted}; no code was accepted, and nothing was written.",
    )
