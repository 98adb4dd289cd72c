"""Known vulnerabilities of what is pinned, as pip-audit and npm report them."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from infra.paths import REPOSITORY

#: Everything that is pinned; what the functions carry is in the first, in the same versions.
REQUIREMENTS: Final = (REPOSITORY / "requirements.txt", REPOSITORY / "tests" / "images" / "requirements.txt")


class NotAuditedError(Exception):
    """The service that knows of vulnerabilities gave no answer: nothing is known, neither good nor bad."""


def python_vulnerabilities() -> Iterator[str]:
    """Yield the known vulnerabilities of the pinned Python packages.

    Raises
    ------
    NotAuditedError
        A package could not be looked up.
    """
    for requirements in REQUIREMENTS:
        command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"]
        report = _report([*command, "--disable-pip", "--require-hashes", "--requirement", str(requirements)])
        yield from findings_of_pip(report)


def npm_vulnerabilities() -> Iterator[str]:
    """Yield the known vulnerabilities of the pinned npm packages.

    Raises
    ------
    NotAuditedError
        The registry does not say.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise NotAuditedError("npm is not installed")
    yield from findings_of_npm(_report([npm, "audit", "--json"]))


def findings_of_pip(report: dict[str, Any]) -> Iterator[str]:
    """Yield what a report of pip-audit finds. A package that it skipped was not audited, whatever its exit status."""
    for package in report["dependencies"]:
        if "skip_reason" in package:
            raise NotAuditedError(package["skip_reason"])
        for vulnerability in package["vulns"]:
            fixed = ", ".join(vulnerability["fix_versions"]) or "no version"
            yield f"{package['name']} {package['version']}: {vulnerability['id']}, fixed in {fixed}"


def findings_of_npm(report: dict[str, Any]) -> Iterator[str]:
    """Yield what a report of npm finds."""
    if "vulnerabilities" not in report:
        raise NotAuditedError(str(report.get("message") or report.get("error") or "npm gave no report"))
    for name, vulnerability in report["vulnerabilities"].items():
        yield f"{name} {vulnerability['range']}: {vulnerability['severity']}"


def _report(command: list[str]) -> dict[str, Any]:
    finished = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)  # noqa: S603 (as above)
    try:
        report: dict[str, Any] = json.loads(finished.stdout)
    except ValueError:
        last = (finished.stderr.strip() or "no output").splitlines()[-1]
        raise NotAuditedError(f"{Path(command[0]).name}: {last}") from None
    return report
