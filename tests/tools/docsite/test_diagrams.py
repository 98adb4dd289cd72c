"""The generated diagrams are those that the templates and the code give, and refuse what they cannot show."""

import json

import pytest
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError

from functions.shared.contract import AUTHORIZER_FUNCTION, ENDPOINTS, SECURITY_EVENTS_FUNCTION
from tools.docsite import diagrams, samples
from tools.marked_blocks import with_blocks

SERVICE = json.loads((diagrams.TEMPLATES / "mfa-prod-service.json").read_text())["Resources"]


def test_the_pages_have_the_generated_diagrams() -> None:
    for page, blocks in diagrams.diagrams().items():
        assert page.read_text() == with_blocks(page.read_text(), "diagram", blocks)


def test_the_guide_shows_the_clients_that_tests_run() -> None:
    guide = samples.GUIDE.read_text()
    assert guide == with_blocks(guide, "code", samples.samples())


def test_the_architecture_has_every_function_with_the_actions_of_its_role() -> None:
    drawn = diagrams.architecture(SERVICE)

    assert diagrams.role_grants(SERVICE)["setup_mfa"] == {"table": ("PutItem",), "key": ("GenerateDataKey",)}
    assert "<b>setup_mfa</b><br>key: GenerateDataKey<br>table: PutItem" in drawn
    for function in (*(each.function for each in ENDPOINTS), AUTHORIZER_FUNCTION, SECURITY_EVENTS_FUNCTION):
        assert function in drawn
    assert "<br>proof key: Sign" in drawn
    assert "signing_keys -->|GetPublicKey| proof_key" in drawn


def test_another_action_of_a_role_changes_the_architecture() -> None:
    changed = json.loads(json.dumps(SERVICE).replace('"dynamodb:PutItem"', '"dynamodb:BatchWriteItem"'))

    assert "table: BatchWriteItem" in diagrams.architecture(changed)


def test_a_grant_on_an_unknown_resource_is_refused() -> None:
    changed = json.loads(json.dumps(SERVICE).replace(":event-bus/", ":archive/"))

    with pytest.raises(ValueError, match="archive"):
        diagrams.architecture(changed)


def test_the_parts_of_a_message_add_up_to_the_message() -> None:
    parts = diagrams.message_parts(diagrams.sealed_message())

    assert parts["header"]["context"] == "purpose, user_id"
    assert parts["header"]["data key"] == "1, encrypted by KMS"
    assert parts["header"]["commitment"] == "32 bytes"
    assert parts["body"] == {"IV": "12 bytes", "length": "8 bytes", "ciphertext": "32 bytes", "tag": "16 bytes"}


def test_a_message_of_another_format_is_refused() -> None:
    message = diagrams.sealed_message()

    with pytest.raises(ValueError, match="format"):
        diagrams.message_parts(message + b"\0")
    with pytest.raises(AWSEncryptionSDKClientError):
        diagrams.message_parts(b"\1" + message[1:])


def test_a_page_and_the_code_must_have_the_same_blocks() -> None:
    page = "before\n<!-- diagram: one -->\nold\nolder\n<!-- end -->\nafter\n"

    assert with_blocks(page, "diagram", {"one": "new"}) == "before\n<!-- diagram: one -->\nnew\n<!-- end -->\nafter\n"
    with pytest.raises(ValueError, match="two"):
        with_blocks(page, "diagram", {"one": "new", "two": "new"})
