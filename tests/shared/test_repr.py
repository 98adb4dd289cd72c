"""What a debugger, a traceback with local variables or a careless log line would show of an object."""

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

import functions

#: Names of the fields that hold a secret, a code, a key, or a body that contains one.
CONFIDENTIAL = frozenset(
    ("secret", "code", "codes", "backup_code", "backup_codes", "qr_code", "key", "deriving", "hashing", "body")
)
#: Keyed hashes, as they are stored; an issuer's public key; the ARN of a key; the type of a body.
PUBLIC = {("MfaRecord", "backup_codes"), ("_PublishedKey", "key"), ("ProofSettings", "key"), ("Route", "body")}


def classes() -> Iterator[type[Any]]:
    """Yield every class of the functions but those in their entry points, which read the environment."""
    for module in pkgutil.walk_packages(functions.__path__, "functions."):
        if not module.name.endswith(".handler"):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, type) and value.__module__ == module.name:
                    yield value


def shown(of: type[Any]) -> set[str]:
    """Return the fields in the ``repr`` of a class's objects."""
    if dataclasses.is_dataclass(of):
        return {each.name for each in dataclasses.fields(of) if each.repr}
    if issubclass(of, BaseModel):
        return {name for name, each in of.model_fields.items() if each.repr}
    return set()


@pytest.mark.parametrize("of", [*classes()], ids=lambda of: of.__name__)
def test_no_object_shows_what_is_confidential(of: type[Any]) -> None:
    assert {(of.__name__, name) for name in shown(of) & CONFIDENTIAL} <= PUBLIC


def test_the_fields_of_every_kind_of_class_are_seen() -> None:
    seen = {(of.__name__, name) for of in classes() for name in shown(of)}
    assert {("Identity", "user_id"), ("OfferedCode", "factor")} <= seen
    assert ("MfaRecord", "backup_codes") in seen
