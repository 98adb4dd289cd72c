"""Environment variables of this function, read once at start-up into typed values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from functions.shared.contract import Env
from functions.shared.settings import (
    ConfigurationError,
    read_environment,
    read_event_bus_name,
    read_log_level,
    read_version,
)

_QUEUE_URL: Final = re.compile(r"https?://[^\s/]+/\d{12}/[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True)
class SecurityEventsSettings:
    """The event bus and the dead-letter queue."""

    environment: str
    log_level: str
    event_bus_name: str
    dead_letter_queue_url: str
    version: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings.

        Raises
        ------
        ConfigurationError
            A variable is missing or invalid.
        """
        queue_url = environ.get(Env.DEAD_LETTER_QUEUE_URL, "").strip()
        if not _QUEUE_URL.fullmatch(queue_url):
            raise ConfigurationError(Env.DEAD_LETTER_QUEUE_URL, "expected the URL of an SQS queue")
        return cls(
            environment=read_environment(environ),
            log_level=read_log_level(environ),
            event_bus_name=read_event_bus_name(environ),
            dead_letter_queue_url=queue_url,
            version=read_version(environ),
        )
