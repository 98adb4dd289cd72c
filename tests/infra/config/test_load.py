"""Settings from a file; those of the command line take precedence."""

import json
from copy import replace
from pathlib import Path

import pytest

from infra.config import ENVIRONMENTS, Config, ConfigError, load_config

TOML = """\
environment = "prod"
memory_mb = 2048
snap_start = false
cors_allowed_origins = ["https://a.example", "https://b.example"]

[monitoring]
alert_emails = ["team@example.com"]

[monitoring.thresholds]
errors = 50
api_5xx_percent = 0.5
"""


def load(file: Path, **context: object) -> Config:
    return load_config({"config": str(file), **context}, process_environment={})


def refusal(file: Path, **context: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load(file, **context)
    return str(caught.value)


@pytest.fixture
def expected() -> Config:
    prod = ENVIRONMENTS["prod"]
    return replace(
        prod,
        memory_mb=2048,
        snap_start=False,
        cors_allowed_origins=("https://a.example", "https://b.example"),
        monitoring=replace(
            prod.monitoring,
            alert_emails=("team@example.com",),
            thresholds=replace(prod.monitoring.thresholds, errors=50, api_5xx_percent=0.5),
        ),
    )


def test_a_toml_file_has_the_same_fields(tmp_path: Path, expected: Config) -> None:
    file = tmp_path / "prod.toml"
    file.write_text(TOML)

    assert load(file) == expected


def test_a_json_file_has_the_same_fields(tmp_path: Path, expected: Config) -> None:
    file = tmp_path / "prod.json"
    document = {
        "environment": "prod",
        "memory_mb": 2048,
        "snap_start": False,
        "cors_allowed_origins": ["https://a.example", "https://b.example"],
        "monitoring": {"alert_emails": ["team@example.com"], "thresholds": {"errors": 50, "api_5xx_percent": 0.5}},
        "required_scope": None,
    }
    file.write_text(json.dumps(document))

    assert load(file) == expected


def test_the_command_line_takes_precedence(tmp_path: Path, expected: Config) -> None:
    file = tmp_path / "prod.toml"
    file.write_text(TOML)
    given = {"memory_mb": "512", "monitoring.thresholds.errors": "7"}

    found = load(file, **given)

    assert (found.memory_mb, found.monitoring.thresholds.errors) == (512, 7)
    assert found.monitoring.thresholds.api_5xx_percent == expected.monitoring.thresholds.api_5xx_percent


def test_a_file_without_an_environment_applies_to_any(tmp_path: Path) -> None:
    file = tmp_path / "common.toml"
    file.write_text("memory_mb = 2048\n")

    assert load(file, environment="prod") == replace(ENVIRONMENTS["prod"], memory_mb=2048)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.yaml", "", "config: expected a file that ends in .json or .toml, got {path!r}"),
        ("a.toml", None, "config: expected a file that can be read, got {path!r}: No such file or directory"),
        (
            "a.toml",
            "memory_mb =\n",
            "config: expected TOML in {path!r}, but Invalid value (at line 1, column 12)",
        ),
        (
            "a.json",
            "{'memory_mb': 1}",
            "config: expected JSON in {path!r}, but Expecting property name enclosed in double quotes: line 1 column 2",
        ),
        ("a.json", "[]", "config: expected an object of settings in {path!r}"),
        ("a.toml", "memory = 1\n", "memory: no such setting, did you mean memory_mb?"),
        ("a.toml", "memory_mb = 1\n", "memory_mb: expected a whole number from 128 to 10240, got '1'"),
        (
            "a.toml",
            "[monitoring.thresholds]\nerror = 1\n",
            "monitoring.thresholds.error: no such setting, did you mean monitoring.thresholds.errors?",
        ),
        ("a.toml", "[waf]\nenabled = true\n", "waf.enabled: no such setting, expected one of environment, "),
    ],
)
def test_an_invalid_file_is_refused_in_one_line(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_text(content)

    found = refusal(file)

    assert found.startswith(message.format(path=str(file)))
    assert "\n" not in found


def test_a_binary_file_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(b"\xff\xfe")

    assert refusal(file).startswith(f"config: expected TOML in {str(file)!r}, but 'utf-8' codec can't decode")


def test_a_file_cannot_name_another_file(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text('config = "b.toml"\n')

    assert refusal(file).startswith("config: no such setting")
