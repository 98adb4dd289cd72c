"""The settings of monitoring among all others: ``monitoring.paging``, ``monitoring.thresholds.errors`` and so on."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final, get_type_hints

from infra.config.monitoring import MonitoringConfig, Thresholds
from infra.settings import ConfigError, Kind, boolean, integer, number, optional, pattern, several

#: The names' first part.
MONITORING: Final = "monitoring"

_WORD: Final = pattern(r"\S+", "text without spaces")
_KINDS: Final[Mapping[object, Kind[Any]]] = {
    bool: boolean(),
    int: integer(1, 1_000_000_000),
    float: number(),
    str: _WORD,
    int | None: optional(integer(1, 1_000_000_000)),
    tuple[str, ...]: several(_WORD),
}


def _kinds(owner: type, prefix: str) -> dict[str, Kind[Any]]:
    hints = get_type_hints(owner)
    return {f"{prefix}.{each.name}": _KINDS[hints[each.name]] for each in fields(owner) if hints[each.name] in _KINDS}


_THRESHOLDS: Final = f"{MONITORING}.thresholds"
_KINDS_OF_THRESHOLDS: Final = _kinds(Thresholds, _THRESHOLDS)
_KINDS_OF_MONITORING: Final = _kinds(MonitoringConfig, MONITORING)

#: Every setting of monitoring by its full name.
MONITORING_KINDS: Final[Mapping[str, Kind[Any]]] = _KINDS_OF_MONITORING | _KINDS_OF_THRESHOLDS


def with_settings(start: MonitoringConfig, given: Mapping[str, str]) -> MonitoringConfig:
    """Return the monitoring of an environment with some settings changed.

    Parameters
    ----------
    start
        What the environment begins with.
    given
        Text by full name, each one of :data:`MONITORING_KINDS`.

    Raises
    ------
    ConfigError
        A value is not as expected, or does not go with the others.
    """
    try:
        thresholds = replace(start.thresholds, **_values(given, _KINDS_OF_THRESHOLDS))
        return replace(start, thresholds=thresholds, **_values(given, _KINDS_OF_MONITORING))
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _values(given: Mapping[str, str], kinds: Mapping[str, Kind[Any]]) -> dict[str, Any]:
    return {name.rpartition(".")[2]: kinds[name].read(name, text) for name, text in given.items() if name in kinds}
