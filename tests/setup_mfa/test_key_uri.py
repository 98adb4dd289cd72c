"""What an authenticator app reads from a Key URI, for any name."""

import re
import unicodedata
from random import Random
from unicodedata import category
from urllib.parse import unquote, urlsplit

import pyotp
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.setup_mfa.models import MAX_ACCOUNT_LENGTH, MAX_ISSUER_LENGTH, KeyUri
from tests.support.node import called_in_client_library

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
#: Any text, with an unfair share of what needs care: separators, white space, accents, emoji, surrogates.
_CAREFUL = list(":+&?#/%=@ \t\0\u00a0\u0301\u200d\ufe0f🇩🇪👍🏽…\ud800")
TEXT = st.text(st.one_of(st.characters(), st.sampled_from(_CAREFUL)))


def uri(issuer: str = "AILifestyle", account: str = "ada@example.com") -> str:
    return str(KeyUri(issuer=issuer, account=account, secret=SECRET))


def read(text: str) -> tuple[str, str, dict[str, str]]:
    """Return issuer, account and parameters by RFC 3986 only: ``+`` is not a space."""
    parts = urlsplit(text)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("otpauth", "totp", "")
    issuer, separator, account = parts.path.removeprefix("/").partition(":")
    assert separator
    parameters = dict(pair.split("=", 1) for pair in parts.query.split("&"))
    return (
        unquote(issuer, errors="strict"),
        unquote(account, errors="strict"),
        {name: unquote(value, errors="strict") for name, value in parameters.items()},
    )


def meant(text: str) -> str:
    """Return what an app is to show, before any shortening: the documented rules 1 and 2, written another way."""
    normal = unicodedata.normalize("NFC", text)
    return (
        re.sub(r"\s+", " ", "".join(char if char.isprintable() else " " for char in normal)).strip().replace(":", "-")
    )


def test_the_whole_uri_of_an_ordinary_user() -> None:
    assert uri() == f"otpauth://totp/AILifestyle:ada%40example.com?secret={SECRET}&issuer=AILifestyle"


@given(issuer=TEXT, account=TEXT)
@example(issuer="A&B+C: 100% #1?", account="a+b@example.com")
@example(issuer="e\u0301" * 100, account="👍🏽" * 100)
def test_a_scanner_reads_what_was_meant_or_its_beginning(issuer: str, account: str) -> None:
    shown_issuer, shown_account, parameters = read(uri(issuer, account))
    assert parameters == {"secret": SECRET, "issuer": shown_issuer}
    for shown, text, limit in ((shown_issuer, issuer, MAX_ISSUER_LENGTH), (shown_account, account, MAX_ACCOUNT_LENGTH)):
        encoded_length = sum(
            1 if re.match(r"[A-Za-z0-9_.~-]", char) else 3 * len(char.encode()) for char in meant(text)
        )
        if encoded_length <= limit:
            assert shown == meant(text)
        else:
            assert shown.endswith("…")
            assert meant(text).startswith(shown[:-1])
            assert shown[:-1] != meant(text)


@given(issuer=TEXT, account=TEXT)
def test_only_unreserved_characters_and_percent_encoding_within_bounds(issuer: str, account: str) -> None:
    part = "(?:[A-Za-z0-9_.~-]|%[0-9A-F]{2})*"
    found = re.fullmatch(rf"otpauth://totp/({part}):({part})\?secret={SECRET}&issuer=({part})", uri(issuer, account))
    assert found
    assert len(found[1]) <= 96
    assert len(found[2]) <= 384
    assert found[3] == found[1]
    assert "%3A" not in found[0]


