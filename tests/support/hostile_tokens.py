"""Generated attacks on the verification of access tokens.

`forgeries` need one genuine token and the issuer's public keys, and can be tried against any deployment. `misissued`
tokens are signed with the issuer's key, and must be refused for their content.
"""

import base64
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import PyJWK

from functions.shared.contract import DEFAULT_JWT_LEEWAY_SECONDS
from tests.support.tokens import (
    ABSENT,
    AUDIENCE,
    ISSUER,
    NOW,
    SigningKey,
    b64url,
    b64url_decode,
    claims,
    cognito_claims,
    hmac_token,
    json_bytes,
    rsa_key,
)

type Named = tuple[str, str]

#: Order of the P-256 group.
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True)
class Target:
    """The attacker's knowledge."""

    genuine: str  # a valid token
    jwk: dict[str, Any]  # the public key that it was signed with
    attacker_url: str  # where the attacker publishes keys

    @property
    def segments(self) -> tuple[str, str, str]:
        header, payload, signature = self.genuine.split(".")
        return header, payload, signature

    @property
    def header(self) -> dict[str, Any]:
        header: dict[str, Any] = json.loads(b64url_decode(self.segments[0]))
        return header

    @property
    def claims(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(b64url_decode(self.segments[1]))
        return body

    def with_header(self, header: object) -> str:
        """Return the genuine token under another header."""
        return ".".join([b64url(json_bytes(header)), *self.segments[1:]])

    def with_signature(self, signature: bytes) -> str:
        """Return the genuine token with another signature."""
        return ".".join([*self.segments[:2], b64url(signature)])


def forgeries(target: Target) -> Iterator[Named]:
    """Yield named tokens made without the issuer's private key."""
    yield from _algorithm_none(target)
    yield from _other_algorithms(target)
    yield from _public_key_as_hmac_secret(target)
    yield from _key_in_the_header(target)
    yield from _kids(target)
    yield from _signatures(target)
    yield from _elliptic_signatures(target)
    yield from _changed_claims(target)
    yield from _encodings(target)
    yield from _structures(target)


def _algorithm_none(target: Target) -> Iterator[Named]:
    for letters in itertools.product("nN", "oO", "nN", "eE"):
        spelling = "".join(letters)
        header = b64url(json_bytes({"alg": spelling, "kid": target.jwk["kid"]}))
        yield f"alg {spelling}, no signature", f"{header}.{target.segments[1]}."
        yield f"alg {spelling}, a signature", f"{header}.{target.segments[1]}.{target.segments[2]}"
    for spelling in ("none ", " none", "none\0", "n\u043ene", "\uff4eone", "none,RS256", "RS256,none"):
        yield f"alg {spelling!r}", target.with_header({**target.header, "alg": spelling})


def _other_algorithms(target: Target) -> Iterator[Named]:
    for alg in (
        *("", None, True, False, 0, 1, [], {}, ["none"], [target.header["alg"]], {"alg": "RS256"}, "RS256\0", "RS256 "),
        *("rs256", "Rs256", "RS1", "RS384", "RS512", "PS256", "ES384", "ES512", "ES256K", "EdDSA", "HS256", "dir"),
    ):
        yield f"alg {alg!r}", target.with_header({**target.header, "alg": alg})
    yield "no alg", target.with_header({"kid": target.jwk["kid"]})
    yield "no header members", target.with_header({})
    for swapped in {"RS256", "ES256"} - {target.header["alg"]}:
        yield f"alg {swapped} for a key of another kind", target.with_header({**target.header, "alg": swapped})


def _public_key_as_hmac_secret(target: Target) -> Iterator[Named]:
    key = PyJWK(target.jwk).key
    forms = {
        "PEM": key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "PEM without its last newline": key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).rstrip(),
        "DER": key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "JWK": json_bytes(target.jwk),
        "JWK, spaced": json.dumps(target.jwk, indent=2).encode(),
        "JWK without its metadata": json_bytes(
            {name: value for name, value in target.jwk.items() if name not in ("kid", "use", "alg")}
        ),
        "kid": str(target.jwk["kid"]).encode(),
        "nothing": b"",
        "a guess": b"secret",
    }
    if isinstance(key, rsa.RSAPublicKey):
        forms["PKCS#1 PEM"] = key.public_bytes(Encoding.PEM, PublicFormat.PKCS1)
        forms["PKCS#1 DER"] = key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
        forms["modulus"] = str(target.jwk["n"]).encode()
        forms["modulus, raw"] = b64url_decode(target.jwk["n"])
    for (name, secret), algorithm in itertools.product(forms.items(), ("HS256", "HS384", "HS512")):
        yield f"{algorithm} with {name}", hmac_token(algorithm, secret, target.claims, kid=target.jwk["kid"])
    yield (
        "HS256 with PEM under another name",
        target.with_header({**target.header, "alg": "RS256"}).rpartition(".")[0]
        + "."
        + b64url(hmac_token("HS256", forms["PEM"], target.claims).encode()),
    )


