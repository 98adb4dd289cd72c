"""Folders of tests share code only through `tests.support`, with one exception."""

import ast
from collections.abc import Iterator
from pathlib import Path

from infra.paths import REPOSITORY

TESTS = REPOSITORY / "tests"

#: Both are commands that the pipeline runs against a deployment, and they find it in the same way.
EXCEPTIONS = {("acceptance", "smoke")}


def imported_folders(module: Path) -> Iterator[str]:
    """Yield the folders of tests that a module imports from."""
    for node in ast.walk(ast.parse(module.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for package, folder, *_ in ([*name.split("."), ""] for name in names):
            if package == "tests":
                yield folder


def test_folders_of_tests_import_only_support() -> None:
    crossing = {
        f"{module.relative_to(TESTS)} imports tests.{folder}"
        for module in TESTS.rglob("*.py")
        if module.parent != TESTS
        for folder in imported_folders(module)
        if folder not in {own := module.relative_to(TESTS).parts[0], "support"}
        if (own, folder) not in EXCEPTIONS
    }
    assert crossing == set()
