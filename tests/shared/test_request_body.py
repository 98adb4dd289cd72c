"""Request bodies: parsed strictly, refused without being quoted."""

import base64
import gzip
import json
import sys
import unicodedata
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.shared.contract import Factor
from functions.shared.errors import ValidationError
from functions.shared.request_body import MAX_BODY_BYTES, OfferedCode, RequestBody, SecondFactorRequest, TotpRequest
from tests.support.node import called_in_client_library

MODELS: tuple[type[RequestBody], ...] = (TotpRequest, SecondFactorRequest)
#: Codes as people type them, with the code or null for one that is refused; the client library reads the same.
TYPED: list[dict[str, Any]] = json.loads(Path(__file__).with_name("typed_codes.json").read_text())
UNREADABLE = {"code": "code must be six digits", "backupCode": "backupCode must be four letters and four digits"}
MESSAGES = {
    "The request body must be JSON",
    "The request body must be UTF-8",
    "The request body must not be compressed",
    "The request body must be a JSON object",
    "The request body must not be longer than 4096 bytes",
    "The request body has an unknown field",
    "Exactly one of code and backupCode is required",
    "code must be six digits",
    "code must be a string of six digits",
    "backupCode must be four letters and four digits",
    "backupCode must be a string of four letters and four digits",
}

TEXT = st.text() | st.text(alphabet=st.characters(categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["code", "backupCode"]), inner),
    max_leaves=10,
)


def as_base64(body: bytes) -> str:
    return base64.b64encode(body).decode()


def second_factor(body: dict[str, Any]) -> OfferedCode:
    return SecondFactorRequest.from_event({"body": json.dumps(body)}).offered_code()


def event_of(raw: bytes, arrives: str) -> dict[str, Any]:
    """Return the event of a body, as API Gateway makes it without binary media types (text) or with them."""
    if arrives == "as text":
        return {"body": raw.decode("utf-8", "replace"), "isBase64Encoded": False}
    return {"body": as_base64(raw), "isBase64Encoded": True}


