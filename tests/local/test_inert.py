"""``docs/local.md`` lists exactly the resources that are accepted but not emulated."""

import re

from infra.paths import REPOSITORY
from local.emulator.inert import INERT


def test_the_page_lists_every_inert_resource() -> None:
    section = (REPOSITORY / "docs" / "local.md").read_text().partition("## What is not emulated")[2]
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    assert rows[1:] == [*INERT.items()]
