"""The packages that Lambda runs: their contents, their machine, and that every build gives the same bytes."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest
from aws_cdk import App, Stack

from functions.shared import contract
from infra.config import ENVIRONMENTS
from infra.packaging import DEPLOYED_FUNCTIONS, PackagingError, Target, build_archive, build_package, bytecode, code
from infra.packaging import package as package_module
from infra.packaging.archive import write_archive
from infra.packaging.botocore_data import trim
from infra.packaging.code import code_source
from infra.packaging.package import aws_operations
from infra.packaging.workspace import make_once
from infra.paths import REPOSITORY
from infra.permissions import PERMISSIONS

LAMBDA = Target.of(ENVIRONMENTS["prod"])
HERE = Target.of(ENVIRONMENTS["local"])
CALLS_AWS = [name for name in DEPLOYED_FUNCTIONS if aws_operations(name)]

# e_machine in the ELF header (System V ABI, and its supplement for AArch64).
AARCH64 = 183
# Header flags of a hash-based pyc that is not checked against its source (PEP 552).
UNCHECKED_HASH = (0b01).to_bytes(4, "little")

LAMBDA_LIMIT_BYTES = 250 * 1024 * 1024
#: The project's limits. Functions with a request body ship Pydantic. Lambda's limit is 50 MB for a direct upload.
ZIP_LIMIT_BYTES = dict.fromkeys(DEPLOYED_FUNCTIONS, 13_500_000) | {
    "setup_mfa": 10_000_000,
    "mfa_status": 3_500_000,
    "jwt_authorizer": 7_000_000,
    "security_events": 3_500_000,
    "signing_keys": 8_700_000,
}


@pytest.fixture(scope="module", params=DEPLOYED_FUNCTIONS)
def function(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def package(function: str) -> Path:
    """Return a function's package for Lambda, in the folder that synthesis uses as well, so it is built once."""
    return build_package(function, LAMBDA)


