"""Functions of the deployed stack with another environment, for a while."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from tests.support.emulator import eventually
from tests.support.stack import Aws

LIVE: Final = "live"


@contextmanager
def released(aws: Aws, function: str, variables: Mapping[str, str]) -> Iterator[None]:
    """Release a version of a function with further environment variables, and go back to the one before.

    Parameters
    ----------
    function : str
        Its name on Lambda.
    """
    client = aws.client("lambda")
    before = client.get_alias(FunctionName=function, Name=LIVE)["FunctionVersion"]
    own = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    client.update_function_configuration(FunctionName=function, Environment={"Variables": {**own, **variables}})
    try:
        version = client.publish_version(FunctionName=function)["Version"]
        assert version != before
        # Lambda prepares SnapStart's snapshot meanwhile: here, a process that is nobody's yet. A request that comes
        # earlier gets a second one, which fetches the issuer's keys for itself. One that cannot start is ready too.
        released_as = {"FunctionName": function, "Qualifier": version}
        eventually(lambda: client.get_function_configuration(**released_as)["State"] != "Pending")
        client.update_alias(FunctionName=function, Name=LIVE, FunctionVersion=version)
        yield
    finally:
        client.update_alias(FunctionName=function, Name=LIVE, FunctionVersion=before)
        client.update_function_configuration(FunctionName=function, Environment={"Variables": own})
