from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from unittest.mock import Mock

import pytest

from infra.config import load_config
from infra.outputs import Output
from local.deploy import cdk_environment, context, describe, show_steps
from local.errors import LocalError
from local.stack import Credentials

_ADMINISTRATOR = Credentials("AKIA", "secret")
_ENDPOINT = "http://127.0.0.1:4600"
_CONSOLE = "http://127.0.0.1:5600"


def test_the_output_of_cdk_is_split_into_named_steps() -> None:
    output = [
        "Bundling\n",
        "✨  Synthesis time: 4.73s\n",
        "mfa-local-data: start: Publishing\n",
        "Local/Data (mfa-local-data): deploying... [1/2]\n",
        "mfa-local-data | 0/3 | CREATE_IN_PROGRESS\n",
        " ✅  Local/Data (mfa-local-data)\n",
        "mfa-local-service: deploying... [2/2]\n",
    ]
    shown = StringIO()

    @contextmanager
    def step(what: str) -> Iterator[None]:
        shown.write(f"begin: {what}\n")
        yield
        shown.write("end\n")

    show_steps("synthesize the stacks", output, shown, Mock(step=step))
    steps = [
        ("synthesize the stacks", output[:2]),
        ("publish templates and code", output[2:4]),
        ("deploy mfa-local-data", output[4:6]),
        ("publish templates and code", output[6:]),
        ("deploy mfa-local-service", []),
    ]
    assert shown.getvalue() == "".join(f"begin: {name}\n{''.join(lines)}end\n" for name, lines in steps)


def _outputs() -> dict[str, dict[str, str]]:
    values = {str(output): f"value of {output}" for output in Output}
    values[Output.API_URL] = "https://abc123.execute-api.us-east-1.amazonaws.com/v1"
    return {"mfa-local-data": values}


def test_the_outputs_describe_the_stack() -> None:
    stack = describe(_outputs(), _ADMINISTRATOR, endpoint_url=_ENDPOINT, console_url=_CONSOLE)
    assert stack.api_url == f"{_ENDPOINT}/_aws/execute-api/abc123/v1"
    assert (stack.table_name, stack.access_key_id) == ("value of TableName", "AKIA")
    assert stack.functions["setup_mfa"] == "setup-mfa-local"
    assert stack.functions["jwt_authorizer"] == "jwt-authorizer-local"


def test_a_missing_output_is_named() -> None:
    outputs = _outputs()
    del outputs["mfa-local-data"][Output.KEY_ARN]
    with pytest.raises(LocalError, match="no output KeyArn"):
        describe(outputs, _ADMINISTRATOR, endpoint_url=_ENDPOINT, console_url=_CONSOLE)


def test_cdk_sees_only_the_credentials_of_the_embedded_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "CDK_DEFAULT_ACCOUNT", "PYTHONDONTWRITEBYTECODE"):
        monkeypatch.setenv(name, "of the machine")
    environment = cdk_environment(_ADMINISTRATOR, _ENDPOINT)
    assert "of the machine" not in environment.values()
    assert environment["AWS_ACCESS_KEY_ID"] == "AKIA"
    assert environment["AWS_ENDPOINT_URL"] == _ENDPOINT
    assert Path(environment["PATH"].split(":")[0], "python").exists()


@pytest.mark.parametrize(
    ("further", "origins"),
    [
        (None, (_CONSOLE,)),
        ("", (_CONSOLE,)),
        ("http://localhost:3000", (_CONSOLE, "http://localhost:3000")),
        ("http://localhost:3000, app://localhost", (_CONSOLE, "http://localhost:3000", "app://localhost")),
    ],
)
def test_further_origins_may_call_the_local_api(
    monkeypatch: pytest.MonkeyPatch, further: str | None, origins: tuple[str, ...]
) -> None:
    if further is None:
        monkeypatch.delenv("LOCAL_ORIGINS", raising=False)
    else:
        monkeypatch.setenv("LOCAL_ORIGINS", further)
    options = context(endpoint_url=_ENDPOINT, console_url=_CONSOLE)
    settings = dict(option.split("=", 1) for option in options if option != "--context")
    assert load_config(settings).cors_allowed_origins == origins
