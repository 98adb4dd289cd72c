"""botocore's API models, trimmed to the services and operations that the functions call.

The complete models are two thirds of botocore's size. Reading every service's endpoints, and hundreds of operations of
two services, is a large part of the time that creating a client takes.
"""

import gzip
import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from infra.packaging.workspace import PackagingError

#: Files that every client reads.
_COMMON: Final = ("_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json")

#: The files of a service that a client reads; the others are examples, paginators and waiters.
_MODEL: Final = "service-2.json.gz"
_SERVICE_FILES: Final = (_MODEL, "endpoint-rule-set-1.json.gz")


def trim(data: Path, operations: Mapping[str, Collection[str]]) -> None:
    """Delete everything from botocore's ``data`` folder that clients do not need for some operations.

    Parameters
    ----------
    data
        The folder.
    operations
        The names of the operations to keep, by service.

    Raises
    ------
    PackagingError
        botocore does not have a service or an operation, or its files are not where they are expected.
    """
    for name in (*_COMMON, *operations):
        if not (data / name).exists():
            raise PackagingError(f"botocore has no {name}: its layout changed, or the service is unknown.")
    for entry in data.iterdir():
        if entry.name in operations:
            _trim_service(entry, operations[entry.name])
        elif entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name not in _COMMON:
            entry.unlink()
    _trim_endpoints(data / "endpoints.json", operations)


def _trim_service(service: Path, operations: Collection[str]) -> None:
    *old, newest = sorted(service.iterdir())
    for version in old:
        shutil.rmtree(version)
    for file in newest.iterdir():
        if file.name not in _SERVICE_FILES:
            file.unlink()
    trim_model(newest / _MODEL, operations)


def trim_model(path: Path, operations: Collection[str]) -> None:
    """Keep only some operations in a service's model, and the shapes that they use.

    Raises
    ------
    PackagingError
        The model does not have one of the operations.
    """
    model: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    if missing := set(operations) - model["operations"].keys():
        raise PackagingError(f"botocore's {path.parent.parent.name} has no operation {', '.join(sorted(missing))}.")
    model["operations"] = {name: each for name, each in model["operations"].items() if name in operations}
    needed: set[str] = set()
    found = set(_shapes(model["operations"]))
    while found:
        needed |= found
        found = {shape for name in found for shape in _shapes(model["shapes"][name])} - needed
    model["shapes"] = {name: each for name, each in model["shapes"].items() if name in needed}
    content = json.dumps(model, separators=(",", ":"), sort_keys=True).encode()
    # Without a time stamp, so that every build gives the same bytes.
    path.write_bytes(gzip.compress(content, mtime=0))


def _shapes(part: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield the names of the shapes that a part of a model refers to at any depth."""
    if isinstance(part, dict):
        if isinstance(part.get("shape"), str):
            yield part["shape"]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _shapes(each)


def _trim_endpoints(path: Path, services: Collection[str]) -> None:
    # For the services used here, the name is the endpoint prefix as well.
    endpoints: dict[str, Any] = json.loads(path.read_bytes())
    for partition in endpoints["partitions"]:
        partition["services"] = {name: each for name, each in partition["services"].items() if name in services}
    path.write_text(json.dumps(endpoints, separators=(",", ":"), sort_keys=True))
