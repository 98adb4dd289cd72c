"""Deployed functions with changed environment variables, during a block."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from tests.support.emulator import eventually
from tests.support.stack import Aws

LIVE: Final = "live"


@contextmanager
def released(aws: Aws, function: str, variables: Mapping[str, str]) -> Iterator[None]:
    """Publish a version of a function (by its name on Lambda) with more environment variables, during a block."""
    client = aws.client("lambda")
    before = client.get_alias(FunctionName=function, Name=LIVE)["FunctionVersion"]
    own = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    client.update_function_configuration(FunctionName=function, Environment={"Variables": {**own, **variables}})
    try:
        version = client.publish_version(FunctionName=function)["Version"]
        assert version != before
        # Lambda prepares SnapStart's snapshot: here, an idle process. An earlier request would start a second process,
        # which fetches the issuer's keys again. A function that cannot start leaves the state Pending too.
        released_as = {"FunctionName": function, "Qualifier": version}
        eventually(lambda: client.get_function_configuration(**released_as)["State"] != "Pending")
        client.update_alias(FunctionName=function, Name=LIVE, FunctionVersion=version)
        yield
    finally:
        client.update_alias(FunctionName=function, Name=LIVE, FunctionVersion=before)
        client.update_function_configuration(FunctionName=function, Environment={"Variables": own})
