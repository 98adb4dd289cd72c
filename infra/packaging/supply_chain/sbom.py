"""A function's bill of materials in CycloneDX: its pinned, hashed packages with their licences."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from infra.packaging.errors import PackagingError
from infra.packaging.supply_chain.licences import Licensed
from infra.paths import REPOSITORY

SPEC_VERSION: Final = "1.6"


def bill_of_materials(function: str, licensed: Iterable[Licensed]) -> dict[str, Any]:
    """Return a function's bill of materials; the same one each time, for the same requirements.

    It lists what is installed before the package is cut, so never less than what is deployed.

    Parameters
    ----------
    function
        The function's folder under ``functions``.
    licensed
        The licences of its packages.

    Raises
    ------
    PackagingError
        The generator failed.
    """
    requirements = REPOSITORY / "functions" / function / "requirements.txt"
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", "--output-reproducible"]
    command += ["--spec-version", SPEC_VERSION, "--output-format", "JSON", str(requirements)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our own arguments)
    if finished.returncode:
        raise PackagingError(f"No bill of materials for {function}:\n{finished.stderr[-2000:]}")
    bill: dict[str, Any] = json.loads(finished.stdout)
    _complete(bill, function, {each.name: each.licence for each in licensed})
    return bill


def write(bill: dict[str, Any], path: Path) -> None:
    """Write a bill of materials to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(bill, indent=2, sort_keys=True) + "\n")


def _complete(bill: dict[str, Any], function: str, licences: dict[str, str]) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    root = f"{project['name']}/{function}"
    bill.setdefault("metadata", {})["component"] = {
        "bom-ref": root,
        "type": "application",
        "name": root,
        "version": project["version"],
        "licenses": [{"expression": project["license"]}],
    }
    for component in bill["components"]:
        component["licenses"] = [{"expression": licences[component["name"]]}]
        # Which line of which file: it repeats the hashes.
        del component["description"]
    # Requirements files are flat: who of the packages needs which other one is not in them.
    bill["dependencies"] = [{"ref": root, "dependsOn": [component["bom-ref"] for component in bill["components"]]}]
