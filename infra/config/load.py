"""Reading settings: the CDK context over a file over the environment's defaults."""

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from infra.config.environments import ENVIRONMENTS
from infra.config.fields import ConfigError
from infra.config.functions import FunctionsConfig
from infra.config.model import DEV, FALLBACK_REGION, Config
from infra.config.monitoring import MonitoringConfig

#: The setting that names a file of settings.
_FILE: Final = "config"
_FORMATS: Final = {".json": ("JSON", json.loads), ".toml": ("TOML", tomllib.loads)}


def load_config(context: Mapping[str, Any], process_environment: Mapping[str, str] = os.environ) -> Config:
    """Return the configuration that a CDK context asks for.

    Parameters
    ----------
    context
        The app's context. Keys that look like a name (``memory_mb``) are settings; feature flags and cached
        look-ups, which contain a ``/``, ``:`` or ``@``, are ignored. ``config`` names a file of settings; those
        of the context take precedence.
    process_environment
        Where the CDK CLI leaves ``CDK_DEFAULT_REGION``.

    Raises
    ------
    ConfigError
        A setting is unknown or invalid, or two contradict each other.
    """
    given = {name: _text(value) for name, value in context.items() if re.fullmatch(r"[\w.-]+", name)}
    if file := given.pop(_FILE, ""):
        given = {name: _text(value) for name, value in _flat(_read(Path(file)))} | given
    for name in given:
        if name not in SETTINGS:
            raise ConfigError(f"{name}: no such setting, {_hint(name)}")
    region = process_environment.get("CDK_DEFAULT_REGION") or FALLBACK_REGION
    given = {"environment": DEV, "region": region} | given
    settings = ENVIRONMENTS.get(given["environment"], ENVIRONMENTS[DEV]).model_dump()
    for name, text in given.items():
        *tables, field = name.split(".")
        group = settings
        for table in tables:
            group = group[table]
        group[field] = text
    return Config(**settings)


def _hint(name: str) -> str:
    if near := get_close_matches(name, SETTINGS, n=1):
        return f"did you mean {near[0]}?"
    groups = f"{FunctionsConfig.prefix}*, {MonitoringConfig.prefix}*"
    return f"expected one of {', '.join(each for each in SETTINGS if '.' not in each)}, {groups}"


def _read(path: Path) -> dict[str, Any]:
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
    return document


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the settings of a file by their names on the command line."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _text(value: object) -> str:
    """Return a value as the command line would give it; ``cdk.json`` and files have types."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ",".join(_text(each) for each in value)
    return str(value)


#: Every setting by its name on the command line.
SETTINGS: Final = tuple(name for name, _ in _flat(Config().model_dump()))
