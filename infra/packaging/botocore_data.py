"""botocore's description of every AWS service, cut to the services that a function calls.

Whole, it is two thirds of botocore's size, and reading the list of all endpoints is a good part of what making a
client costs.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from infra.packaging.errors import PackagingError

#: Files that making any client reads.
_COMMON: Final = ("_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json")

#: Of a service's own files, those that a client reads; the rest are examples, paginators and waiters.
_SERVICE_FILES: Final = ("service-2.json.gz", "endpoint-rule-set-1.json.gz")


def cut(data: Path, services: Sequence[str]) -> None:
    """Delete from botocore's ``data`` folder what clients of the services do not read."""
    for name in (*_COMMON, *services):
        if not (data / name).exists():
            raise PackagingError(f"botocore has no {name}: its layout changed, or the service is unknown.")
    for entry in data.iterdir():
        if entry.name in services:
            _cut_service(entry)
        elif entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name not in _COMMON:
            entry.unlink()
    _cut_endpoints(data / "endpoints.json", services)


def _cut_service(service: Path) -> None:
    *old, newest = sorted(service.iterdir())
    for version in old:
        shutil.rmtree(version)
    for file in newest.iterdir():
        if file.name not in _SERVICE_FILES:
            file.unlink()


def _cut_endpoints(path: Path, services: Sequence[str]) -> None:
    # The services' names are their endpoint prefixes too, for all that are used here.
    endpoints: dict[str, Any] = json.loads(path.read_bytes())
    for partition in endpoints["partitions"]:
        partition["services"] = {name: each for name, each in partition["services"].items() if name in services}
    path.write_text(json.dumps(endpoints, separators=(",", ":"), sort_keys=True))
