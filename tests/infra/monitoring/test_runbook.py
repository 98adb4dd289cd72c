"""The runbook has exactly one heading for each alarm, and its links, queries and names are valid."""

import re
from functools import cache

from functions.shared import contract
from infra.constructs.release import RUNBOOK_HEADING
from infra.monitoring.queries import SAVED_QUERIES
from infra.monitoring.rules import PAGE_KEY
from infra.paths import REPOSITORY
from tests.infra.monitoring.templates import Monitoring

RUNBOOK = (REPOSITORY / "docs" / "runbook.md").read_text()
#: First what to do, then how it works.
PARTS = ("**Look.**", "**Resolve.**", "**Means.**")


@cache
def _sections() -> dict[str, str]:
    """Return the text below each heading, by the heading's anchor."""
    parts = re.split(r"^#{1,6} (.+)$", RUNBOOK, flags=re.MULTILINE)
    headings = [heading.lower().replace(" ", "-") for heading in parts[1::2]]
    assert len(headings) == len(set(headings))
    return dict(zip(headings, parts[2::2], strict=True))


def test_headings_and_alarms_match(prod: Monitoring) -> None:
    documented = {heading for heading, text in _sections().items() if PARTS[0] in text}
    assert documented == {*prod.alarms, PAGE_KEY, RUNBOOK_HEADING}


def test_each_heading_has_its_three_parts(prod: Monitoring) -> None:
    for key in (*prod.alarms, PAGE_KEY, RUNBOOK_HEADING):
        positions = [_sections()[key].find(part) for part in PARTS]
        assert -1 not in positions, key
        assert positions == sorted(positions), key


def test_alarms_that_page_say_so(prod: Monitoring) -> None:
    assert {key for key, text in _sections().items() if "**This pages" in text} == prod.paging


def test_links_from_the_dashboard_have_a_heading(prod: Monitoring) -> None:
    linked = re.findall(r"runbook\.md#([^)\s]+)", str(prod.overview))
    assert linked
    assert set(linked) - set(_sections()) == set()


def test_quotes_every_saved_query() -> None:
    for query in SAVED_QUERIES:
        assert f"**`{query.name}`**" in RUNBOOK
        assert f"```\n{query.text}\n```" in RUNBOOK


def test_names_only_existing_functions() -> None:
    named = set(re.findall(r"([a-z-]+)-\$E\"", RUNBOOK)) - {"mfa"}
    folders = {endpoint.function for endpoint in contract.ENDPOINTS}
    folders |= {contract.AUTHORIZER_FUNCTION, contract.SECURITY_EVENTS_FUNCTION, contract.SIGNING_KEYS_FUNCTION}
    assert named
    assert {name.replace("-", "_") for name in named} <= folders
