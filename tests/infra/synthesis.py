"""Environments synthesized in this process, and their templates with readable references."""

import atexit
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from aws_cdk import App
from aws_cdk import aws_lambda as lambda_

from functions.shared import contract
from infra.config import ENVIRONMENTS, Config, load_config
from infra.outputs import StackId, stack_name
from infra.paths import REPOSITORY
from infra.stage import MfaStage

type Resource = dict[str, Any]


def stub_code() -> lambda_.Code:
    """Return code for tests that look only at templates."""
    return lambda_.Code.from_inline("raise NotImplementedError")


@dataclass(frozen=True)
class Stack:
    """One synthesized stack."""

    template: dict[str, Any]
    properties: dict[str, Any]  # of its artifact in the assembly's manifest
    exports: Mapping[str, "Stack"]  # every stack of the environment by its name on AWS

    def unresolved(self, kind: str) -> list[Resource]:
        """Return the properties of the resources of a type, with references as the template has them."""
        return [each["Properties"] for each in self.template["Resources"].values() if each["Type"] == kind]

    def resources(self, kind: str) -> dict[str, Resource]:
        """Return the resources of a type, by logical id, with their references resolved."""
        found = {name: each for name, each in self.template["Resources"].items() if each["Type"] == kind}
        return {name: self.resolve(each) for name, each in found.items()}

    def properties_of(self, kind: str) -> list[Resource]:
        """Return the properties of the resources of a type."""
        return [each["Properties"] for each in self.resources(kind).values()]

    def only(self, kind: str) -> Resource:
        """Return the one resource of a type, attributes like ``DeletionPolicy`` included."""
        (resource,) = self.resources(kind).values()
        return resource

    def function(self, folder: str) -> Resource:
        """Return the properties of a function, by its folder."""
        handler = contract.handler_path(folder)
        (found,) = (each for each in self.properties_of("AWS::Lambda::Function") if each["Handler"] == handler)
        return found

    def variables(self, folder: str) -> dict[str, Any]:
        """Return the environment variables of a function."""
        return dict(self.function(folder)["Environment"]["Variables"])

    def role_of(self, folder: str) -> str:
        """Return the logical id of a function's role."""
        handler = contract.handler_path(folder)
        (found,) = (each for each in self.unresolved("AWS::Lambda::Function") if each["Handler"] == handler)
        return str(found["Role"]["Fn::GetAtt"][0])

    @cached_property
    def statements_by_role(self) -> dict[str, list[dict[str, Any]]]:
        """The statements of every role by its logical id; a role without statements has an empty list."""
        granted: dict[str, list[dict[str, Any]]] = {role: [] for role in self.resources("AWS::IAM::Role")}
        for name in self.resources("AWS::IAM::Policy"):
            policy = self.template["Resources"][name]["Properties"]
            for role in policy["Roles"]:
                granted[role["Ref"]] += self.resolve(policy["PolicyDocument"]["Statement"])
        return granted

    def granted(self, folder: str) -> list[dict[str, Any]]:
        """Return the statements of a function's role."""
        return self.statements_by_role[self.role_of(folder)]

    @property
    def outputs(self) -> dict[str, Any]:
        """The stack's own outputs, without those that other stacks refer to."""
        return {
            name: self.resolve(each["Value"])
            for name, each in self.template.get("Outputs", {}).items()
            if not name.startswith("PublishOutput")
        }

    def resolve(self, value: Any) -> Any:
        """Return a part of the template with references such as ``<AWS::KMS::Key Arn>``."""
        match value:
            case {"Ref": str(name)}:
                return self._describe(name, "")
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return self._describe(name, f" {attribute}")
            case {"Fn::GetStackOutput": {"StackName": str(stack), "OutputName": str(output)}}:
                exporter = self.exports[stack]
                return exporter.resolve(exporter.template["Outputs"][output]["Value"])
            case {"Fn::Join": [str(separator), list(parts)]}:
                return separator.join(str(self.resolve(part)) for part in parts)
            case dict():
                return {key: self.resolve(each) for key, each in value.items()}
            case list():
                return [self.resolve(each) for each in value]
            case _:
                return value

    def _describe(self, name: str, attribute: str) -> str:
        resource = self.template["Resources"].get(name)
        if resource is None:  # a pseudo parameter
            return f"<{name}>"
        properties = resource.get("Properties", {})
        named = next((properties[key] for key in ("LogGroupName", "AlarmName", "TopicName") if key in properties), "")
        return f"<{' '.join(filter(None, (resource['Type'], named)))}{attribute}>"


