"""The layering rules of the layout, checked against the imports in the sources."""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from infra.paths import REPOSITORY

FUNCTIONS = REPOSITORY / "functions"
FOLDERS = sorted(path.name for path in FUNCTIONS.iterdir() if (path / "handler.py").exists())

# Only modules of these names may import the AWS SDK.
TALK_TO_AWS = {"repository", "encryption", "decryption", "publisher", "signing", "public_keys", "aws"}

SDKS = {"boto3", "botocore", "aws_encryption_sdk"}

# The only modules of functions that infrastructure may import.
SHARED_WITH_INFRASTRUCTURE = ("functions.shared.contract", "functions.shared.formats")


def modules(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.py"))
    assert found, f"no modules in {folder}"
    return found


def imports(module: Path) -> Iterator[str]:
    """Yield the full names that a module imports; ``from a import b`` yields ``a`` and ``a.b``."""
    package = module.relative_to(REPOSITORY).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            name = ".".join(filter(None, (*base, node.module)))
            yield name
            yield from (f"{name}.{alias.name}" for alias in node.names)


def imported(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield each module of a folder with each full name that it imports."""
    for module in modules(folder):
        for name in imports(module):
            yield module, name


def of(package: str, name: str) -> bool:
    """Return whether a full name is the package or inside it."""
    return name == package or name.startswith(f"{package}.")


def graph(folder: Path) -> dict[str, set[str]]:
    """Return the modules of a folder with the modules in it that each imports, type checking included."""
    names = {module: ".".join(module.relative_to(REPOSITORY).with_suffix("").parts) for module in modules(folder)}
    names = {module: name.removesuffix(".__init__") for module, name in names.items()}
    known = set(names.values())
    found = {}
    for module, name in names.items():
        imported = set(imports(module)) & known
        # `from a import b` with a module `b` uses the package `a` only to find it.
        packages = {each for each in imported if any(other.startswith(f"{each}.") for other in imported)}
        found[name] = imported - packages - {name}
    return found


def test_the_functions_are_found() -> None:
    assert {"setup_mfa", "jwt_authorizer"} <= set(FOLDERS)


@pytest.mark.parametrize("folder", [*FOLDERS, "shared"])
def test_functions_import_only_themselves_and_shared_code(folder: str) -> None:
    for module, name in imported(FUNCTIONS / folder):
        if of("functions", name) and name != "functions":
            assert of(f"functions.{folder}", name) or of("functions.shared", name), f"{module} imports {name}"


def test_only_modules_that_talk_to_aws_import_the_sdk() -> None:
    for module, name in imported(FUNCTIONS):
        assert module.stem in TALK_TO_AWS or name.split(".")[0] not in SDKS, f"{module} imports the AWS SDK"


def test_the_authorizer_imports_neither_the_aws_sdk_nor_a_module_that_does() -> None:
    for module, name in imported(FUNCTIONS / "jwt_authorizer"):
        assert not {*SDKS, *TALK_TO_AWS} & set(name.split(".")), f"{module} imports {name}"


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("functions", {"infra", "local", "tools", "tests", "aws_cdk"}),
        ("infra", {"app", "local", "tools", "tests"}),
        ("infra/config", {"aws_cdk", "constructs"}),
    ],
)
def test_code_does_not_import_what_deploys_or_tests_it(folder: str, forbidden: set[str]) -> None:
    for module, name in imported(REPOSITORY / folder):
        assert name.split(".")[0] not in forbidden, f"{module} imports {name}"


@pytest.mark.parametrize("shared", SHARED_WITH_INFRASTRUCTURE)
def test_modules_shared_with_infrastructure_need_only_the_standard_library(shared: str) -> None:
    for name in imports(REPOSITORY / f"{shared.replace('.', '/')}.py"):
        assert name.split(".")[0] in sys.stdlib_module_names


def test_infrastructure_imports_only_the_contract_and_the_formats_of_the_functions() -> None:
    for module, name in imported(REPOSITORY / "infra"):
        if of("functions", name) and name not in {"functions", "functions.shared"}:
            assert any(of(shared, name) for shared in SHARED_WITH_INFRASTRUCTURE), f"{module} imports {name}"


@pytest.mark.parametrize("folder", ["functions", "infra"])
def test_there_is_no_import_cycle(folder: str) -> None:
    TopologicalSorter(graph(REPOSITORY / folder)).prepare()  # a CycleError names the modules


def test_a_class_name_means_one_thing() -> None:
    places = defaultdict(list)
    for folder in ("functions", "infra", "local", "tools"):
        for module in modules(REPOSITORY / folder):
            for node in ast.walk(ast.parse(module.read_text())):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].append(str(module.relative_to(REPOSITORY)))

    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_there_is_one_module_named_config() -> None:
    folders = ("functions", "infra", "local", "tools", "tests")
    found = [each for folder in folders for each in (REPOSITORY / folder).rglob("config.py")]
    found += [each.parent for folder in folders for each in (REPOSITORY / folder).rglob("config/__init__.py")]

    assert found == [REPOSITORY / "infra" / "config"]
