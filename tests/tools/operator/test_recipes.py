"""The recipes of ``docs/import.md``, as written, on a sample of each system's export."""

import io
import json
import re
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from infra.paths import REPOSITORY
from tests.support.embedded_aws import TABLE_NAME, EmbeddedAws
from tests.support.life_cycle import User
from tests.support.pages import fences, section
from tools.operator.import_file import LineRefusal, LineRefusedError, parse_line

SAMPLES = Path(__file__).parent / "samples"
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
#: Keycloak's characters, in base32.
CHARACTERS = "IFREGZCFMZDWQSLKJNWE23SPOBIXEU3U"


def recipe(heading: str) -> str:
    (block,) = fences(section("import.md", heading), "sh")
    return block


def run(block: str, folder: Path) -> None:
    """Run a block beside the samples; the AWS command line prints the sample of a user pool."""
    shutil.copytree(SAMPLES, folder, dirs_exist_ok=True)
    shutil.copytree(SAMPLES, folder / "export")
    (folder / ".venv").symlink_to(REPOSITORY / ".venv")
    commands = f"aws() {{ cat {SAMPLES}/pool.json; }}\n{block}"
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "POOL": "pool"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def read(lines: str) -> list[tuple[str, str] | LineRefusal]:
    """Return what the import reads: users and secrets, or the reasons of refusals."""
    found: list[tuple[str, str] | LineRefusal] = []
    for line in lines.splitlines():
        try:
            user = parse_line(line.encode())
            found.append((user.user_id, user.secret))
        except LineRefusedError as error:
            found.append(error.refusal)
    return found


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        (
            "Keycloak",
            [
                ("0b2c9a3e-5d0f-4a50-b6f4-9f1ad2b0c0de", CHARACTERS),
                ("1b2c9a3e-5d0f-4a50-b6f4-9f1ad2b0c0de", SECRET),
                LineRefusal.ALGORITHM,
            ],
        ),
        ("Authelia", [("ada", SECRET), LineRefusal.ALGORITHM]),
        ("Auth0", [("auth0|5f7c8ec7c33c6c004bbafe82", SECRET)]),
        ("A spreadsheet", [("ada", SECRET), LineRefusal.NOT_TOTP]),
    ],
)
def test_the_recipe_makes_a_file_that_can_be_imported(system: str, expected: list[object], tmp_path: Path) -> None:
    run(recipe(system), tmp_path)
    assert read((tmp_path / "users.jsonl").read_text()) == expected


def test_names_are_replaced_by_the_ids_of_the_user_pool(tmp_path: Path) -> None:
    names = ("ada", "bob@example.com", "nobody")
    lines = "".join(f"{json.dumps({'user_id': name, 'secret': SECRET})}\n" for name in names)
    (tmp_path / "users.jsonl").write_text(lines)
    run(recipe("Names instead of ids"), tmp_path)
    assert read((tmp_path / "users-with-ids.jsonl").read_text()) == [("id-of-ada", SECRET), ("id-of-bob", SECRET)]


def test_an_older_table_is_opened_with_its_key(
    aws: EmbeddedAws, enrolled: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.set("user-1", status=None, version=None)
    pending = User(enrolled.load, user_id="user-2")
    pending.setup()
    program = re.search(r"<<'PY'\n(.*)PY\n", recipe("An older table of this service"), re.DOTALL)
    assert program
    monkeypatch.setattr(sys, "argv", ["-", TABLE_NAME, aws.key_arn])
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(program[1], {})  # noqa: S102 -- our own page
    assert read(printed.getvalue()) == [("user-1", enrolled.secret)]