def load_stacks(directory: Path) -> dict[str, Stack]:
    """Return the stacks of a cloud assembly by their names on AWS."""
    manifest = json.loads((directory / "manifest.json").read_text())
    stacks: dict[str, Stack] = {}
    for name, artifact in manifest["artifacts"].items():
        if artifact["type"] == "aws:cloudformation:stack":
            properties = artifact["properties"]
            template = json.loads((directory / properties["templateFile"]).read_text())
            stacks[properties.get("stackName", name)] = Stack(template, properties, stacks)
    return stacks


@dataclass(frozen=True)
class Synthesized:
    """One synthesized environment."""

    app: App
    stage: MfaStage
    config: Config
    directory: Path

    @cached_property
    def stacks(self) -> dict[StackId, Stack]:
        """Its stacks, without those of replica regions."""
        ids = {stack_name(self.config.environment, stack): stack for stack in StackId}
        return {ids[name]: stack for name, stack in self.stacks_by_name.items() if name in ids}

    @cached_property
    def stacks_by_name(self) -> dict[str, Stack]:
        """All of its stacks by their names on AWS."""
        return load_stacks(self.directory)

    @property
    def data(self) -> Stack:
        return self.stacks[StackId.DATA]

    @property
    def identity(self) -> Stack:
        return self.stacks[StackId.IDENTITY]

    @property
    def service(self) -> Stack:
        return self.stacks[StackId.SERVICE]

    def annotations(self, kind: str) -> list[str]:
        """Return the annotations of a kind, such as ``warning``, that CDK shows at a deployment."""
        found = (
            each for path in self.directory.glob("*.metadata.json") for each in json.loads(path.read_text()).values()
        )
        return [str(entry["data"]) for each in found for entry in each if entry["type"] == f"aws:cdk:{kind}"]

    @property
    def templates(self) -> list[Path]:
        """The files of its templates."""
        return sorted(self.directory.glob("*.template.json"))


def new_app() -> App:
    """Return an app with the project's feature flags that writes to its own temporary folder."""
    context = json.loads((REPOSITORY / "cdk.json").read_text())["context"]
    return App(context=context, outdir=tempfile.mkdtemp(dir=_output_root()))


def endpoints_of(environment: str) -> tuple[contract.Endpoint, ...]:
    """Return the routes of an environment with its own settings: the public ones only where proofs are on."""
    public = contract.PROOF_ENDPOINTS if ENVIRONMENTS[environment].proof_audience else ()
    return (*contract.ENDPOINTS, *public)


@cache
def _output_root() -> Path:
    root = Path(tempfile.mkdtemp(prefix="mfa-synthesis-"))
    atexit.register(shutil.rmtree, root)
    return root


def synthesize(environment: str, **overrides: str) -> Synthesized:
    """Return an environment, synthesized as on the command line but with stub code, once for the same settings."""
    return _synthesize(environment, frozenset(overrides.items()))


@cache
def _synthesize(environment: str, overrides: frozenset[tuple[str, str]]) -> Synthesized:
    app = new_app()
    config = load_config({"environment": environment, **dict(overrides)}, process_environment={})
    stage = MfaStage(app, config=config, code=lambda _function: stub_code())
    return Synthesized(app, stage, config, Path(stage.synth().directory))
