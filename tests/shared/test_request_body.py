"""Request bodies: parsed strictly, refused without being quoted."""

import base64
import json
import re
import string
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.shared.contract import Factor
from functions.shared.errors import ValidationError
from functions.shared.request_body import MAX_BODY_BYTES, OfferedCode, RequestBody, SecondFactorRequest, TotpRequest

MODELS: tuple[type[RequestBody], ...] = (TotpRequest, SecondFactorRequest)
MESSAGES = {
    "The request body must be JSON",
    "The request body must be a JSON object",
    "The request body must not be longer than 4096 bytes",
    "The request body has an unknown field",
    "Exactly one of code and backupCode is required",
    "code must be six digits",
    "backupCode must be four letters and four digits",
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["code", "backupCode"]), inner),
    max_leaves=10,
)


def second_factor(body: Any) -> OfferedCode:
    text = body if isinstance(body, str) else json.dumps(body)
    return SecondFactorRequest.from_event({"body": text}).offered_code()


def totp(body: Any) -> OfferedCode:
    text = body if isinstance(body, str) else json.dumps(body)
    return TotpRequest.from_event({"body": text}).offered_code()


def refusal(model: type[RequestBody], event: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        model.from_event(event)
    assert caught.value.__cause__ is None
    return caught.value.message


class TestNormalisation:
    @pytest.mark.parametrize(
        "code",
        ["123456", "123 456", " 123456 ", "123-456", "1 2 3 4 5 6", "123\u00a0456", "123\u2009456", "\t123456\n"],
    )
    def test_a_totp_code_as_people_type_it(self, code: str) -> None:
        assert totp({"code": code}) == second_factor({"code": code}) == OfferedCode(Factor.TOTP, "123456")

    @pytest.mark.parametrize(
        "code", ["ABCD-1234", "abcd-1234", "AbCd1234", " abcd 1234 ", "a-b-c-d-1-2-3-4", "ABCD--1234", "ABCD\u00a01234"]
    )
    def test_a_backup_code_as_people_type_it(self, code: str) -> None:
        assert second_factor({"backupCode": code}) == OfferedCode(Factor.BACKUP_CODE, "ABCD-1234")

    @given(st.from_regex(r"[A-Z]{4}-[0-9]{4}", fullmatch=True), st.data())
    def test_spaces_hyphens_and_case_never_matter(self, code: str, data: st.DataObject) -> None:
        typed = "".join(
            data.draw(st.sampled_from([char, char.lower()]))
            + data.draw(st.sampled_from(["", " ", "-", "\u2003", " - "]))
            for char in code
        )
        assert second_factor({"backupCode": typed}).code == code


class TestCodes:
    @pytest.mark.parametrize(
        "code",
        [
            *(
                "",
                " ",
                "12345",
                "1234567",
                "12345a",
                "١٢٣٤٥٦",
                "\uff11\uff12\uff13\uff14\uff15\uff16",
                "1२3456",
                "+12345",
                "12345.",
                "0x1234",
            ),
            *("123456\0", "123456\u200b", "1e5", "123_456", "12345\n6\n7", 123456, 123456.0, 1e5, True, None, [], {}),
            *(["123456"], {"code": "123456"}, "9" * 4000, "ABCD-1234"),
        ],
        ids=ascii,
    )
    def test_only_six_ascii_digits_are_a_code(self, code: object) -> None:
        event = {"body": json.dumps({"code": code})}
        assert refusal(TotpRequest, event) == "code must be six digits"
        if code is not None:
            assert refusal(SecondFactorRequest, event) == "code must be six digits"

    @pytest.mark.parametrize(
        "code",
        [
            *(
                "",
                "ABC-1234",
                "ABCDE-1234",
                "ABCD-123",
                "ABCD-12345",
                "1234-ABCD",
                "ABCD1234E",
                "AB1D-1234",
                "ABCD-12E4",
            ),
            *(
                "ßßAB-1234",
                "ßß1234",
                "\u017fSSS-1234",
                "\u0131III-1234",
                "ﬀAB1234",
                "ÄBCD-1234",
                "\u0391BCD-1234",
                "\uff21\uff22\uff23\uff24-1234",
            ),
            *(
                "ABCD-١٢٣٤",
                "ABCD_1234",
                "ABCD\u20101234",
                "ABCD.1234",
                "ABCD-1234\0",
                12345678,
                True,
                [],
                {},
                ["ABCD-1234"],
            ),
            "123456",
        ],
        ids=ascii,
    )
    def test_only_four_ascii_letters_and_four_digits_are_a_backup_code(self, code: object) -> None:
        event = {"body": json.dumps({"backupCode": code})}
        assert refusal(SecondFactorRequest, event) == "backupCode must be four letters and four digits"


class TestExactlyOne:
    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"code": None},
            {"backupCode": None},
            {"code": None, "backupCode": None},
            {"code": "123456", "backupCode": "ABCD-1234"},
        ],
        ids=str,
    )
    def test_none_or_both_are_refused(self, body: dict[str, Any]) -> None:
        message = refusal(SecondFactorRequest, {"body": json.dumps(body)})
        assert message == "Exactly one of code and backupCode is required"

    @pytest.mark.parametrize("body", [{"code": "123456", "backupCode": None}, {"backupCode": None, "code": "123456"}])
    def test_null_is_none(self, body: dict[str, Any]) -> None:
        assert second_factor(body) == OfferedCode(Factor.TOTP, "123456")

    def test_a_totp_request_takes_no_backup_code(self) -> None:
        for body in ({"backupCode": "ABCD-1234"}, {"code": "123456", "backupCode": "ABCD-1234"}):
            assert "The request body has an unknown field" in refusal(TotpRequest, {"body": json.dumps(body)})

    @pytest.mark.parametrize("name", ["backup_code", "Code", "CODE", "code ", "", "__proto__", "method", "x" * 1000])
    @pytest.mark.parametrize("model", MODELS)
    def test_unknown_fields_are_refused(self, model: type[RequestBody], name: str) -> None:
        message = refusal(model, {"body": json.dumps({"code": "123456", name: "123456"})})
        assert message == "The request body has an unknown field"


