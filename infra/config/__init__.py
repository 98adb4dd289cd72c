"""The settings of an environment: their types and defaults, what differs per environment, and how they are read."""

from infra.config.model import ALL_AT_ONCE, DEV, ENVIRONMENTS, FALLBACK_REGION, IMAGE, LOCAL, PROD, Config, load_config
from infra.settings import ConfigError

__all__ = [
    "ALL_AT_ONCE",
    "DEV",
    "ENVIRONMENTS",
    "FALLBACK_REGION",
    "IMAGE",
    "LOCAL",
    "PROD",
    "Config",
    "ConfigError",
    "load_config",
]
