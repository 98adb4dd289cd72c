"""Tests over HTTP; `tests.support.deployed_stack` starts the stack that they share."""

from pathlib import Path

import pytest

from tests.e2e.console_page import app, console, enrolled, name, open_console, person  # noqa: F401 -- fixtures
from tests.e2e.operator_command import operator  # noqa: F401 -- a fixture
from tests.support.browser import chromium, chromium_path, open_page, picture  # noqa: F401 -- fixtures
from tests.support.stack import Aws

_FOLDER = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes the pictures for the documentation."""
    group = parser.getgroup("console")
    group.addoption("--screenshots", type=Path, metavar="FOLDER", help="write the pictures of the console to FOLDER")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, so that ``-m "not e2e"`` leaves them out."""
    for item in items:
        if item.path.is_relative_to(_FOLDER):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def aws(stack_aws: Aws) -> Aws:
    """Return the emulated AWS of the stack under test."""
    return stack_aws