@pytest.mark.parametrize("model", MODELS)
class TestBody:
    @pytest.mark.parametrize(
        "body",
        [
            "",
            " ",
            "{",
            "code=123456",
            "{'code':'123456'}",
            '{"code":"123456",}',
            '{"code":"123456"}{}',
            "\ufeff{}",
            "\0",
        ],
    )
    def test_must_be_json(self, model: type[RequestBody], body: str) -> None:
        assert refusal(model, {"body": body}) == "The request body must be JSON"

    @pytest.mark.parametrize("body", ["null", "[]", "1", '"123456"', "true", '[{"code":"123456"}]', '["code"]'])
    def test_must_be_an_object(self, model: type[RequestBody], body: str) -> None:
        assert refusal(model, {"body": body}) == "The request body must be a JSON object"

    @pytest.mark.parametrize("event", [{}, {"body": None}, {"body": None, "isBase64Encoded": True}], ids=str)
    def test_must_be_there(self, model: type[RequestBody], event: dict[str, Any]) -> None:
        assert refusal(model, event) == "The request body must be JSON"

    @pytest.mark.parametrize("encoded", [False, True], ids=["plain", "base64"])
    def test_may_be_4_kib_and_not_a_byte_more(self, model: type[RequestBody], encoded: bool) -> None:
        def event(size: int) -> dict[str, Any]:
            body = '{"code":"123456"}'.ljust(size)
            return {"body": base64.b64encode(body.encode()).decode() if encoded else body, "isBase64Encoded": encoded}

        model.from_event(event(MAX_BODY_BYTES))
        assert MAX_BODY_BYTES == 4096
        assert refusal(model, event(MAX_BODY_BYTES + 1)) == "The request body must not be longer than 4096 bytes"
        assert refusal(model, event(5_000_000)) == "The request body must not be longer than 4096 bytes"

    def test_is_measured_in_bytes(self, model: type[RequestBody]) -> None:
        body = '{"code":"123456","x":"' + "用" * 1400 + '"}'
        assert len(body) < MAX_BODY_BYTES
        assert "4096 bytes" in refusal(model, {"body": body})

    def test_may_come_in_base64(self, model: type[RequestBody]) -> None:
        event = {"body": base64.b64encode(b'{"code":"123456"}').decode(), "isBase64Encoded": True}
        model.from_event(event)

    @pytest.mark.parametrize("body", ["%", "eyJ", "eyJ9 ", "é", '{"code":"123456"}', "\ud800"], ids=ascii)
    def test_must_be_base64_if_it_is_said_to_be(self, model: type[RequestBody], body: str) -> None:
        assert refusal(model, {"body": body, "isBase64Encoded": True}) == "The request body must be JSON"

    @pytest.mark.parametrize("stray", [" ", "\n", "!", "=", "-"])
    def test_in_base64_has_nothing_but_base64(self, model: type[RequestBody], stray: str) -> None:
        body = base64.b64encode(b'{"code":"123456"}').decode()
        event = {"body": f"{body[:4]}{stray}{body[4:]}", "isBase64Encoded": True}
        assert refusal(model, event) == "The request body must be JSON"

    def test_in_base64_is_not_taken_for_json(self, model: type[RequestBody]) -> None:
        body = base64.b64encode(b'{"code":"123456"}').decode()
        assert refusal(model, {"body": body, "isBase64Encoded": False}) == "The request body must be JSON"

    @pytest.mark.parametrize("encoded", [False, True])
    @pytest.mark.parametrize("body", [{"code": "123456"}, ["123456"], 123456, True, b"{}"], ids=str)
    def test_of_another_type_than_api_gateways_is_refused(
        self, model: type[RequestBody], body: object, encoded: bool
    ) -> None:
        assert refusal(model, {"body": body, "isBase64Encoded": encoded}) in MESSAGES


