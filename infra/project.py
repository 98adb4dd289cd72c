"""What ``pyproject.toml`` states about the project, read once. Nothing else in the code contains the version."""

import tomllib
from typing import Any, Final

from infra.paths import REPOSITORY

PROJECT: Final[dict[str, Any]] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
#: The version of the service, such as ``1.0.0``.
VERSION: Final[str] = PROJECT["version"]
