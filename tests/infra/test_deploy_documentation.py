"""What `docs/deploy.md` shows can be done as it is shown."""

import json
import re
from pathlib import Path

import pytest

from infra.config import Config, load_config
from infra.outputs import StackId
from infra.paths import REPOSITORY
from tests.infra.synthesis import Synthesized

PAGE = (REPOSITORY / "docs" / "deploy.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def anchor(heading: str) -> str:
    """Return a heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_the_example_of_a_file_is_accepted(tmp_path: Path) -> None:
    (example,) = blocks("toml")
    file = tmp_path / "prod.toml"
    file.write_text(example)

    config = load_config({"config": str(file)}, process_environment={})

    assert config.environment == "prod"
    assert config.monitoring.page_urls


def test_every_setting_on_a_command_line_exists() -> None:
    names = set(re.findall(r"-c (\w+)=", PAGE)) - {"config", "name"}

    assert names <= set(Config.model_fields)
    assert {"traffic_shift", "users_table_name"} <= names


def test_the_commands_for_a_second_region_are_accepted(tmp_path: Path) -> None:
    file = tmp_path / "prod.toml"
    file.write_text(blocks("toml")[0])
    command = next(block for block in blocks("sh") if "KEY_ARN_OF_THE_REPLICA_STACK" in block)
    stand_ins = {
        "secret_key_arn": "arn:aws:kms:us-west-2:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab",
        "certificate_arn": "arn:aws:acm:us-west-2:123456789012:certificate/1234abcd",
    }

    config = load_config(
        dict(re.findall(r"-c (\w+)=(\S*)", command)) | stand_ins | {"config": str(file)}, process_environment={}
    )

    assert (config.region, config.users_table_name) == ("us-west-2", "mfa-prod-users")
    assert config.domain_name == load_config({"config": str(file)}, process_environment={}).domain_name


def test_the_statement_of_an_existing_key_is_the_one_that_a_new_key_has(prod: Synthesized) -> None:
    documented = next(json.loads(block) for block in blocks("json") if "UseByIam" in block)
    key = prod.stacks[StackId.DATA].only("AWS::KMS::Key")["Properties"]["KeyPolicy"]["Statement"][1]

    assert documented | {"Principal": None} == key | {"Principal": None}


def test_every_link_within_the_page_leads_somewhere() -> None:
    anchors = {anchor(heading) for heading in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)}

    assert set(re.findall(r"\(#([^)]+)\)", PAGE)) <= anchors
    assert "automatic-rollback" in anchors  # the alarms of a release say so


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(((?!#|http)[^)#]+)", PAGE))))
def test_every_link_to_a_file_leads_to_one(link: str) -> None:
    assert (REPOSITORY / "docs" / link).exists()


def test_the_table_of_costs_adds_up() -> None:
    rows = [
        line.split("|")[1:-1] for line in PAGE.partition("## Cost")[2].partition("## ")[0].splitlines() if "|" in line
    ]
    small, large = ([float(row[column].replace(",", "").strip(" *")) for row in rows[2:-1]] for column in (3, 5))

    assert round(sum(small[:-1]), 2) == small[-1]
    assert round(sum(large[:-1]), 2) == large[-1]
