"""Third-party packages: pinned, hashed, listed, licensed as the project allows, and looked up for vulnerabilities."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from infra.config import ENVIRONMENTS
from infra.packaging import DEPLOYED_FUNCTIONS, Target, build_package
from infra.paths import REPOSITORY

LOCKED = REPOSITORY / "requirements.txt"


def pinned(requirements: Path) -> dict[str, str]:
    """Return the versions in a requirements file, by name."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", requirements.read_text(), re.MULTILINE))


def of_function(function: str) -> Path:
    return REPOSITORY / "functions" / function / "requirements.txt"


def run(script: str, *arguments: str) -> str:
    return subprocess.run(
        [REPOSITORY / "scripts" / script, *arguments], capture_output=True, text=True, check=True
    ).stdout


def test_the_document_lists_the_licences_of_the_functions_packages() -> None:
    assert run("licences.sh") in (REPOSITORY / "docs" / "supply-chain.md").read_text()


def test_a_bill_of_materials_is_valid_and_lists_every_shipped_package_with_version_and_licence() -> None:
    run("sbom.sh", "mfa_status")

    bill = (REPOSITORY / "build" / "sbom" / "mfa_status.cdx.json").read_text()
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill)
    assert problem is None, problem
    components = json.loads(bill)["components"]
    package = build_package("mfa_status", Target.of(ENVIRONMENTS["prod"]))
    assert {f"{each['name'].replace('-', '_')}-{each['version']}.dist-info" for each in components} == {
        path.name for path in package.glob("*.dist-info")
    }
    for component in components:
        assert component["purl"].endswith(f"@{component['version']}")
        assert component["licenses"]


@pytest.mark.parametrize("function", DEPLOYED_FUNCTIONS)
def test_a_function_requires_the_versions_that_are_tested_and_audited(function: str) -> None:
    required = pinned(of_function(function))

    assert required.items() <= pinned(LOCKED).items()
    lines = of_function(function).read_text().splitlines()
    assert len(required) == len([line for line in lines if not line.startswith("#")]) > 0


@pytest.mark.parametrize(
    "path", [LOCKED, REPOSITORY / "tests" / "images" / "requirements.txt"], ids=["project", "images"]
)
def test_every_requirement_is_pinned_and_hashed(path: Path) -> None:
    requirements = re.sub(r"#.*", "", path.read_text()).replace("\\\n", " ").strip().splitlines()

    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9-]+==\S+.* --hash=sha256:[0-9a-f]{64}", requirement), requirement


def test_every_npm_package_has_its_hash() -> None:
    packages = json.loads((REPOSITORY / "package-lock.json").read_text())["packages"]

    assert all("integrity" in package for path, package in packages.items() if path)
