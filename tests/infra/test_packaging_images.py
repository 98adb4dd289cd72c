"""Images: the Dockerfiles are alike, and each function's asset changes only with its inputs."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from functions.shared import contract
from infra.config import ConfigError, load_config
from infra.packaging import DEPLOYED_FUNCTIONS, code
from infra.packaging.code import code_source
from infra.paths import REPOSITORY
from infra.stage import MfaStage
from tests.infra.synthesis import Stack, load_stacks, new_app, synthesize

IMAGES = {"environment": "prod", "packaging": "image", "proof_audience": "my-api"}


def dockerfile(function: str) -> str:
    return (REPOSITORY / "functions" / function / "Dockerfile").read_text()


def synthesize_images(**overrides: str) -> tuple[Path, Stack]:
    """Synthesize with images; returns the assembly and its service stack."""
    app = new_app()
    config = load_config(IMAGES | overrides, process_environment={})
    directory = Path(MfaStage(app, config=config, code=code_source(config)).synth().directory)
    return directory, load_stacks(directory)["mfa-prod-service"]


@pytest.fixture(scope="module")
def assembly() -> tuple[Path, Stack]:
    return synthesize_images()


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of what images are built from; images are built from the copy."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "functions", tmp_path / "functions", ignore=ignored)
    for name in (".dockerignore", "requirements.txt"):
        shutil.copy(REPOSITORY / name, tmp_path)
    monkeypatch.setattr(code, "REPOSITORY", tmp_path)
    return tmp_path


def images(directory: Path) -> dict[str, tuple[str, dict[str, str]]]:
    """Return the hash and the build instructions of each function's image."""
    (path,) = directory.glob("*service*.assets.json")
    assets = json.loads(path.read_text())["dockerImages"]
    return {each["source"]["dockerFile"].split("/")[1]: (name, each["source"]) for name, each in assets.items()}


def logs(service: Stack) -> set[str]:
    return {each["LogGroupName"] for each in service.properties_of("AWS::Logs::LogGroup")}


def hashes(directory: Path) -> dict[str, str]:
    return {function: name for function, (name, _) in images(directory).items()}


def test_the_dockerfiles_differ_only_in_the_functions_name() -> None:
    forms = {dockerfile(function).replace(function, "NAME") for function in DEPLOYED_FUNCTIONS}

    assert len(forms) == 1


@pytest.mark.parametrize("function", DEPLOYED_FUNCTIONS)
def test_a_dockerfile_runs_the_handler_of_the_zip_on_lambdas_base_without_privileges(function: str) -> None:
    lines = dockerfile(function).splitlines()

    assert lines[-1] == f'CMD ["{contract.handler_path(function)}"]'
    assert "USER 65534" in lines
    assert "ARG BASE_IMAGE=public.ecr.aws/lambda/python:3.13" in lines
    assert sum(line.count("--require-hashes") for line in lines) == sum(line.count(" install ") for line in lines) == 2


def test_every_function_is_deployed_as_an_image_that_can_start_from_a_snapshot(assembly: tuple[Path, Stack]) -> None:
    functions = assembly[1].properties_of("AWS::Lambda::Function")

    assert len(functions) == len(DEPLOYED_FUNCTIONS)
    assert any("SnapStart" in function for function in functions)
    for function in functions:
        assert function["PackageType"] == "Image"
        assert set(function["Code"]) == {"ImageUri"}
        assert not {"Runtime", "Handler"} & set(function)
        assert function.get("SnapStart", {"ApplyOn": "PublishedVersions"}) == {"ApplyOn": "PublishedVersions"}
        assert function["Architectures"] == ["arm64"]


