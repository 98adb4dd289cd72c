"""The README tells what is inert on one machine, all of it and nothing else."""

import re

from infra.paths import REPOSITORY
from local.emulator.inert import INERT


def test_the_readme_lists_what_is_inert() -> None:
    section = (REPOSITORY / "README.md").read_text().split("## On one machine")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    assert rows[1:] == [(inert.what, inert.instead) for inert in INERT]