def contents(folder: Path) -> dict[str, str]:
    """Return the digest and mode of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): f"{path.stat().st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in folder.rglob("*")
        if path.is_file()
    }


def run_in(package: Path, code: str) -> str:
    """Run code that can import only the package and the standard library; return its output."""
    finished = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(package)!r})\n{code}"],
        env={"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


# -- contents


def test_a_package_contains_only_its_own_code_and_the_shared_code(package: Path, function: str) -> None:
    own = {path.name for path in (package / "functions").iterdir() if path.name != "__pycache__"}

    assert own == {"__init__.py", "shared", function}
    assert (package / "functions" / function / "handler.py").is_file()
    assert not list((package / "functions").rglob("requirements.txt"))
    assert not list((package / "functions").rglob("Dockerfile"))


def test_the_packages_code_is_the_repositorys(package: Path, function: str) -> None:
    for path in (package / "functions" / function).glob("*.py"):
        assert path.read_bytes() == (REPOSITORY / "functions" / function / path.name).read_bytes()


def test_every_module_has_unchecked_bytecode_of_the_runtimes_python(package: Path) -> None:
    modules = list(package.rglob("*.py"))

    assert len(list(package.rglob("*.pyc"))) == len(modules) > 100
    for module in modules:
        compiled = module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc"
        assert compiled.read_bytes()[:8] == MAGIC_NUMBER + UNCHECKED_HASH, module


def test_tracebacks_show_the_paths_on_lambda(package: Path, function: str) -> None:
    (compiled,) = (package / "functions" / function / "__pycache__").glob("handler.cpython-313.pyc")

    assert f"/var/task/functions/{function}/handler.py".encode() in compiled.read_bytes()


def test_a_package_contains_nothing_of_the_building_machine(package: Path) -> None:
    assert not (package / "bin").exists()
    assert not (package / ".lock").exists()
    assert not list(package.glob("*.dist-info/RECORD"))
    assert not (package / "tests").exists()
    for path in package.rglob("*.py*"):
        assert str(REPOSITORY).encode() not in path.read_bytes(), path


def test_only_functions_that_call_aws_ship_its_sdk(package: Path, function: str) -> None:
    assert (package / "botocore").is_dir() is (function in CALLS_AWS)
    # Only the Encryption SDK needs boto3.
    assert (package / "boto3").is_dir() is (package / "aws_encryption_sdk").is_dir()


def test_the_sdk_describes_only_the_services_that_the_function_may_call(package: Path, function: str) -> None:
    data = package / "botocore" / "data"
    described = {path.name for path in data.iterdir() if path.is_dir()} if data.exists() else set()
    granted = PERMISSIONS[function]
    actions = (*granted.table, *granted.secret_key, *granted.proof_keys, *granted.event_bus, *granted.dead_letters)

    assert described == {action.partition(":")[0] for action in actions}


def test_a_package_is_far_below_lambdas_limit(package: Path) -> None:
    assert sum(path.stat().st_size for path in package.rglob("*") if path.is_file()) < LAMBDA_LIMIT_BYTES / 4


def test_the_zip_is_small_even_with_bytecode(function: str) -> None:
    """Lambda loads the zip before a first start."""
    size = build_archive(function, LAMBDA).stat().st_size

    assert size < ZIP_LIMIT_BYTES[function]
    assert size > 0.9 * ZIP_LIMIT_BYTES[function], "lower the limit"


def test_the_zip_has_the_packages_files_readable_for_every_user_and_without_the_time_of_the_build(
    package: Path, function: str
) -> None:
    with zipfile.ZipFile(build_archive(function, LAMBDA)) as archive:
        entries = archive.infolist()
        zipped = {each.filename: archive.read(each) for each in entries}

    assert len(entries) == len(zipped)
    assert zipped == {
        path.relative_to(package).as_posix(): path.read_bytes() for path in package.rglob("*") if path.is_file()
    }
    assert {(each.external_attr >> 16, each.date_time) for each in entries} == {(0o100644, (1980, 1, 1, 0, 0, 0))}


def test_shared_objects_are_for_graviton(package: Path, function: str) -> None:
    objects = [path for path in package.rglob("*") if ".so" in path.suffixes]

    pure_python = {contract.SECURITY_EVENTS_FUNCTION, contract.STATUS.function}
    assert bool(objects) is (function not in pure_python)
    for path in objects:
        header = path.read_bytes()[:20]
        assert header[:4] == b"\x7fELF"
        assert int.from_bytes(header[18:20], "little") == AARCH64, path


# -- what a package can do


@pytest.mark.parametrize("name", DEPLOYED_FUNCTIONS)
def test_a_packaged_function_starts_and_then_collects_garbage_but_not_what_init_allocated(name: str) -> None:
    """Uses this machine's build; the module is imported under the name that Lambda uses."""
    module = contract.handler_path(name).rpartition(".")[0]
    variables = {
        "AWS_LAMBDA_FUNCTION_NAME": contract.lambda_name(name, "dev"),
        "ENVIRONMENT": "dev",
        "MFA_ENCRYPTION_KEY": "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000",
        "JWT_ISSUER": "https://issuer.example",
        "JWT_AUDIENCE": "mfa",
        "JWT_JWKS_URL": "https://issuer.example/keys",
        "PROOF_ISSUER": "https://api.example/v1",
        "PROOF_KEYS": "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000",
        "DEAD_LETTER_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/dead-letters",
    }

    out = run_in(
        build_package(name, HERE),
        f"import gc, os; os.environ.update({variables!r}); import {module} as m\n"
        "print(callable(m.lambda_handler), gc.isenabled(), gc.get_freeze_count() > 10_000, "
        "bool({'s3transfer', 'asyncio.events'} & {*sys.modules}))",
    )

    assert out.split() == ["True", "True", "True", "False"]


def test_boto3_is_imported_when_it_is_used() -> None:
    out = run_in(
        build_package("setup_mfa", HERE),
        "from functions.shared import startup\n"
        "startup.begin()\n"
        "import aws_encryption_sdk.key_providers.kms as kms\n"
        "print('boto3.session' in sys.modules, kms.boto3.session.Session(region_name='us-east-1').region_name)\n"
        "import boto3.session\n"
        "print(boto3.client('kms').meta.service_model.service_name)",
    )

    assert out.split() == ["False", "us-east-1", "kms"]


