"""The packages that Lambda runs: what is in them, for which machine, and the same bytes each time."""

import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from functions.shared import contract
from infra.config import ENVIRONMENTS
from infra.packaging import DEPLOYED_FUNCTIONS, PackagingError, Target, build_package, bytecode
from infra.packaging.botocore_data import cut
from infra.packaging.package import AWS_SERVICES
from infra.packaging.workspace import make_once
from infra.paths import REPOSITORY
from infra.permissions import PERMISSIONS

LAMBDA = Target.of(ENVIRONMENTS["prod"])
HERE = Target.of(ENVIRONMENTS["local"])

# ELF header, e_machine (System V ABI, and its supplement for AArch64).
ELF_MACHINES = {"aarch64": 183, "x86_64": 62}

LAMBDA_LIMIT_BYTES = 250 * 1024 * 1024
#: The project's own limits; those with a request body carry Pydantic. Lambda's is 50 MB for a direct upload.
ZIP_LIMIT_BYTES = dict.fromkeys(DEPLOYED_FUNCTIONS, 14_000_000) | {"setup_mfa": 10_000_000, "mfa_status": 5_000_000}


@pytest.fixture(scope="module", params=DEPLOYED_FUNCTIONS)
def function(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def package(function: str) -> Path:
    """Return a function's package for Lambda; built where synth finds it, so that it is built once."""
    return build_package(function, LAMBDA)


def contents(folder: Path) -> dict[str, str]:
    """Return the digest and mode of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): f"{path.stat().st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in folder.rglob("*")
        if path.is_file()
    }


def run_in(package: Path, code: str) -> str:
    """Run code that sees the package and the standard library, and nothing of the virtual environment."""
    finished = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(package)!r})\n{code}"],
        env={"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


# -- what is in a package


def test_a_package_has_its_own_code_and_the_shared_code_alone(package: Path, function: str) -> None:
    own = {path.name for path in (package / "functions").iterdir() if path.name != "__pycache__"}

    assert own == {"__init__.py", "shared", function}
    assert (package / "functions" / function / "handler.py").is_file()
    assert not list((package / "functions").rglob("requirements.txt"))
    assert not list((package / "functions").rglob("Dockerfile"))


def test_the_packages_code_is_the_repositorys(package: Path, function: str) -> None:
    for path in (package / "functions" / function).glob("*.py"):
        assert path.read_bytes() == (REPOSITORY / "functions" / function / path.name).read_bytes()


def test_every_module_has_the_bytecode_that_the_runtime_uses(package: Path) -> None:
    assert len(list(package.rglob("*.pyc"))) == len(list(package.rglob("*.py"))) > 100

    bytecode.check_bytecode(package)


def test_tracebacks_name_the_paths_of_lambda(package: Path, function: str) -> None:
    (compiled,) = (package / "functions" / function / "__pycache__").glob("handler.cpython-313.pyc")

    assert f"/var/task/functions/{function}/handler.py".encode() in compiled.read_bytes()


def test_nothing_of_the_building_machine_is_in_a_package(package: Path) -> None:
    assert not (package / "bin").exists()
    assert not (package / ".lock").exists()
    assert not list(package.glob("*.dist-info/RECORD"))
    assert not [path for path in package.rglob("tests") if path.is_dir() and path.parent == package]
    for path in package.rglob("*.py*"):
        assert str(REPOSITORY).encode() not in path.read_bytes(), path


def test_only_functions_that_call_aws_carry_its_sdk(package: Path, function: str) -> None:
    assert (package / "boto3").is_dir() is bool(AWS_SERVICES[function])


def test_the_sdk_describes_the_services_that_the_function_calls_and_no_other(package: Path, function: str) -> None:
    data = package / "botocore" / "data"
    described = {path.name for path in data.iterdir() if path.is_dir()} if data.exists() else set()

    assert described == set(AWS_SERVICES[function])


def test_a_package_is_far_below_lambdas_limit(package: Path) -> None:
    assert sum(path.stat().st_size for path in package.rglob("*") if path.is_file()) < LAMBDA_LIMIT_BYTES / 4


def test_the_zip_is_small_with_its_bytecode(package: Path, function: str, tmp_path: Path) -> None:
    """What Lambda loads before a first start; the CLI zips with the default compression as well."""
    archive = Path(shutil.make_archive(str(tmp_path / function), "zip", package))

    assert archive.stat().st_size < ZIP_LIMIT_BYTES[function]


def test_shared_objects_are_for_graviton(package: Path, function: str) -> None:
    objects = [path for path in package.rglob("*") if ".so" in path.suffixes]

    pure_python = {contract.SECURITY_EVENTS_FUNCTION, contract.STATUS.function}
    assert bool(objects) is (function not in pure_python)
    for path in objects:
        header = path.read_bytes()[:20]
        assert header[:4] == b"\x7fELF"
        assert int.from_bytes(header[18:20], "little") == ELF_MACHINES["aarch64"], path


# -- that it works


@pytest.mark.parametrize("name", DEPLOYED_FUNCTIONS)
def test_everything_that_the_function_imports_is_in_its_package(name: str) -> None:
    """On this machine's build; the module is imported under the name that Lambda uses."""
    module = contract.handler_path(name).rpartition(".")[0]
    variables = {
        "ENVIRONMENT": "dev",
        "MFA_ENCRYPTION_KEY": "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000",
        "JWT_ISSUER": "https://issuer.example",
        "JWT_AUDIENCE": "mfa",
        "JWT_JWKS_URL": "https://issuer.example/keys",
        "DEAD_LETTER_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/dead-letters",
    }

    out = run_in(
        build_package(name, HERE),
        f"import os; os.environ.update({variables!r}); import {module} as m; print(callable(m.lambda_handler))",
    )

    assert out == "True\n"


@pytest.mark.parametrize("name", [name for name in DEPLOYED_FUNCTIONS if AWS_SERVICES[name]])
def test_the_clients_of_a_functions_services_can_be_made_and_find_their_endpoints(name: str) -> None:
    out = run_in(
        build_package(name, HERE),
        "import boto3\n"
        f"for service in {AWS_SERVICES[name]!r}:\n"
        "    print(boto3.client(service).meta.endpoint_url)\n"
        "    print(boto3.client(service, region_name='cn-north-1').meta.endpoint_url)\n",
    )

    expected = [
        f"https://{service}.{region}"
        for service in AWS_SERVICES[name]
        for region in ("us-east-1.amazonaws.com", "cn-north-1.amazonaws.com.cn")
    ]
    assert out.split() == expected


def test_a_client_cannot_be_made_when_one_of_botocores_common_files_is_missing(tmp_path: Path) -> None:
    """What the test above would see, had the cut been too deep."""
    package = tmp_path / "package"
    shutil.copytree(build_package("mfa_status", HERE), package)
    (package / "botocore" / "data" / "endpoints.json").unlink()

    with pytest.raises(AssertionError, match="endpoints"):
        run_in(package, "import boto3; boto3.client('dynamodb')")


def test_the_cut_refuses_a_botocore_that_it_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match=r"botocore has no _retry\.json"):
        cut(tmp_path, ["dynamodb"])


