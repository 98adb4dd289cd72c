"""Settings from a file: the same fields as on the command line, in JSON or TOML."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from infra.settings import ConfigError

_FORMATS: Final = {".json": ("JSON", json.loads), ".toml": ("TOML", tomllib.loads)}


def read_settings_file(path: Path) -> dict[str, Any]:
    """Return a file's settings by their names; a table within, such as ``monitoring``, gives dotted names.

    Raises
    ------
    ConfigError
        It cannot be read, or is neither JSON nor TOML.
    """
    if path.suffix not in _FORMATS:
        raise ConfigError(f"config: expected a file that ends in {' or '.join(_FORMATS)}, got {str(path)!r}")
    name, parse = _FORMATS[path.suffix]
    try:
        document = parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"config: expected a file that can be read, got {str(path)!r}: {error.strerror}") from None
    except ValueError as error:  # both parsers' errors, and text that is not UTF-8
        raise ConfigError(f"config: expected {name} in {str(path)!r}, but {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise ConfigError(f"config: expected an object of settings in {str(path)!r}")
    return dict(_flat(document))


def text_of(value: object) -> str:
    """Return a value as the command line would give it; ``cdk.json`` and files have types of their own."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ",".join(text_of(each) for each in value)
    return str(value)


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