@pytest.mark.parametrize("name", CALLS_AWS)
def test_a_client_of_each_service_can_be_created_and_finds_its_endpoint(name: str) -> None:
    services = list(aws_operations(name))
    out = run_in(
        build_package(name, HERE),
        "from functions.shared.aws import create_client\n"
        f"for service in {services!r}:\n"
        "    print(create_client(service).meta.endpoint_url)\n"
        "    print(create_client(service, region='cn-north-1').meta.endpoint_url)\n",
    )

    expected = [
        f"https://{service}.{region}"
        for service in services
        for region in ("us-east-1.amazonaws.com", "cn-north-1.amazonaws.com.cn")
    ]
    assert out.split() == expected


def test_a_client_cannot_be_created_without_botocores_common_files(tmp_path: Path) -> None:
    """Shows that the test above fails if too much is trimmed."""
    package = tmp_path / "package"
    shutil.copytree(build_package("mfa_status", HERE), package)
    (package / "botocore" / "data" / "endpoints.json").unlink()

    with pytest.raises(AssertionError, match="endpoints"):
        run_in(package, "from functions.shared.aws import create_client; create_client('dynamodb')")


def test_an_unknown_layout_of_botocore_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match=r"botocore has no _retry\.json"):
        trim(tmp_path, {"dynamodb": ["GetItem"]})


# -- reproducible builds


@pytest.mark.parametrize("name", ["setup_mfa", "jwt_authorizer"])
def test_two_builds_give_the_same_bytes(name: str, tmp_path: Path) -> None:
    first = build_package(name, LAMBDA)
    old_mask = os.umask(0o077)  # the modes of files must not depend on the builder's umask
    try:
        second = build_package(name, LAMBDA, build=tmp_path)
    finally:
        os.umask(old_mask)

    assert first.name == second.name
    assert contents(first) == contents(second)
    archives = [build_archive(name, LAMBDA), build_archive(name, LAMBDA, build=tmp_path)]
    assert archives[0] != archives[1]
    assert archives[0].name == archives[1].name
    assert archives[0].read_bytes() == archives[1].read_bytes()


def test_a_zip_is_named_after_the_paths_and_contents_in_it(tmp_path: Path) -> None:
    def name_of(files: dict[str, str], *, base: dict[str, str] | None = None) -> str:
        root = Path(tempfile.mkdtemp(dir=tmp_path))
        for path, text in {**files, **(base or {})}.items():
            (root / path).write_text(text)
        first = write_archive(root, root, [root / each for each in base]) if base else None
        return write_archive(root, root, [root / each for each in files], base=first).name

    names = [
        name_of({"a": "1", "b": "2"}),
        name_of({"a": "2", "b": "1"}),
        name_of({"a": "1", "c": "2"}),
        name_of({"a": "1"}),
        name_of({"a": "1"}, base={"b": "2"}),
        name_of({"a": "1"}, base={"b": "3"}),
    ]

    assert len({*names}) == len(names)
    assert name_of({"b": "2", "a": "1"}) == names[0]


def test_the_deployment_uploads_the_zip_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The CDK CLI would compress a folder in each new cloud assembly."""
    monkeypatch.setattr(
        code, "build_archive", lambda *_: Path(shutil.make_archive(str(tmp_path / "x"), "zip", tmp_path))
    )
    app = App(outdir=str(tmp_path / "out"))
    stack = Stack(app, "stack")
    function = code_source(ENVIRONMENTS["dev"])("mfa_status").bind(stack)
    app.synth()

    (asset,) = (
        each["source"]
        for each in json.loads((tmp_path / "out" / "stack.assets.json").read_text())["files"].values()
        if not each["source"]["path"].endswith(".json")
    )
    assert asset["packaging"] == "file"
    assert asset["path"].endswith(".zip")
    assert function.s3_location is not None


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a copy of what packages are built from."""
    shutil.copytree(REPOSITORY / "functions", tmp_path / "functions", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "requirements.txt", tmp_path)
    return tmp_path


