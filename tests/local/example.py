"""A stack for tests that run none."""

from dataclasses import fields
from typing import Any

from local.stack import Stack

_VALUES: dict[str, Any] = {field.name: {} if field.name == "functions" else field.name for field in fields(Stack)}
#: Each value is the name of its field.
STACK = Stack(**_VALUES)
