"""The credentials of every role, in a thief's hands: the whole list of calls, and the table of what came of them."""

from collections.abc import Callable

import pytest

from local.stack import Stack
from tests.support.privileges import DENIED, DONE, MAY, attempts
from tests.support.stack import Aws

#: So many interesting calls at least are tried that a role must not be able to make.
MUST_NOT = 20

pytestmark = pytest.mark.e2e


@pytest.mark.attack
def test_a_thief_of_any_roles_credentials_can_do_what_its_function_does_and_nothing_else(
    stack: Stack, aws: Aws, report: Callable[[str, str], None], say: Callable[[str], None]
) -> None:
    tried: dict[str, dict[str, str]] = {}
    for function in sorted(MAY):
        tried[function] = attempts(aws, stack, function)
        say(f"{len(tried)} of {len(MAY)} roles: {function}")
    rows = []
    for function, came in tried.items():
        done = [action for action in came if came[action] == DONE]
        denied = [action for action in came if came[action] == DENIED]
        assert set(done) == MAY[function], function
        assert len(denied) == len(came) - len(done) > MUST_NOT, function
        rows.append(f"| `{function}` | {', '.join(f'`{action}`' for action in done)} | {len(denied)} |")
    calls = ", ".join(f"`{action}`" for action in sorted(next(iter(tried.values()))))
    report(
        "Least privilege, tried with each role's credentials",
        f"""
Each call below was made with the credentials of each function's role, against IAM as the embedded AWS enforces it.
What is not listed as done was denied. An administrator is denied none of it, but for the uses of the key that its own
policy opens to nobody (`tests/e2e/test_least_privilege.py`): so a denial is the role's.

| Role of | Done | Denied |
|---|---|---|
{"\n".join(rows)}

Tried: {calls}.
""",
    )