def test_a_changed_line_changes_only_the_package_of_its_function(source: Path) -> None:
    before = {name: build_package(name, LAMBDA, source=source) for name in ("mfa_status", "jwt_authorizer")}
    with (source / "functions" / "mfa_status" / "handler.py").open("a") as handler:
        handler.write("# changed\n")
    after = {name: build_package(name, LAMBDA, source=source) for name in before}
    shutil.rmtree(after["mfa_status"])

    assert after["mfa_status"] != before["mfa_status"]
    assert after["jwt_authorizer"] == before["jwt_authorizer"]


def test_an_unchanged_package_is_not_built_again(monkeypatch: pytest.MonkeyPatch) -> None:
    built = build_archive("mfa_status", LAMBDA)
    monkeypatch.setattr(bytecode, "compile_tree", None)
    monkeypatch.setattr(package_module, "write_archive", None)

    assert build_archive("mfa_status", LAMBDA) == built


def test_builds_that_race_give_one_folder(tmp_path: Path) -> None:
    finished = tmp_path / "finished"

    def make(folder: Path) -> None:
        (folder / "whole").write_text("x" * 100_000)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: make_once(finished, make), range(32)))

    assert set(results) == {finished}
    assert [path.name for path in tmp_path.iterdir()] == ["finished"]


def test_a_failed_build_leaves_nothing_behind(tmp_path: Path) -> None:
    def make(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise PackagingError("no")

    with pytest.raises(PackagingError):
        make_once(tmp_path / "finished", make)

    assert list(tmp_path.iterdir()) == []


# -- errors


def test_another_python_version_than_the_runtimes_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 14, 0, "final", 0))

    with pytest.raises(PackagingError, match=r"need bytecode of Python 3\.13, but this is Python 3\.14"):
        bytecode.compile_tree(tmp_path)


def test_a_module_that_does_not_compile_is_refused(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("x = = 1\n")

    with pytest.raises(PackagingError, match="Cannot compile"):
        bytecode.compile_tree(tmp_path)


def test_a_function_without_a_handler_is_refused(source: Path) -> None:
    (source / "functions" / "mfa_status" / "handler.py").unlink()

    with pytest.raises(PackagingError, match=r"mfa_status has no functions/mfa_status/handler\.py"):
        build_package("mfa_status", LAMBDA, source=source)


@pytest.mark.parametrize("name", ["botocore", "urllib3"], ids=["direct", "transitive"])
def test_a_dependency_with_another_hash_is_refused(name: str, source: Path, tmp_path: Path) -> None:
    constraints = source / "requirements.txt"
    (pinned,) = re.findall(rf"^{name}==.*\n(?:    --hash=.*\n)+", constraints.read_text(), re.MULTILINE)
    changed = re.sub("sha256:[0-9a-f]{64}", "sha256:" + "0" * 64, pinned)
    constraints.write_text(constraints.read_text().replace(pinned, changed))

    with pytest.raises(PackagingError, match=rf"(?s)mfa_status/requirements\.txt for lambda-arm64.*{name}.*0{{64}}"):
        build_package("mfa_status", LAMBDA, source=source, build=tmp_path / "build")


def test_a_dependency_that_is_not_pinned_is_refused(source: Path, tmp_path: Path) -> None:
    constraints = source / "requirements.txt"
    constraints.write_text(re.sub(r"(?m)^six==.*\n(?:    --hash=.*\n)+", "", constraints.read_text()))

    with pytest.raises(PackagingError, match=r"(?s)Cannot install.*six"):
        build_package("mfa_status", LAMBDA, source=source, build=tmp_path / "build")


def test_targets_follow_the_environment() -> None:
    assert Target.of(ENVIRONMENTS["dev"]).platform == "aarch64-manylinux_2_28"
    assert Target.of(ENVIRONMENTS["local"]).platform is None


def test_every_function_of_the_api_is_packaged() -> None:
    endpoints = (*contract.ENDPOINTS, *contract.PROOF_ENDPOINTS)
    functions = {*(endpoint.function for endpoint in endpoints), contract.AUTHORIZER_FUNCTION}

    assert set(DEPLOYED_FUNCTIONS) == {*functions, contract.SECURITY_EVENTS_FUNCTION}