def _key_in_the_header(target: Target) -> Iterator[Named]:
    attacker = rsa_key("attacker")
    certificate = base64.b64encode(
        attacker.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).decode()
    carriers: dict[str, dict[str, Any]] = {
        "jwk": {"jwk": attacker.jwk},
        "jwk named as the issuer's": {"jwk": {**attacker.jwk, "kid": target.jwk["kid"]}},
        "jku": {"jku": target.attacker_url},
        "x5u": {"x5u": target.attacker_url},
        "x5c": {"x5c": [certificate]},
        "x5t": {"x5t": "AAAA", "x5t#S256": "AAAA"},
        "jwk and jku": {"jwk": attacker.jwk, "jku": target.attacker_url},
        "jku of a file": {"jku": "file:///etc/passwd"},
    }
    for (name, carried), kid in itertools.product(carriers.items(), (target.jwk["kid"], attacker.kid, ABSENT)):
        header = {"alg": "RS256", "typ": "JWT", **carried, **({} if kid is ABSENT else {"kid": kid})}
        yield (
            f"{name} in the header, kid {kid if isinstance(kid, str) else 'absent'}",
            attacker.token(target.claims, json_bytes(header)),
        )


def _kids(target: Target) -> Iterator[Named]:
    attacker = rsa_key("attacker")
    right = str(target.jwk["kid"])
    for kid in (
        *("../../../../../../dev/null", "/dev/null", "file:///dev/null", "..\\..\\windows\\win.ini", "\\\\host\\share"),
        *("' OR '1'='1", "x' UNION SELECT 'secret'--", "1; DROP TABLE keys", '{"$ne":null}', "*", ".*", "%"),
        *("$(id)", "`id`", "| id", "{{7*7}}", "${jndi:ldap://127.0.0.1/a}", "\r\nX-Injected: 1", target.attacker_url),
        *(f"{right}\0", f"\0{right}", f"{right} ", f" {right}", right.swapcase(), f"{right}\u200b", f"{right}%00"),
        *("", "\0", "a" * 4000, "\ud800", "\u0660", "__class__", "__proto__", "None", "null", "0"),
        *(None, True, False, 0, 1, -1, 1.5, 10**30, [], [right], {}, {"kid": right}, [[right]]),
    ):
        header = json_bytes({"alg": "RS256", "kid": kid})
        yield f"kid {str(kid)[:40]!r} ({type(kid).__name__})", attacker.token(target.claims, header)
    for name, raw in {
        "NaN": b'{"alg":"RS256","kid":NaN}',
        "Infinity": b'{"alg":"RS256","kid":Infinity}',
        "twice": b'{"alg":"RS256","kid":"' + right.encode() + b'","kid":"attacker"}',
        "twice, the right one last": b'{"alg":"RS256","kid":"attacker","kid":"' + right.encode() + b'"}',
    }.items():
        yield f"kid {name}", attacker.token(target.claims, raw)
    yield (
        "the right kid, another's signature",
        attacker.token(target.claims, json_bytes({"alg": "RS256", "kid": right})),
    )