def outcome(model: type[RequestBody], event: dict[str, Any]) -> str | None:
    """Return the message of a refusal, or None; any other exception is a failure of the test."""
    try:
        model.from_event(event)
    except ValidationError as error:
        message = error.message
    else:
        return None
    assert set(message.split("; ")) <= MESSAGES
    return message


@given(st.binary(max_size=5000))
@example(b'{"code":"\xff"}')
@example(b"[" * 4096)
@example(b'{"code":' * 500)
@example(b'{"code":"\\ud800"}')
@example(b'{"code":1e999}')
@example(b'{"code":' + b"9" * 4000 + b"}")
def test_any_bytes_are_parsed_or_refused(body: bytes) -> None:
    for model in MODELS:
        outcome(model, {"body": base64.b64encode(body).decode(), "isBase64Encoded": True})


@given(st.text() | st.text(alphabet=st.characters(categories=["Cs"])))
def test_any_text_is_parsed_or_refused(body: str) -> None:
    for model in MODELS:
        outcome(model, {"body": body})
        outcome(model, {"body": body, "isBase64Encoded": True})


@given(JSON)
def test_any_json_is_parsed_or_refused(value: object) -> None:
    for model in MODELS:
        outcome(model, {"body": json.dumps(value)})


@given(
    st.dictionaries(
        st.sampled_from(["code", "backupCode", "other"]), st.text(string.ascii_letters, min_size=12, max_size=40)
    )
)
def test_a_refusal_quotes_nothing_that_was_sent(body: dict[str, str]) -> None:
    for model in MODELS:
        message = outcome(model, {"body": json.dumps(body)})
        assert message is not None
        assert not any(value in message for value in body.values())


@given(st.from_regex(r"[0-9]{6}", fullmatch=True))
def test_every_code_is_accepted_and_never_shown_by_the_error_of_another_field(code: str) -> None:
    assert totp({"code": code}).code == code
    message = refusal(SecondFactorRequest, {"body": json.dumps({"code": code, "backupCode": code})})
    assert not re.search(r"\d", message)