def test_a_function_describes_exactly_the_services_that_it_may_call() -> None:
    for name, permissions in PERMISSIONS.items():
        actions = (*permissions.table, *permissions.secret_key, *permissions.event_bus, *permissions.dead_letters)
        assert set(AWS_SERVICES[name]) == {action.partition(":")[0] for action in actions}, name


# -- that it is the same each time


@pytest.mark.parametrize("name", ["setup_mfa", "jwt_authorizer"])
def test_two_builds_are_the_same_to_the_byte(name: str, tmp_path: Path) -> None:
    first = build_package(name, LAMBDA)
    old_mask = os.umask(0o077)  # the mode of files must not depend on the builder's mask
    try:
        second = build_package(name, LAMBDA, build=tmp_path)
    finally:
        os.umask(old_mask)

    assert first.name == second.name
    assert contents(first) == contents(second)


def a_repository(folder: Path) -> Path:
    """Copy the functions, to change them."""
    shutil.copytree(
        REPOSITORY / "functions", folder / "functions", ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
    )
    return folder


def test_a_changed_line_changes_the_package_of_its_own_function_alone(tmp_path: Path) -> None:
    source = a_repository(tmp_path)
    before = {name: build_package(name, LAMBDA, source=source) for name in ("mfa_status", "jwt_authorizer")}
    with (source / "functions" / "mfa_status" / "handler.py").open("a") as handler:
        handler.write("# changed\n")
    after = {name: build_package(name, LAMBDA, source=source) for name in before}
    shutil.rmtree(after["mfa_status"])

    assert after["mfa_status"] != before["mfa_status"]
    assert after["jwt_authorizer"] == before["jwt_authorizer"]


