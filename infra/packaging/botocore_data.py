"""botocore's description of every AWS service, cut to the services and operations that the functions call.

Whole, it is two thirds of botocore's size. Reading the endpoints of all services, and the hundreds of operations of
two of them, is a good part of what making a client costs.
"""

import gzip
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from infra.packaging.errors import PackagingError

#: Files that making any client reads.
_COMMON: Final = ("_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json")

#: Of a service's own files, those that a client reads; the rest are examples, paginators and waiters.
_MODEL: Final = "service-2.json.gz"
_SERVICE_FILES: Final = (_MODEL, "endpoint-rule-set-1.json.gz")

#: The operations that some function calls; `infra.permissions` says which.
OPERATIONS: Final[Mapping[str, frozenset[str]]] = {
    "dynamodb": frozenset({"GetItem", "PutItem", "UpdateItem", "DeleteItem"}),
    "kms": frozenset({"GenerateDataKey", "Decrypt"}),
    "events": frozenset({"PutEvents"}),
    "sqs": frozenset({"SendMessage"}),
}


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
    _cut_operations(newest / _MODEL, OPERATIONS[service.name])


def _cut_operations(path: Path, names: frozenset[str]) -> None:
    """Leave the named operations, and of the shapes those that they are made of."""
    model: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    if missing := names - model["operations"].keys():
        raise PackagingError(f"botocore's {path.parent.parent.name} has no operation {', '.join(sorted(missing))}.")
    model["operations"] = {name: each for name, each in model["operations"].items() if name in names}
    needed: set[str] = set()
    found = set(_shapes(model["operations"]))
    while found:
        needed |= found
        found = {shape for name in found for shape in _shapes(model["shapes"][name])} - needed
    model["shapes"] = {name: each for name, each in model["shapes"].items() if name in needed}
    content = json.dumps(model, separators=(",", ":"), sort_keys=True).encode()
    # No time stamp: the same package each time.
    path.write_bytes(gzip.compress(content, mtime=0))


def _shapes(part: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield the names of the shapes that a part of a model refers to, however deep."""
    if isinstance(part, dict):
        if isinstance(part.get("shape"), str):
            yield part["shape"]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _shapes(each)


def _cut_endpoints(path: Path, services: Sequence[str]) -> None:
    # The services' names are their endpoint prefixes too, for all that are used here.
    endpoints: dict[str, Any] = json.loads(path.read_bytes())
    for partition in endpoints["partitions"]:
        partition["services"] = {name: each for name, each in partition["services"].items() if name in services}
    path.write_text(json.dumps(endpoints, separators=(",", ":"), sort_keys=True))
