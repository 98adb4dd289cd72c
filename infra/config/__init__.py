"""The settings of an environment. Needs no CDK, so that packaging and local tooling read the same settings."""

from infra.config.environments import ENVIRONMENTS as ENVIRONMENTS
from infra.config.fields import ConfigError as ConfigError
from infra.config.load import load_config as load_config
from infra.config.model import ALL_AT_ONCE as ALL_AT_ONCE
from infra.config.model import DEV as DEV
from infra.config.model import FALLBACK_REGION as FALLBACK_REGION
from infra.config.model import IMAGE as IMAGE
from infra.config.model import LOCAL as LOCAL
from infra.config.model import PROD as PROD
from infra.config.model import Config as Config
from infra.config.monitoring import ALL as ALL
from infra.config.monitoring import MonitoringConfig as MonitoringConfig
from infra.config.monitoring import Thresholds as Thresholds
