"""The examples and sums of `docs/deploy.md` are valid."""

import json
import re
from pathlib import Path

from infra.config import load_config
from infra.paths import REPOSITORY
from tests.infra.synthesis import Synthesized

PAGE = (REPOSITORY / "docs" / "deploy.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_file_is_accepted(tmp_path: Path) -> None:
    (example,) = blocks("toml")
    file = tmp_path / "prod.toml"
    file.write_text(example)

    config = load_config({"config": str(file)}, process_environment={})

    assert config.environment == "prod"
    assert config.monitoring.page_urls


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
    assert config.standby
    assert config.domain_name == load_config({"config": str(file)}, process_environment={}).domain_name


def test_the_documented_key_statement_is_that_of_a_new_key(prod: Synthesized) -> None:
    documented = next(json.loads(block) for block in blocks("json") if "UseByIam" in block)
    key = prod.data.only("AWS::KMS::Key")["Properties"]["KeyPolicy"]["Statement"][1]

    of_account = json.loads(json.dumps(key).replace("<AWS::AccountId>", "123456789012"))
    assert documented | {"Principal": None} == of_account | {"Principal": None}


def test_the_heading_that_alarms_of_a_release_link_exists() -> None:
    assert re.search(r"^#+ Automatic rollback$", PAGE, re.MULTILINE)


def test_the_table_of_costs_adds_up() -> None:
    rows = [
        line.split("|")[1:-1] for line in PAGE.partition("## Cost")[2].partition("## ")[0].splitlines() if "|" in line
    ]
    small, large = ([float(row[column].replace(",", "").strip(" *")) for row in rows[2:-1]] for column in (3, 5))

    assert round(sum(small[:-1]), 2) == small[-1]
    assert round(sum(large[:-1]), 2) == large[-1]