def refusal(model: type[RequestBody], event: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        model.from_event(event)
    assert caught.value.__cause__ is None
    return caught.value.message


def read_by_client_library(examples: list[dict[str, Any]]) -> list[str | None]:
    """Return the codes that ``clients/mfa.js`` reads."""
    typed = [example["typed"] for example in examples]
    totp_codes, backup_codes = (
        called_in_client_library(reader, typed) for reader in ("readTotpCode", "readBackupCode")
    )
    return [
        totp if example["field"] == "code" else backup
        for example, totp, backup in zip(examples, totp_codes, backup_codes, strict=True)
    ]


def read_by_api(example: dict[str, str]) -> str | None:
    try:
        return second_factor({example["field"]: example["typed"]}).code
    except ValidationError:
        return None


class TestNormalisation:
    @pytest.mark.parametrize("row", TYPED, ids=lambda row: f"{row['field']}: {row['note']}")
    def test_a_code_as_people_type_and_paste_it(self, row: dict[str, Any]) -> None:
        body = {row["field"]: row["typed"]}
        models = MODELS if row["field"] == "code" else [SecondFactorRequest]
        for model in models:
            if row["code"] is None:
                message = refusal(model, {"body": json.dumps(body)})
                assert message == UNREADABLE[row["field"]]
            else:
                offered = model.from_event({"body": json.dumps(body)}).offered_code()  # type: ignore[attr-defined]
                assert offered.code == row["code"]

    def test_the_client_library_reads_the_same(self) -> None:
        assert read_by_client_library(TYPED) == [row["code"] for row in TYPED]

    def test_the_client_library_reads_every_character_the_same(self) -> None:
        """Each assigned character, in the place of a digit, of a letter, and between the digits."""
        characters = [chr(point) for point in range(sys.maxunicode + 1) if unicodedata.category(chr(point)) != "Cn"]
        examples = [
            {"field": field, "typed": typed}
            for char in characters
            for field, typed in (("code", f"12345{char}"), ("code", f"123{char}456"), ("backupCode", f"ABC{char}1234"))
            if unicodedata.category(char) not in ("Co", "Lo")  # private use, ideographs: hundreds of thousands
        ]
        assert len(examples) > 50_000
        assert read_by_client_library(examples) == [read_by_api(example) for example in examples]

    @given(st.from_regex(r"[A-Z]{4}-[0-9]{4}", fullmatch=True), st.data())
    def test_what_surrounds_the_characters_and_case_never_matter(self, code: str, data: st.DataObject) -> None:
        between = st.sampled_from(["", " ", "-", "\u2003", " \u2013 ", "\u200b", "\u2212", "\u00ad"])
        typed = "".join(data.draw(st.sampled_from([char, char.lower()])) + data.draw(between) for char in code)
        assert second_factor({"backupCode": typed}).code == code


class TestCodes:
    @pytest.mark.parametrize("code", ["1e5", "0x1234", "9" * 4000, None], ids=ascii)
    def test_only_six_digits_are_a_code(self, code: object) -> None:
        event = {"body": json.dumps({"code": code})}
        assert refusal(TotpRequest, event).startswith("code must be ")
        if code is not None:
            assert refusal(SecondFactorRequest, event) == "code must be six digits"

    @pytest.mark.parametrize("code", ["", "ABCD", "A" * 4000], ids=ascii)
    def test_only_four_letters_and_four_digits_are_a_backup_code(self, code: object) -> None:
        event = {"body": json.dumps({"backupCode": code})}
        assert refusal(SecondFactorRequest, event) == "backupCode must be four letters and four digits"

    @pytest.mark.parametrize("value", [123456, 12345, 123456.0, 1e5, -1, True, [], {}, ["123456"], {"code": "123456"}])
    @pytest.mark.parametrize(
        ("field", "form"), [("code", "six digits"), ("backupCode", "four letters and four digits")]
    )
    def test_a_code_of_another_type_is_refused_as_such(self, field: str, form: str, value: object) -> None:
        message = refusal(SecondFactorRequest, {"body": json.dumps({field: value})})
        assert message == f"{field} must be a string of {form}"


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
            "\0",
        ],
    )
    def test_must_be_json(self, model: type[RequestBody], body: str) -> None:
        assert refusal(model, {"body": body}) == "The request body must be JSON"

    def test_may_begin_with_a_byte_order_mark(self, model: type[RequestBody]) -> None:
        body = '\ufeff{"code":"123456"}'
        model.from_event({"body": body})
        model.from_event({"body": as_base64(body.encode()), "isBase64Encoded": True})
        assert refusal(model, {"body": f"\ufeff{body}"}) == "The request body must be JSON"

    @pytest.mark.parametrize(
        "headers", [{}, None, "text", {"content-ENCODING": None}, {"Content-Encoding": "identity"}]
    )
    def test_is_read_whatever_its_headers_are(self, model: type[RequestBody], headers: object) -> None:
        model.from_event({"body": '{"code":"123456"}', "headers": headers})

    @pytest.mark.parametrize(
        "headers",
        [{"Content-Type": 'application/json; Charset="UTF-8"'}, {"content-type": "text/plain;charset=us-ascii"}],
    )
    def test_labelled_as_utf_8_is_refused_as_not_json(self, model: type[RequestBody], headers: dict[str, str]) -> None:
        assert refusal(model, {"body": "{", "headers": headers}) == "The request body must be JSON"

    @pytest.mark.parametrize("arrives", ["as text", "as bytes"])
    @pytest.mark.parametrize(
        ("coding", "compress"),
        [
            ("gzip", gzip.compress),
            ("", gzip.compress),
            ("deflate", zlib.compress),
            ("GZIP, gzip", lambda data: gzip.compress(gzip.compress(data))),
            ("br", lambda _: bytes.fromhex("8b08807b22636f6465223a22313233343536227d03")),
            ("zstd", lambda data: bytes.fromhex("28b52ffd2011890000") + data),
        ],
    )
    def test_must_not_be_compressed(
        self, model: type[RequestBody], coding: str, compress: Callable[[bytes], bytes], arrives: str
    ) -> None:
        event = event_of(compress(b'{"code":"123456"}'), arrives) | {"headers": {"content-encoding": coding}}
        assert refusal(model, event) == "The request body must not be compressed"

    @pytest.mark.parametrize("arrives", ["as text", "as bytes"])
    @pytest.mark.parametrize(
        ("charset", "body"),
        [
            *((name, '{"code":"123456"}') for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le")),
            *((name, '{"code":"123\u00a0456"}') for name in ("iso-8859-1", "windows-1252", "macroman")),
            ("shift_jis", '{"code":"\uff11\uff12\uff13\uff14\uff15\uff16"}'),
            ("gb18030", '{"backupCode":"\uff21BCD-1234"}'),
        ],
    )
    def test_must_be_utf_8(self, model: type[RequestBody], charset: str, body: str, arrives: str) -> None:
        assert refusal(model, event_of(body.encode(charset), arrives)) == "The request body must be UTF-8"

    @pytest.mark.parametrize("charset", ["utf-7", "cp037", "utf-16", "no-such-charset"])
    def test_must_be_utf_8_though_its_bytes_may_be_ascii(self, model: type[RequestBody], charset: str) -> None:
        event = {"body": "+AHsAIgBjAG8AZABl-", "headers": {"Content-Type": f"application/json; charset={charset}"}}
        assert refusal(model, event) == "The request body must be UTF-8"

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
            return {"body": as_base64(body.encode()) if encoded else body, "isBase64Encoded": encoded}

        model.from_event(event(MAX_BODY_BYTES))
        assert MAX_BODY_BYTES == 4096
        assert refusal(model, event(MAX_BODY_BYTES + 1)) == "The request body must not be longer than 4096 bytes"
        assert refusal(model, event(5_000_000)) == "The request body must not be longer than 4096 bytes"

    def test_is_measured_in_bytes(self, model: type[RequestBody]) -> None:
        body = '{"code":"123456","x":"' + "用" * 1400 + '"}'
        assert len(body) < MAX_BODY_BYTES
        assert "4096 bytes" in refusal(model, {"body": body})

    @pytest.mark.parametrize("body", ["%", "eyJ", "eyJ9 ", "é", '{"code":"123456"}', "\ud800"], ids=ascii)
    def test_must_be_base64_if_it_is_said_to_be(self, model: type[RequestBody], body: str) -> None:
        assert refusal(model, {"body": body, "isBase64Encoded": True}) == "The request body must be JSON"

    @pytest.mark.parametrize("stray", [" ", "\n", "!", "=", "-"])
    def test_in_base64_has_nothing_but_base64(self, model: type[RequestBody], stray: str) -> None:
        body = as_base64(b'{"code":"123456"}')
        event = {"body": f"{body[:4]}{stray}{body[4:]}", "isBase64Encoded": True}
        assert refusal(model, event) == "The request body must be JSON"

    def test_in_base64_is_not_taken_for_json(self, model: type[RequestBody]) -> None:
        body = as_base64(b'{"code":"123456"}')
        assert refusal(model, {"body": body, "isBase64Encoded": False}) == "The request body must be JSON"

    @pytest.mark.parametrize("encoded", [False, True])
    @pytest.mark.parametrize("body", [{"code": "123456"}, ["123456"], 123456, True, b"{}"], ids=str)
    def test_of_another_type_than_api_gateways_is_refused(
        self, model: type[RequestBody], body: object, encoded: bool
    ) -> None:
        assert refusal(model, {"body": body, "isBase64Encoded": encoded}) in MESSAGES


@given(st.binary(max_size=5000).map(as_base64) | TEXT | JSON.map(json.dumps), st.booleans())
@example(as_base64(b'{"code":"\xff"}'), True)
@example("[" * 4096, False)
@example('{"code":' * 500, False)
@example('{"code":"\\ud800"}', False)
@example('{"code":1e999}', False)
@example('{"code":' + "9" * 4000 + "}", False)
def test_any_body_is_parsed_or_refused_by_a_message_that_quotes_nothing(body: str, encoded: bool) -> None:
    messages: set[str] = set()
    for model in MODELS:
        try:
            model.from_event({"body": body, "isBase64Encoded": encoded})
        except ValidationError as error:
            messages |= set(error.message.split("; "))
    assert messages <= MESSAGES


@given(st.from_regex(r"[0-9]{6}", fullmatch=True))
def test_every_code_is_accepted(code: str) -> None:
    for model in MODELS:
        offered = model.from_event({"body": json.dumps({"code": code})}).offered_code()  # type: ignore[attr-defined]
        assert offered == OfferedCode(Factor.TOTP, code)
