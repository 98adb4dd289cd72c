"""Who may import whom, read from the sources: the layout's promises."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.paths import REPOSITORY

FUNCTIONS = REPOSITORY / "functions"
FOLDERS = sorted(path.name for path in FUNCTIONS.iterdir() if (path / "handler.py").exists())

# The modules that talk to AWS, by name; no other knows that there is an SDK.
TALK_TO_AWS = {"repository", "encryption", "decryption", "publisher", "aws"}


def modules(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.py"))
    assert found, f"no modules in {folder}"
    return found


def imports(module: Path) -> Iterator[str]:
    """Yield what a module imports, by full name; ``from a import b`` is both ``a`` and ``a.b``."""
    package = module.relative_to(REPOSITORY).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            name = ".".join(filter(None, (*base, node.module)))
            yield name
            yield from (f"{name}.{alias.name}" for alias in node.names)


def of(package: str, name: str) -> bool:
    """Tell whether a full name is the package or inside it."""
    return name == package or name.startswith(f"{package}.")


def test_there_is_something_to_look_at() -> None:
    assert {"setup_mfa", "jwt_authorizer"} <= set(FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_functions_never_import_each_other(folder: str) -> None:
    for module in modules(FUNCTIONS / folder):
        for name in imports(module):
            if of("functions", name) and name != "functions":
                assert of(f"functions.{folder}", name) or of("functions.shared", name), f"{module} imports {name}"


def test_shared_code_never_imports_a_function() -> None:
    for module in modules(FUNCTIONS / "shared"):
        for name in imports(module):
            if of("functions", name) and name != "functions":
                assert of("functions.shared", name), f"{module} imports {name}"


def test_the_aws_sdk_is_known_to_the_modules_that_talk_to_aws_alone() -> None:
    for module in modules(FUNCTIONS):
        if any(of(sdk, name) for sdk in ("boto3", "botocore", "aws_encryption_sdk") for name in imports(module)):
            assert module.stem in TALK_TO_AWS, f"{module} imports the AWS SDK"


def test_the_authorizer_knows_neither_the_aws_sdk_nor_any_module_that_does() -> None:
    for module in modules(FUNCTIONS / "jwt_authorizer"):
        for name in imports(module):
            parts = name.split(".")
            assert parts[0] not in {"boto3", "botocore", "aws_encryption_sdk"}, f"{module} imports {name}"
            assert not TALK_TO_AWS & set(parts), f"{module} imports {name}"


def test_functions_know_nothing_of_what_deploys_or_tests_them() -> None:
    for module in modules(FUNCTIONS):
        for name in imports(module):
            assert name.split(".")[0] not in {"infra", "local", "tools", "tests", "aws_cdk"}, f"{module} imports {name}"


def test_the_contract_needs_the_standard_library_alone() -> None:
    for name in imports(FUNCTIONS / "shared" / "contract.py"):
        assert name.split(".")[0] in sys.stdlib_module_names


def test_infrastructure_knows_the_functions_by_their_contract_alone() -> None:
    for module in modules(REPOSITORY / "infra"):
        for name in imports(module):
            if of("functions", name) and name not in {"functions", "functions.shared"}:
                assert of("functions.shared.contract", name), f"{module} imports {name}"


def test_stacks_know_nothing_of_the_app_that_deploys_them() -> None:
    for module in modules(REPOSITORY / "infra"):
        for name in imports(module):
            assert name.split(".")[0] not in {"app", "local", "tools", "tests"}, f"{module} imports {name}"