def test_an_unchanged_package_is_not_built_again(monkeypatch: pytest.MonkeyPatch) -> None:
    built = build_package("mfa_status", LAMBDA)
    monkeypatch.setattr(bytecode, "compile_tree", None)

    assert build_package("mfa_status", LAMBDA) == built


def test_two_builds_at_once_give_one_package(tmp_path: Path) -> None:
    finished = tmp_path / "finished"

    def make(folder: Path) -> None:
        (folder / "whole").write_text("x" * 100_000)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: make_once(finished, make), range(32)))

    assert set(results) == {finished}
    assert [path.name for path in tmp_path.iterdir()] == ["finished"]


def test_a_build_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def make(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise PackagingError("no")

    with pytest.raises(PackagingError):
        make_once(tmp_path / "finished", make)

    assert list(tmp_path.iterdir()) == []


# -- when it cannot be built


def test_another_python_than_the_runtimes_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 14, 0, "final", 0))

    with pytest.raises(PackagingError, match=r"need bytecode of Python 3\.13, but this is Python 3\.14"):
        build_package("mfa_status", LAMBDA, build=tmp_path)


def test_a_module_without_bytecode_is_refused(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("x = 1\n")

    with pytest.raises(PackagingError, match=r"No bytecode for .*module\.py"):
        bytecode.check_bytecode(tmp_path)


def test_bytecode_that_is_compared_with_its_source_by_time_is_refused(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("x = 1\n")
    subprocess.run([sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "timestamp", tmp_path], check=True)

    with pytest.raises(PackagingError, match="wrong kind"):
        bytecode.check_bytecode(tmp_path)


def test_a_module_that_does_not_compile_is_refused(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("x = = 1\n")

    with pytest.raises(PackagingError, match="Cannot compile"):
        bytecode.compile_tree(tmp_path)


def test_a_function_without_a_handler_is_refused(tmp_path: Path) -> None:
    source = a_repository(tmp_path)
    (source / "functions" / "mfa_status" / "handler.py").unlink()

    with pytest.raises(PackagingError, match=r"mfa_status has no functions/mfa_status/handler\.py"):
        build_package("mfa_status", LAMBDA, source=source)


def test_packages_that_cannot_be_had_are_named(tmp_path: Path) -> None:
    source = a_repository(tmp_path)
    wrong = "boto3==1.43.106 --hash=sha256:" + "0" * 64
    (source / "functions" / "mfa_status" / "requirements.txt").write_text(wrong)

    with pytest.raises(PackagingError, match=r"Cannot install .*mfa_status/requirements\.txt for lambda-arm64"):
        build_package("mfa_status", LAMBDA, source=source, build=tmp_path / "build")


def test_targets_follow_the_environment() -> None:
    assert Target.of(ENVIRONMENTS["dev"]).platform == "aarch64-manylinux_2_28"
    assert Target.of(ENVIRONMENTS["local"]).platform is None


def test_every_deployed_function_can_be_packaged() -> None:
    """A new endpoint needs a line in the table of services."""
    assert set(DEPLOYED_FUNCTIONS) <= set(AWS_SERVICES) == set(PERMISSIONS)
