"""What is deployed and who may do what to whom, read from the committed templates.

The templates are those of ``tests/infra/snapshots``, which tests compare with what the app synthesizes: what is drawn
from them is drawn from the code.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from functions.shared.contract import ENDPOINTS
from infra.paths import REPOSITORY

#: An environment with everything that can be configured.
TEMPLATES: Final = REPOSITORY / "tests" / "infra" / "snapshots" / "prod-with-everything"
_REFERENCE: Final = re.compile(r"\$\{(?:([\w-]+):)?([\w<>]+)(?:\.\w+)?\}")

type Resource = Mapping[str, Any]


class Part(StrEnum):
    """What functions act on."""

    TABLE = "table"
    KEY = "key"
    STREAM = "stream"
    BUS = "bus"
    DEAD_LETTERS = "dead letters"
    LOGS = "logs"


@dataclass(frozen=True, kw_only=True)
class Function:
    """A Lambda function.

    Attributes
    ----------
    folder
        Below ``functions/``.
    route
        Such as ``POST /auth/mfa/setup``; empty for what is behind no route.
    grants
        The actions that its role allows, by what they are allowed on.
    """

    folder: str
    route: str
    grants: Mapping[Part, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Topology:
    """The parts of an environment and what runs between them.

    Attributes
    ----------
    functions
        In the order of the contract.
    authorizer
        The folder of the function that the gateway asks about each request.
    stream_reader
        The folder of the function that Lambda calls with the table's stream.
    counts
        How many resources of each type there are, by the stack's id.
    stacks
        For each stack, by its id (``data``), those whose outputs it refers to.
    """

    functions: tuple[Function, ...]
    authorizer: str
    stream_reader: str
    counts: Mapping[str, Mapping[str, int]]
    stacks: Mapping[str, frozenset[str]]

    def has(self, kind: str) -> bool:
        """Tell whether any stack has a resource of a type."""
        return any(kind in each for each in self.counts.values())

    def function(self, folder: str) -> Function:
        """Return a function by its folder."""
        return next(each for each in self.functions if each.folder == folder)


class _Templates:
    """The templates of an environment, in which references lead from one stack to another."""

    def __init__(self, folder: Path) -> None:
        self._stacks: dict[str, dict[str, Any]] = {
            path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))
        }

    def resources(self, kind: str) -> Iterator[tuple[str, Resource]]:
        """Yield the resources of a type: logical id and properties."""
        for template in self._stacks.values():
            for name, resource in template["Resources"].items():
                if resource["Type"] == kind:
                    yield name, resource.get("Properties", {})

    def kinds(self) -> dict[str, Counter[str]]:
        """Count the resources of each type in each stack."""
        return {
            _stack_id(stack): Counter(resource["Type"] for resource in template["Resources"].values())
            for stack, template in self._stacks.items()
        }

    def target(self, reference: str) -> tuple[str, str]:
        """Follow a reference to the end: the logical id of a resource, and the text that leads there."""
        found = _REFERENCE.search(reference)
        if found is None:
            return "", reference
        other, name = found.groups()
        if other is not None:
            return self.target(self._stacks[other]["Outputs"][name]["Value"])
        return name, reference

    def type_of(self, name: str) -> str:
        """Return the type of a resource."""
        return next(
            (
                template["Resources"][name]["Type"]
                for template in self._stacks.values()
                if name in template["Resources"]
            ),
            "",
        )

    def dependencies(self) -> dict[str, frozenset[str]]:
        """Return the stacks that each refers to, by what follows the environment in their names."""
        return {
            _stack_id(stack): frozenset(
                _stack_id(other)
                for other in self._stacks
                if other != stack and f"${{{other}:" in json.dumps(template["Resources"])
            )
            for stack, template in self._stacks.items()
        }


def read_topology(folder: Path = TEMPLATES) -> Topology:
    """Read the topology from a folder of templates.

    Raises
    ------
    ValueError
        A role allows an action on something that has no place among `Part`.
    """
    templates = _Templates(folder)
    functions = dict(templates.resources("AWS::Lambda::Function"))
    folders = {name: each["Handler"].split(".")[1] for name, each in functions.items()}
    aliases = {
        name: folders[templates.target(each["FunctionName"])[0]]
        for name, each in templates.resources("AWS::Lambda::Alias")
    }
    roles = {templates.target(functions[name]["Role"])[0]: folder for name, folder in folders.items()}
    grants: dict[str, dict[Part, tuple[str, ...]]] = {folder: {} for folder in folders.values()}
    for _, policy in templates.resources("AWS::IAM::Policy"):
        for role in policy["Roles"]:
            folder_of = roles.get(templates.target(role)[0])
            for statement in policy["PolicyDocument"]["Statement"] if folder_of else ():
                part = _part(templates, statement["Resource"])
                mine = grants[str(folder_of)]
                mine[part] = mine.get(part, ()) + _actions(statement["Action"])
    routes = dict(_routes(templates, aliases))
    order = [endpoint.function for endpoint in ENDPOINTS]
    (authorizer,) = (
        _function_named_in(each["AuthorizerUri"], aliases)
        for _, each in templates.resources("AWS::ApiGateway::Authorizer")
    )
    (reader,) = (
        aliases[templates.target(each["FunctionName"])[0]]
        for _, each in templates.resources("AWS::Lambda::EventSourceMapping")
    )
    return Topology(
        functions=tuple(
            Function(folder=folder, route=routes.get(folder, ""), grants=grants[folder])
            for folder in sorted(grants, key=lambda each: (order.index(each) if each in order else len(order), each))
        ),
        authorizer=authorizer,
        stream_reader=reader,
        counts=templates.kinds(),
        stacks=templates.dependencies(),
    )


def _routes(templates: _Templates, aliases: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    resources = dict(templates.resources("AWS::ApiGateway::Resource"))

    def path(name: str) -> str:
        if name not in resources:
            return ""
        parent = templates.target(resources[name]["ParentId"])[0]
        return f"{path(parent)}/{resources[name]['PathPart']}"

    for _, method in templates.resources("AWS::ApiGateway::Method"):
        if method["Integration"]["Type"] == "AWS_PROXY":
            resource = templates.target(method["ResourceId"])[0]
            yield _function_named_in(method["Integration"]["Uri"], aliases), f"{method['HttpMethod']} {path(resource)}"


def _function_named_in(uri: str, aliases: Mapping[str, str]) -> str:
    (folder,) = {aliases[name] for _, name in _REFERENCE.findall(uri) if name in aliases}
    return folder


def _part(templates: _Templates, resource: str) -> Part:
    name, text = templates.target(resource)
    match templates.type_of(name):
        case "AWS::DynamoDB::GlobalTable":
            return Part.STREAM if text.endswith(".StreamArn}") else Part.TABLE
        case "AWS::KMS::Key":
            return Part.KEY
        case "AWS::SQS::Queue":
            return Part.DEAD_LETTERS
        case "AWS::Logs::LogGroup":
            return Part.LOGS
    if ":event-bus/" in text:
        return Part.BUS
    raise ValueError(f"No place in the picture for {text}: give it one in tools/docsite/topology.py")


def _actions(action: str | list[str]) -> tuple[str, ...]:
    actions = [action] if isinstance(action, str) else action
    return tuple(each.partition(":")[2] for each in actions)


def _stack_id(name: str) -> str:
    """Return ``data`` for ``mfa-prod-data``."""
    return name.split("-", 2)[2]
