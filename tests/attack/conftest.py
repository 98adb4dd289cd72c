"""Attacks on the deployed stack; `tests.support.attacks` has their options and the report."""

import pytest

from tests.support.stack import Aws


@pytest.fixture(scope="session")
def aws(stack_aws: Aws) -> Aws:
    """Return the emulated AWS of the stack under test."""
    return stack_aws
