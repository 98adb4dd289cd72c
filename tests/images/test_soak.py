"""One process of the verify function does not leak memory, files or threads over ten thousand requests.

The package runs as on Lambda: under AWS's runtime client and Runtime Interface Emulator, which sends one request after
the other to one process. A stand-in for DynamoDB always returns the same item, so that the same code stays valid.
"""

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pyotp
import pytest
import urllib3

from functions.shared import contract
from functions.shared.contract import VERIFY
from tests.images.cases import SECRET, stored_item
from tests.images.inside import INVOCATIONS
from tests.images.test_zip import emulated
from tests.support.events import api_event
from tests.support.processes import Holdings, in_session
from tools.bench.fake_aws import running_stand_in

_REQUESTS: Final = 10_000
_WARM_UP: Final = 2_000
_LOOK_EVERY: Final = 1_000
#: Growth allowed after the warm-up. A leak of a kilobyte for each request would be 8 MiB.
_MOST_GROWTH_MEBIBYTES: Final = 4.0


def requests() -> list[tuple[int, Callable[[], dict[str, Any]]]]:
    """Return the requests that are sent in turn, each with its expected status: a login, and errors."""
    totp = pyotp.TOTP(SECRET)

    def request(body: Any) -> dict[str, Any]:
        return api_event(VERIFY, user_id="user-1", body=body)

    return [
        (200, lambda: request({"code": totp.now()})),
        (400, lambda: request({"code": totp.at(int(time.time()) - 6000)})),
        (400, lambda: request({"backupCode": "ABCD-1234"})),
        (400, lambda: request({"code": "12345", "more": "x" * 2000})),
        (401, lambda: api_event(VERIFY, user_id=None)),
    ]


def worker_in(session: int) -> int:
    """Return the id of the function's only process."""
    (worker,) = in_session(session) - {session}  # the id of a session is that of its first process
    return worker


@pytest.mark.attack
def test_ten_thousand_requests_do_not_leak(
    tmp_path: Path, report: Callable[[str, str], None], say: Callable[[str], None]
) -> None:
    asked = requests()
    seen: dict[int, Holdings] = {}
    statuses: Counter[tuple[int, int]] = Counter()
    handler = contract.handler_path(VERIFY.function)
    began = time.monotonic()
    with (
        running_stand_in() as aws,
        emulated(VERIFY.function, handler, tmp_path / "log", aws.server_port) as (port, session),
        urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=1, block=True, timeout=60) as emulator,
    ):
        aws.item = stored_item()
        for number in range(_REQUESTS):
            expected, event = asked[number % len(asked)]
            retries = 50 if number == 0 else 0  # until the emulator listens
            waits = urllib3.Retry(retries, backoff_factor=0.05, backoff_max=0.2)
            answer = emulator.request("POST", INVOCATIONS, body=json.dumps(event()).encode(), retries=waits).json()
            statuses[expected, answer["statusCode"]] += 1
            if number == 0:
                worker = worker_in(session)
            if (number + 1) % _LOOK_EVERY == 0:
                seen[number + 1] = Holdings.of(worker)
                say(f"{number + 1} requests: {seen[number + 1].mebibytes:.1f} MiB")
        assert worker_in(session) == worker, "the process was replaced"
    seconds = time.monotonic() - began
    grown = seen[_REQUESTS].mebibytes - seen[_WARM_UP].mebibytes
    report(
        "Ten thousand requests to one process",
        f"{_REQUESTS} requests to one process of the verify function in {seconds:.0f} s, under AWS's runtime client "
        "and Runtime Interface Emulator: logins, wrong codes, invalid bodies, requests without a user. After the first "
        f"{_WARM_UP} requests its memory grew by {grown:.1f} MiB to {seen[_REQUESTS].mebibytes:.0f} MiB (limit: "
        f"{_MOST_GROWTH_MEBIBYTES:.0f} MiB of growth), and its open files and threads stayed the same.",
    )
    assert all(expected == status for expected, status in statuses), statuses
    assert sum(statuses.values()) == _REQUESTS
    assert grown < _MOST_GROWTH_MEBIBYTES
    after = [held for count, held in seen.items() if count >= _WARM_UP]
    assert len({(held.files, held.threads) for held in after}) == 1, after