@given(issuer=TEXT.filter(lambda text: bool(meant(text))), account=TEXT.filter(lambda text: bool(meant(text))))
def test_pyotp_reads_it_back(issuer: str, account: str) -> None:
    text = uri(issuer, account)
    shown_issuer, shown_account, _ = read(text)
    parsed = pyotp.parse_uri(text)
    assert isinstance(parsed, pyotp.TOTP)
    assert (parsed.issuer, parsed.name, parsed.secret) == (shown_issuer, shown_account, SECRET)
    assert (parsed.digits, parsed.interval) == (6, 30)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("AI Lifestyle", "AI Lifestyle"),
        ("R&D", "R&D"),
        ("a+b", "a+b"),
        ("AI: Lifestyle", "AI- Lifestyle"),
        ("100%", "100%"),
        ("a%20b", "a%20b"),
        ("a/b?c#d", "a/b?c#d"),
        ("Ünïcödé", "Ünïcödé"),
        ("用户", "用户"),
        ("e\u0301", "é"),
        ("  a \t\r\n b  ", "a b"),
        ("a\0b", "a b"),
        ("a\u202eb", "a b"),
        ("a\ud800b", "a b"),
    ],
    ids=ascii,
)
def test_difficult_names(text: str, shown: str) -> None:
    assert read(uri(issuer=text))[0] == shown
    assert read(uri(account=text))[1] == shown


class TestShortening:
    def test_250_unicode_characters_keep_their_beginning(self) -> None:
        assert read(uri(account="ü" * 250))[1] == "ü" * 62 + "…"
        assert read(uri(account="用" * 250))[1] == "用" * 41 + "…"

    def test_what_just_fits_is_not_shortened(self) -> None:
        assert read(uri(issuer="a" * 96, account="b" * 384))[:2] == ("a" * 96, "b" * 384)
        assert read(uri(issuer="a" * 97))[0] == "a" * 87 + "…"
        assert read(uri(account="b" * 385))[1] == "b" * 375 + "…"

    @pytest.mark.parametrize(
        "character",
        ["x\u0323", "x\u0323\u0302", "👍🏽", "❤\ufe0f", "1\ufe0f\u20e3", "🇩🇪", "कि"],
        ids=ascii,
    )
    @pytest.mark.parametrize("lead", range(24))
    def test_never_in_the_middle_of_a_character(self, character: str, lead: int) -> None:
        shown = read(uri(issuer="a" * lead + character * 40))[0]
        assert re.fullmatch(f"a{{{lead}}}(?:{character})*…", shown)

    def test_flags_are_cut_between_countries(self) -> None:
        assert read(uri(issuer="🇩🇪🇫🇷🇮🇹🇪🇸🇵🇹"))[0] == "🇩🇪🇫🇷🇮🇹…"


def test_the_client_library_builds_the_same() -> None:
    ordinary = [
        "",
        "AILifestyle",
        "ada@example.com",
        "R&D: a+b",
        "100% #1?/\\",
        "O'Brien (!*~)",
        "Käse & Söhne",
        "例え",
    ]
    careful = [
        "a:b::c",
        " a \t\n b ",
        "\u00a0\u2003a\u200db\ufeff",
        "e\u0301",
        "\u212b",
        "\ud800a\udc00",
        "\u0301a",
        "…",
    ]
    long = [
        "x" * 400,
        "é" * 200,
        "e\u0301" * 200,
        "👍🏽" * 60,
        "🇩🇪" * 60,
        "🇩" * 61,
        "a🇩🇪🇩" * 40,
        "🇩\u0301🇪" * 50,
        "%" * 130,
    ]
    random = Random(6238)  # noqa: S311 -- the same names at every run
    drawn = [
        "".join(random.choice([*_CAREFUL, chr(random.randrange(0x3000))]) for _ in range(random.randrange(120)))
        for _ in range(2000)
    ]
    # Python and Node may know different versions of Unicode.
    texts = [*ordinary, *careful, *long, *(text for text in drawn if all(category(char) != "Cn" for char in text))]
    assert len(texts) > 500
    pairs = [(issuer, account) for issuer, account in zip(texts, reversed(texts), strict=True)]

    built = called_in_client_library(
        "keyUri", [{"secret": SECRET, "issuer": issuer, "account": account} for issuer, account in pairs]
    )

    assert built == [uri(issuer, account) for issuer, account in pairs]
