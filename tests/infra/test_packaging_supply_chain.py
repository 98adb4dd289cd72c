"""What others wrote and the functions carry: listed, licensed as the project wants it, pinned, and looked up."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from infra.config import ENVIRONMENTS
from infra.packaging import DEPLOYED_FUNCTIONS, PackagingError, Target, build_package
from infra.packaging.supply_chain import audit
from infra.packaging.supply_chain.__main__ import NOT_AUDITED, _audit
from infra.packaging.supply_chain.audit import NotAuditedError, findings_of_npm, findings_of_pip
from infra.packaging.supply_chain.licences import Licensed, licences, table, unwelcome
from infra.packaging.supply_chain.sbom import bill_of_materials
from infra.paths import REPOSITORY

LAMBDA = Target.of(ENVIRONMENTS["prod"])


def licensed(function: str) -> list[Licensed]:
    return licences(build_package(function, LAMBDA))


def pinned(requirements: Path) -> dict[str, str]:
    """Return the versions in a requirements file, by name."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", requirements.read_text(), re.MULTILINE))


def of_function(function: str) -> dict[str, str]:
    return pinned(REPOSITORY / "functions" / function / "requirements.txt")


# -- licences


@pytest.mark.parametrize("function", DEPLOYED_FUNCTIONS)
def test_every_package_of_a_function_has_a_licence_that_is_welcome(function: str) -> None:
    found = licensed(function)

    assert {each.name for each in found} == set(of_function(function))
    assert unwelcome(found) == []


@pytest.mark.parametrize(
    ("licence", "welcome"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("Apache-2.0 AND GPL-3.0-only", False),
        ("GPL-3.0-only", False),
        ("MPL-2.0", False),
        ("(MIT OR LGPL-2.1-only) AND BSD-3-Clause", True),
    ],
)
def test_a_licence_is_welcome_if_one_of_its_alternatives_is(licence: str, *, welcome: bool) -> None:
    assert (unwelcome([Licensed("package", licence)]) == []) is welcome


def a_package(folder: Path, *lines: str) -> Path:
    metadata = folder / "thing-1.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("\n".join(["Metadata-Version: 2.4", "Name: thing", "Version: 1.0", *lines, ""]))
    return folder


def test_a_package_that_does_not_say_its_licence_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match=r"thing 1\.0 does not say its licence"):
        licences(a_package(tmp_path, "License: see the file"))


def test_a_packages_own_expression_counts(tmp_path: Path) -> None:
    assert licences(a_package(tmp_path, "License-Expression: GPL-3.0-only")) == [Licensed("thing", "GPL-3.0-only")]


def test_the_document_lists_the_licences() -> None:
    document = (REPOSITORY / "docs" / "supply-chain.md").read_text()
    everything = {each for function in DEPLOYED_FUNCTIONS for each in licensed(function)}

    assert "\n".join(table(everything)) in document


# -- bills of materials


def test_a_bill_of_materials_is_valid_and_names_every_package_with_version_hashes_and_licence() -> None:
    bill = bill_of_materials("mfa_status", licensed("mfa_status"))

    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill))
    assert problem is None, problem
    assert {each["name"]: each["version"] for each in bill["components"]} == of_function("mfa_status")
    for component in bill["components"]:
        assert component["purl"] == f"pkg:pypi/{component['name']}@{component['version']}"
        assert component["externalReferences"][0]["hashes"]
        assert component["licenses"][0]["expression"]
    assert bill["metadata"]["component"]["name"] == "mfa-service/mfa_status"


def test_a_bill_of_materials_is_the_same_each_time() -> None:
    found = licensed("jwt_authorizer")

    assert bill_of_materials("jwt_authorizer", found) == bill_of_materials("jwt_authorizer", found)


# -- pins


@pytest.mark.parametrize("function", DEPLOYED_FUNCTIONS)
def test_a_function_carries_the_versions_that_are_tested_and_audited(function: str) -> None:
    assert of_function(function).items() <= pinned(REPOSITORY / "requirements.txt").items()


@pytest.mark.parametrize(
    "path", [*REPOSITORY.glob("functions/*/requirements.txt"), *audit.REQUIREMENTS], ids=lambda path: path.parent.name
)
def test_every_requirement_is_pinned_and_hashed(path: Path) -> None:
    requirements = re.sub(r"#.*", "", path.read_text()).replace("\\\n", " ").strip().splitlines()

    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9-]+==\S+.* --hash=sha256:[0-9a-f]{64}", requirement), requirement


def test_every_npm_package_has_its_hash() -> None:
    packages = json.loads((REPOSITORY / "package-lock.json").read_text())["packages"]

    assert all("integrity" in package for path, package in packages.items() if path)


# -- vulnerabilities


def test_a_vulnerability_is_told_with_the_version_that_has_it_no_more() -> None:
    vulnerability = {"id": "PYSEC-1", "fix_versions": ["1.1"], "aliases": [], "description": ""}
    report = {"dependencies": [{"name": "thing", "version": "1.0", "vulns": [vulnerability]}]}

    assert list(findings_of_pip(report)) == ["thing 1.0: PYSEC-1, fixed in 1.1"]
    npm = {"vulnerabilities": {"thing": {"range": "<1.1", "severity": "high"}}}
    assert list(findings_of_npm(npm)) == ["thing <1.1: high"]


def test_a_package_that_could_not_be_looked_up_is_no_good_news() -> None:
    with pytest.raises(NotAuditedError, match="not found"):
        list(findings_of_pip({"dependencies": [{"name": "thing", "skip_reason": "not found"}]}))
    with pytest.raises(NotAuditedError, match="no such"):
        list(findings_of_npm({"message": "no such endpoint"}))


@pytest.mark.parametrize(
    ("python", "npm", "status"),
    [([], [], 0), (["thing 1.0: PYSEC-1"], None, 1), (None, [], NOT_AUDITED), (None, ["thing <1.1: high"], 1)],
)
def test_the_exit_status_tells_found_from_not_looked_up(
    python: list[str] | None, npm: list[str] | None, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looking(found: list[str] | None) -> Any:
        if found is None:
            raise NotAuditedError("no answer")
        return found

    main = "infra.packaging.supply_chain.__main__"
    monkeypatch.setattr(f"{main}.python_vulnerabilities", lambda: looking(python))
    monkeypatch.setattr(f"{main}.npm_vulnerabilities", lambda: looking(npm))

    assert _audit() == status