def test_packaging_can_be_changed_and_changed_back(assembly: tuple[Path, Stack]) -> None:
    """Lambda refuses to change a function's package type, and CloudFormation to replace a function of the same name."""
    settings = {name: value for name, value in IMAGES.items() if name != "packaging"}
    image, zipped = assembly[1], synthesize(**settings).service
    names = {each["FunctionName"] for each in zipped.properties_of("AWS::Lambda::Function")}

    assert {each["FunctionName"] for each in image.properties_of("AWS::Lambda::Function")} == {
        f"{name}-image" for name in names
    }
    # Nothing that is kept is renamed: it would be in the way of the change back.
    for kind in ("AWS::Logs::LogGroup", "AWS::SQS::Queue"):
        assert image.resources(kind).keys() == zipped.resources(kind).keys()
    assert logs(image) == logs(zipped)
    # The stage is moved to methods that call the other functions.
    assert not image.resources("AWS::ApiGateway::Deployment").keys() & zipped.resources("AWS::ApiGateway::Deployment")


def test_alarms_and_dashboards_watch_the_images(assembly: tuple[Path, Stack]) -> None:
    directory, service = assembly
    names = {each["FunctionName"] for each in service.properties_of("AWS::Lambda::Function")}
    alarms = load_stacks(directory)["mfa-prod-monitoring"].properties_of("AWS::CloudWatch::Alarm")
    metrics = [
        query["MetricStat"]["Metric"] for each in alarms for query in each.get("Metrics", ()) if "MetricStat" in query
    ]
    dimensions = [each for metric in metrics for each in metric.get("Dimensions", ())]

    assert {each["Value"] for each in dimensions if each["Name"] == "FunctionName"} == names


def test_images_are_built_for_the_functions_machine(assembly: tuple[Path, Stack]) -> None:
    for directory, platform in (
        (assembly[0], "linux/arm64"),
        (synthesize_images(architecture="x86_64")[0], "linux/amd64"),
    ):
        assert {source["platform"] for _, source in images(directory).values()} == {platform}


def test_an_image_is_built_only_from_its_own_code_and_the_shared_code(assembly: tuple[Path, Stack]) -> None:
    directory, _ = assembly

    for function, (_, source) in images(directory).items():
        context = directory / source["directory"]
        found = {path.relative_to(context).as_posix() for path in context.rglob("*") if path.is_file()}
        inside = {path for path in found if path.startswith("functions/")}
        assert found - inside == {".dockerignore", "requirements.txt"}
        assert {path.split("/")[1] for path in inside} == {"__init__.py", "shared", function}
        assert {f"functions/{function}/{name}" for name in ("Dockerfile", "requirements.txt", "handler.py")} <= inside
        assert not [path for path in inside if "__pycache__" in path]


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "handler.py").write_text("# changed"),
        lambda folder: (folder / "requirements.txt").write_text("# changed"),
        lambda folder: (folder / "new.py").write_text(""),
    ],
    ids=["code", "requirements", "module"],
)
def test_a_change_in_one_function_changes_one_image(
    assembly: tuple[Path, Stack], sources: Path, change: Callable[[Path], object]
) -> None:
    before = hashes(assembly[0])
    change(sources / "functions" / "mfa_status")
    after = hashes(synthesize_images()[0])

    assert {name for name in before if before[name] != after[name]} == {"mfa_status"}


@pytest.mark.parametrize("file", ["functions/shared/contract.py", "requirements.txt"])
def test_a_change_in_a_shared_file_changes_every_image(assembly: tuple[Path, Stack], sources: Path, file: str) -> None:
    before = hashes(assembly[0])
    (sources / file).write_text("# changed")
    after = hashes(synthesize_images()[0])

    assert {name for name in before if before[name] != after[name]} == set(DEPLOYED_FUNCTIONS)


def test_other_files_change_no_image(assembly: tuple[Path, Stack], sources: Path) -> None:
    (sources / "README.md").write_text("changed")
    (sources / "functions" / "shared" / "__pycache__").mkdir()
    (sources / "functions" / "shared" / "__pycache__" / "clock.cpython-313.pyc").write_text("changed")

    assert hashes(synthesize_images()[0]) == hashes(assembly[0])


def test_images_are_refused_in_the_local_environment() -> None:
    with pytest.raises(ConfigError, match=r"packaging: expected zip in local, got 'image'"):
        load_config({"environment": "local", "packaging": "image"})


def test_a_mistyped_packaging_is_refused() -> None:
    with pytest.raises(ConfigError, match="packaging"):
        load_config({"packaging": "images"})