def _signatures(target: Target) -> Iterator[Named]:
    header, payload, _ = target.segments
    genuine = b64url_decode(target.segments[2])
    size = len(genuine)
    yield "signature stripped", f"{header}.{payload}."
    yield "signature and its dot stripped", f"{header}.{payload}"
    for length in (1, 2, size // 2, size - 1):
        yield f"signature truncated to {length} bytes", target.with_signature(genuine[:length])
    for extra in (b"\0", b"\0" * 16, genuine):
        yield f"signature extended by {len(extra)} bytes", target.with_signature(genuine + extra)
    yield "a zero before the signature", target.with_signature(b"\0" + genuine)
    yield "signature of zeros", target.with_signature(bytes(size))
    yield "signature of ones", target.with_signature(b"\xff" * size)
    yield "signature of one", target.with_signature(bytes(size - 1) + b"\x01")
    yield "signature backwards", target.with_signature(genuine[::-1])
    for position in (0, 1, size // 2, size - 2, size - 1):
        flipped = bytearray(genuine)
        flipped[position] ^= 1
        yield f"bit flipped in byte {position} of the signature", target.with_signature(bytes(flipped))
    if "n" in target.jwk:
        modulus = int.from_bytes(b64url_decode(target.jwk["n"]))
        added = int.from_bytes(genuine) + modulus
        yield "modulus added to the signature", target.with_signature(added.to_bytes(size + 1))
        negated = modulus - int.from_bytes(genuine)
        yield "signature negated", target.with_signature(negated.to_bytes(size))


def _elliptic_signatures(target: Target) -> Iterator[Named]:
    """CVE-2022-21449 and similar: r or s at the edges of their range."""
    header = b64url(json_bytes({**target.header, "alg": "ES256"}))
    edges = {"0": 0, "1": 1, "n-1": _P256_ORDER - 1, "n": _P256_ORDER, "n+1": _P256_ORDER + 1, "max": 2**256 - 1}
    for (r_name, r), (s_name, s) in itertools.product(edges.items(), repeat=2):
        signature = b64url(r.to_bytes(32) + s.to_bytes(32))
        yield f"ES256 with r = {r_name}, s = {s_name}", f"{header}.{target.segments[1]}.{signature}"
    der = bytes.fromhex("3006020100020100")
    yield "ES256 with a signature in DER", f"{header}.{target.segments[1]}.{b64url(der)}"


def _changed_claims(target: Target) -> Iterator[Named]:
    changes = {"sub": "admin", "exp": NOW * 2, "scope": "admin", "aud": "other", "token_use": "access"}
    for name, value in changes.items():
        changed = b64url(json_bytes({**target.claims, name: value}))
        yield f"{name} changed under the signature", f"{target.segments[0]}.{changed}.{target.segments[2]}"
    spaced = b64url(json.dumps(target.claims, indent=1).encode())
    yield "claims written otherwise", f"{target.segments[0]}.{spaced}.{target.segments[2]}"


def _encodings(target: Target) -> Iterator[Named]:
    header, payload, signature = target.segments
    raw = b64url_decode(signature)
    standard = base64.b64encode(raw).decode()
    yield "signature in standard base64", f"{header}.{payload}.{standard}"
    yield "signature in padded base64url", f"{header}.{payload}.{base64.urlsafe_b64encode(raw).decode()}"
    for padding in ("=", "==", "==="):
        yield f"signature and {padding}", f"{header}.{payload}.{signature}{padding}"
        yield f"header and {padding}", f"{header}{padding}.{payload}.{signature}"
        yield f"payload and {padding}", f"{header}.{payload}{padding}.{signature}"
    yield "signature in hexadecimal", f"{header}.{payload}.{raw.hex()}"
    yield "header in base32", f"{base64.b32encode(b64url_decode(header)).decode().rstrip('=')}.{payload}.{signature}"
    yield "header unencoded", f"{b64url_decode(header).decode()}.{payload}.{signature}"
    for name, text in {"space": " ", "tab": "\t", "newline": "\n", "null": "\0", "zero width": "\u200b"}.items():
        yield f"{name} before a dot", f"{header}{text}.{payload}.{signature}"
        yield f"{name} within the payload", f"{header}.{payload[:8]}{text}{payload[8:]}.{signature}"
        yield f"{name} within the signature", f"{header}.{payload}.{signature[:8]}{text}{signature[8:]}"
    yield "full-width dots", "\uff0e".join(target.segments)
    yield "full-width letter", f"{header}.{payload}.{signature[:-1]}\uff21"
    yield "Cyrillic letter", target.genuine.replace("e", "\u0435", 1)
    yield "right-to-left override", f"\u202e{target.genuine}"
    yield "byte order mark", f"\ufeff{target.genuine}"
    yield "percent-encoded", target.genuine.replace(".", "%2e")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    neighbour = last[last.index(signature[-1]) ^ 1]
    yield "unused bits of the last character set", f"{header}.{payload}.{signature[:-1]}{neighbour}"


def _structures(target: Target) -> Iterator[Named]:
    header, payload, signature = target.segments
    for name, text in {
        "one dot": ".",
        "two dots": "..",
        "four dots": "....",
        "a word": "token",
        "null": "null",
        "undefined": "undefined",
        "an object": "{}",
        "one segment": header,
        "two segments": f"{header}.{payload}",
        "four segments": f"{target.genuine}.{signature}",
        "an empty header": f".{payload}.{signature}",
        "an empty payload": f"{header}..{signature}",
        "two tokens": f"{target.genuine},{target.genuine}",
        "two tokens in a row": f"{target.genuine} {target.genuine}",
        "quoted": f'"{target.genuine}"',
        "a scheme twice": f"Bearer {target.genuine}",
        "JSON serialization": json.dumps({"protected": header, "payload": payload, "signature": signature}),
        "general JSON serialization": json.dumps(
            {"payload": payload, "signatures": [{"protected": header, "signature": signature}]}
        ),
        "100 KB": "a" * 100_000,
        "100 KB of dots": "." * 100_000,
        "a long payload": f"{header}.{'A' * 100_000}.{signature}",
        "a long signature": f"{header}.{payload}.{'A' * 100_000}",
        "a long header": target.with_header({**target.header, "x": "a" * 100_000}),
    }.items():
        yield name, text
    for name, raw in {
        "an array": b"[]",
        "a string": b'"RS256"',
        "a number": b"1",
        "null": b"null",
        "empty": b"",
        "no JSON": b"{alg:RS256}",
        "JSON cut off": b'{"alg":"RS256"',
        "no UTF-8": b'{"alg":"RS256","kid":"\xff"}',
        "UTF-16": '{"alg":"none"}'.encode("utf-16"),
        "with a byte order mark": b"\xef\xbb\xbf" + json_bytes(target.header),
        "deep": b'{"alg":"RS256","x":' + b"[" * 2000 + b"]" * 2000 + b"}",
        "deep and open": b"[" * 5000,
        "with a huge number": b'{"alg":"RS256","x":' + b"9" * 5000 + b"}",
        "alg twice": b'{"alg":"RS256","alg":"none","kid":"' + str(target.jwk["kid"]).encode() + b'"}',
    }.items():
        yield f"header: {name}", f"{b64url(raw)}.{payload}.{signature}"
    extensions: dict[str, dict[str, Any]] = {
        "detached payload": {"b64": False, "crit": ["b64"]},
        "b64 not critical": {"b64": False},
        "unknown critical member": {"crit": ["x"], "x": 1},
        "crit of no list": {"crit": "b64"},
        "crit empty": {"crit": []},
        "zipped": {"zip": "DEF"},
    }
    for name, members in extensions.items():
        yield name, target.with_header({**target.header, **members})
    yield "detached payload, none there", f"{b64url(json_bytes({**target.header, 'b64': False}))}..{signature}"
    for algorithm in ("dir", "RSA-OAEP", "RSA1_5", "A256KW", "ECDH-ES", "PBES2-HS256+A128KW"):
        jwe = {"alg": algorithm, "enc": "A256GCM", "kid": target.jwk["kid"], "p2c": 2**31 - 1}
        yield f"JWE {algorithm}", ".".join([b64url(json_bytes(jwe)), "AA", "AA", "AA", "AA"])
    nested = rsa_key("attacker").token(target.genuine.encode(), {"cty": "JWT", "kid": target.jwk["kid"]})
    yield "genuine token nested in a forged one", nested
    yield (
        "genuine token nested in alg none",
        f"{b64url(b'{"alg":"none","cty":"JWT"}')}.{b64url(target.genuine.encode())}.",
    )


# -- signed by the issuer ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Times:
    """When tokens are issued and checked."""

    now: int = NOW  # epoch seconds
    slack: int = 0  # seconds until the last token is checked, during which tokens must not expire

    def claims(self, make: Callable[..., dict[str, Any]] = claims, **changes: Any) -> dict[str, Any]:
        """Return the claims of a valid token, with changes."""
        times = {"iat": self.now - 60, "nbf": self.now - 60, "exp": self.now + 300 + self.slack}
        if make is cognito_claims:
            del times["nbf"]
        return make(**{**times, **changes})


def misissued(key: SigningKey, times: Times = Times()) -> Iterator[Named]:
    """Yield named tokens that the issuer signed and that are not valid access tokens for this API."""
    for name, changes in _claim_changes(times):
        yield name, key.token(times.claims(**changes))
    for name, changes in _cognito_changes():
        yield f"Cognito: {name}", key.token(times.claims(cognito_claims, **changes))
    for name, raw in _raw_payloads(times):
        yield f"payload: {name}", key.token(raw)
    names: tuple[Any, ...] = ("logout+jwt", "dpop+jwt", "secevent+jwt", "JOSE", "id_token", "")
    for typ in (*names, 1, None, [], ["JWT"], {}):
        yield f"typ {typ!r}", key.token(times.claims(), {"typ": typ})
    for crit in ([], ["exp"], "exp", [1], {"exp": 1}):
        yield f"crit {crit!r}", key.token(times.claims(), {"crit": crit, "exp": 1})
    yield "genuine token nested in another", key.token(key.token(times.claims()).encode(), {"cty": "JWT"})
    yield "too long", key.token(times.claims(x="a" * 8192))


def _claim_changes(times: Times) -> Iterator[tuple[str, dict[str, Any]]]:
    now, later = times.now, times.now + times.slack
    for name in ("exp", "nbf", "iat"):
        for value in (
            *(None, "", str(now), f"{now}.0", True, False, [], [now], {}, {"$gt": 0}, -1, -0.5),
            *(2**53, 2**63, 10**400, 1e308, float("nan"), float("inf"), float("-inf")),
        ):
            yield f"{name} {str(value)[:24]} ({type(value).__name__})", {name: value}
    yield "no exp", {"exp": ABSENT}
    yield "exp 0", {"exp": 0}
    yield "expired by one second", {"exp": now - 1}
    yield "expires at this very second", {"exp": now}
    yield "expires within this second", {"exp": now + 0.0}
    yield "valid only after the leeway", {"nbf": later + DEFAULT_JWT_LEEWAY_SECONDS + 1}
    yield "issued after the leeway", {"iat": later + DEFAULT_JWT_LEEWAY_SECONDS + 1}
    yield "issued in a year", {"iat": later + 31_536_000, "exp": later + 32_000_000}
    for issuer in (
        *(ABSENT, None, "", True, 1, [], [ISSUER], {}, {"iss": ISSUER}, f"{ISSUER}/", f"{ISSUER}\0", f"{ISSUER} "),
        *(f" {ISSUER}", ISSUER.upper(), ISSUER[:-1], f"{ISSUER}.evil.example", ISSUER.replace("https", "http")),
        *("https://evil.example", f"https://evil.example/{ISSUER}", ISSUER.replace("i", "\u0456"), f"{ISSUER}?a=b"),
    ):
        yield f"iss {issuer if issuer is not ABSENT else 'absent'!r}", {"iss": issuer}
    for audience in (
        *(ABSENT, None, "", " ", True, 1, [], [""], [None], [[AUDIENCE]], [{"aud": AUDIENCE}], {}, {AUDIENCE: True}),
        *("other", ["other"], AUDIENCE.upper(), AUDIENCE[:-1], f"{AUDIENCE}x", f"{AUDIENCE} other", f"{AUDIENCE}\0"),
        *(f"{AUDIENCE},second-client", "*", [["m", "f", "a"]], list(AUDIENCE)),
    ):
        yield f"aud {audience if audience is not ABSENT else 'absent'!r}", {"aud": audience}
    yield "wrong aud, right client_id", {"aud": "other", "client_id": AUDIENCE}
    yield "aud null, right client_id", {"aud": None, "client_id": AUDIENCE}
    for subject in (
        *(ABSENT, None, "", " ", "\t", "\0", True, 0, 1, [], ["user-1"], {}, {"sub": "user-1"}, " user-1", "user-1 "),
        *("user\n1", "user\0", "üser", "用户", "\ud800", "a\u200bb", "\u202eresu", "a" * 256, "user\x7f"),
    ):
        yield f"sub {subject if subject is not ABSENT else 'absent'!r:.40}", {"sub": subject}
    for name in ("at_hash", "c_hash", "events", "cnf"):
        yield f"with {name}", {name: "x1y2"}
        yield f"with {name}, and named an access token", {name: {"a": 1}, "token_use": "access", "typ": "Bearer"}
        yield f"with {name} null", {name: None}
    names: tuple[Any, ...] = ("ID", "id", "Refresh", "Offline", "Logout", "DPoP", "JWT", "Bearer ", "")
    for typ in (*names, None, True, 1, [], ["Bearer"], {}):
        yield f"typ claim {typ!r}", {"typ": typ}
    yield "no sign of an access token", {"scope": ABSENT}
    yield "no sign of an access token but null", {"scope": None, "scp": None, "client_id": None}
    yield "client_id and nonce, as in an ID token", {"scope": ABSENT, "client_id": "web", "nonce": "n"}
    for use in ("id", "ID", "Access", "access ", "refresh", "", None, True, 1, [], ["access"], {"access": 1}):
        yield f"token_use {use!r}", {"token_use": use}


def _cognito_changes() -> Iterator[tuple[str, dict[str, Any]]]:
    clients: tuple[Any, ...] = (ABSENT, None, "", "other", True, 1, [], ["other"], {}, AUDIENCE.upper(), f"{AUDIENCE} ")
    for client in clients:
        yield f"client_id {client if client is not ABSENT else 'absent'!r}", {"client_id": client}
    yield "ID token", {"token_use": "id", "aud": AUDIENCE, "client_id": ABSENT, "cognito:username": "ada"}
    yield "refresh token", {"token_use": "refresh"}


def _raw_payloads(times: Times) -> Iterator[tuple[str, bytes]]:
    valid = times.claims()
    good = json_bytes(valid)
    yield "an array", b"[]"
    yield "an array with the claims", b"[" + good + b"]"
    yield "a string", json_bytes(good.decode())
    yield "a number", b"1"
    yield "null", b"null"
    yield "true", b"true"
    yield "cut off", good[:-1]
    yield "followed by more", good + b"{}"
    yield "no UTF-8", good[:-1] + b',"x":"\xff"}'
    yield "deep", b'{"x":' + b"[" * 2500 + b"]" * 2500 + b"}"
    yield "deep and open", b"[" * 5000
    yield "a number of 5000 digits", good[:-1] + b',"x":' + b"9" * 4500 + b"}"
    for name, last in {"iss": b'"evil"', "aud": b'"other"', "sub": b'""', "exp": b"1", "token_use": b'"id"'}.items():
        yield f"{name} twice, a bad one last", good[:-1] + b',"' + name.encode() + b'":' + last + b"}"
    yield "exp 1e999", good.replace(f'"exp":{valid["exp"]}'.encode(), b'"exp":1e999')
