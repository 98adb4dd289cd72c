"""Images: the Dockerfiles are alike, and each function's asset changes only with its inputs."""

import json
import shutil
from collections.abc import Callable
from copy import replace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from functions.shared import contract
from infra.config import ENVIRONMENTS, PROD, load_config
from infra.packaging import DEPLOYED_FUNCTIONS, code
from infra.packaging.code import code_source
from infra.paths import REPOSITORY
from infra.stage import MfaStage
from tests.infra.deployments import DEPLOYMENTS, OTHERWISE, deployment
from tests.infra.synthesis import Stack, load_stacks, new_app


@dataclass(frozen=True)
class Images:
    """The images of the functions in a cloud assembly."""

    directory: Path
    hashes: dict[str, str]
    sources: dict[str, dict[str, Any]]


def images(architecture: str = "arm64") -> Images:
    """Return the images of all functions without the rest of the environment."""
    app = new_app()
    stack = aws_cdk.Stack(app, "images")
    source = code_source(replace(ENVIRONMENTS[PROD], packaging="image", architecture=architecture))
    for function in DEPLOYED_FUNCTIONS:
        lambda_.Function(
            stack,
            function,
            code=source(function),
            runtime=lambda_.Runtime.FROM_IMAGE,
            handler=lambda_.Handler.FROM_IMAGE,
        )
    directory = Path(app.synth().directory)
    assets = json.loads((directory / "images.assets.json").read_text())["dockerImages"]
    named = {each["source"]["dockerFile"].split("/")[1]: (name, each["source"]) for name, each in assets.items()}
    return Images(
        directory,
        {function: name for function, (name, _) in named.items()},
        {function: source for function, (_, source) in named.items()},
    )


def changed(before: Images, after: Images) -> set[str]:
    return {function for function in DEPLOYED_FUNCTIONS if before.hashes[function] != after.hashes[function]}


@pytest.fixture(scope="module")
def present() -> Images:
    return images()


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of what images are built from; images are built from the copy."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "functions", tmp_path / "functions", ignore=ignored)
    for name in (".dockerignore", "requirements.txt"):
        shutil.copy(REPOSITORY / name, tmp_path)
    monkeypatch.setattr(code, "REPOSITORY", tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def stacks() -> dict[str, Stack]:
    """Return the stacks of an environment with images."""
    config = load_config({**DEPLOYMENTS[OTHERWISE], "packaging": "image"}, process_environment={})
    return load_stacks(Path(MfaStage(new_app(), config=config, code=code_source(config)).synth().directory))


def names(service: Stack, kind: str, name: str) -> set[str]:
    return {each[name] for each in service.properties_of(kind)}


def test_the_dockerfiles_differ_only_in_the_functions_name() -> None:
    paths = {function: REPOSITORY / "functions" / function / "Dockerfile" for function in DEPLOYED_FUNCTIONS}

    assert len({path.read_text().replace(function, "NAME") for function, path in paths.items()}) == 1


def test_a_dockerfile_runs_the_handler_of_the_zip_on_lambdas_base_without_privileges() -> None:
    lines = (REPOSITORY / "functions" / "setup_mfa" / "Dockerfile").read_text().splitlines()

    assert lines[-1] == f'CMD ["{contract.handler_path("setup_mfa")}"]'
    assert "USER 65534" in lines
    assert "ARG BASE_IMAGE=public.ecr.aws/lambda/python:3.13" in lines
    assert sum(line.count("--require-hashes") for line in lines) == sum(line.count(" install ") for line in lines) == 2


def test_every_function_is_deployed_as_an_image_that_can_start_from_a_snapshot(stacks: dict[str, Stack]) -> None:
    functions = stacks["mfa-prod-service"].properties_of("AWS::Lambda::Function")

    assert len(functions) == len(DEPLOYED_FUNCTIONS)
    assert any("SnapStart" in function for function in functions)
    for function in functions:
        assert function["PackageType"] == "Image"
        assert set(function["Code"]) == {"ImageUri"}
        assert not {"Runtime", "Handler"} & set(function)
        assert function.get("SnapStart", {"ApplyOn": "PublishedVersions"}) == {"ApplyOn": "PublishedVersions"}
        assert function["Architectures"] == ["arm64"]


def test_packaging_can_be_changed_and_changed_back(stacks: dict[str, Stack]) -> None:
    """Lambda refuses to change a function's package type, and CloudFormation to replace a function of the same name."""
    image, zipped = stacks["mfa-prod-service"], deployment(OTHERWISE).service
    function = ("AWS::Lambda::Function", "FunctionName")

    assert names(image, *function) == {f"{name}-image" for name in names(zipped, *function)}
    # Nothing that is kept is renamed: it would be in the way of the change back.
    for kind, name in (("AWS::Logs::LogGroup", "LogGroupName"), ("AWS::SQS::Queue", "QueueName")):
        assert image.resources(kind).keys() == zipped.resources(kind).keys()
        assert names(image, kind, name) == names(zipped, kind, name)
    # The stage is moved to methods that call the other functions.
    assert not image.resources("AWS::ApiGateway::Deployment").keys() & zipped.resources("AWS::ApiGateway::Deployment")


def test_alarms_and_dashboards_watch_the_images(stacks: dict[str, Stack]) -> None:
    alarms = stacks["mfa-prod-monitoring"].properties_of("AWS::CloudWatch::Alarm")
    queries = [query for alarm in alarms for query in alarm.get("Metrics", ()) if "MetricStat" in query]
    dimensions = [each for query in queries for each in query["MetricStat"]["Metric"].get("Dimensions", ())]

    watched = {each["Value"] for each in dimensions if each["Name"] == "FunctionName"}
    assert watched == names(stacks["mfa-prod-service"], "AWS::Lambda::Function", "FunctionName")


def test_images_are_built_for_the_functions_machine(present: Images) -> None:
    for built, platform in ((present, "linux/arm64"), (images("x86_64"), "linux/amd64")):
        assert {source["platform"] for source in built.sources.values()} == {platform}


def test_an_image_is_built_only_from_its_own_code_and_the_shared_code(present: Images) -> None:
    for function, source in present.sources.items():
        context = present.directory / source["directory"]
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
    present: Images, sources: Path, change: Callable[[Path], object]
) -> None:
    change(sources / "functions" / "mfa_status")

    assert changed(present, images()) == {"mfa_status"}


@pytest.mark.parametrize("file", ["functions/shared/contract.py", "requirements.txt"])
def test_a_change_in_a_shared_file_changes_every_image(present: Images, sources: Path, file: str) -> None:
    (sources / file).write_text("# changed")

    assert changed(present, images()) == set(DEPLOYED_FUNCTIONS)


def test_other_files_change_no_image(present: Images, sources: Path) -> None:
    (sources / "README.md").write_text("changed")
    (sources / "functions" / "shared" / "__pycache__").mkdir()
    (sources / "functions" / "shared" / "__pycache__" / "clock.cpython-313.pyc").write_text("changed")

    assert changed(present, images()) == set()
