"""The issuer's keys: fetched seldom, kept through outages, replaced on rotation."""

import datetime as dt
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from functions.jwt_authorizer.errors import SigningKeysUnavailableError
from functions.jwt_authorizer.keys import MAX_AGE_SECONDS, MIN_FETCH_INTERVAL_SECONDS
from tests.support.authorizer import Authorizer, effect
from tests.support.jwks_server import (
    Behaviour,
    Exchange,
    JwksServer,
    answering,
    answering_keys,
    dripping,
    hanging,
    jwks_servers,
    resetting,
    truncated,
)
from tests.support.metrics import emitted_metrics
from tests.support.tokens import b64url, claims, ec_key, json_bytes, rsa_key

OLD, NEW = rsa_key("rsa-1"), rsa_key("rsa-2")
GOOD = OLD.token(claims())

OUTAGES = [
    pytest.param(answering(500, b"oops"), id="500"),
    pytest.param(answering(500, json_bytes({"keys": [OLD.jwk, NEW.jwk]})), id="500 with keys"),
    pytest.param(answering(404, b'{"keys":[]}'), id="404"),
    pytest.param(answering(429, b"", Retry_After="60"), id="429"),
    pytest.param(answering(204, b""), id="204"),
    pytest.param(answering(200, b""), id="empty"),
    pytest.param(answering(200, b"<html>down for maintenance</html>"), id="HTML"),
    pytest.param(answering(200, b"\xff\xfe\x00"), id="no text"),
    pytest.param(answering(200, b"[]"), id="no object"),
    pytest.param(answering(200, b"null"), id="null"),
    pytest.param(answering(200, b"{}"), id="no keys"),
    pytest.param(answering(200, b'{"keys":[]}'), id="no key"),
    pytest.param(answering(200, b'{"keys":{"rsa-1":1}}'), id="keys no list"),
    pytest.param(answering(200, b'{"keys":[1,null,"a",[]]}'), id="keys of no kind"),
    pytest.param(answering(200, b'{"keys":[{"kty":"RSA","kid":"rsa-1","alg":["RS256"]}]}'), id="alg of the wrong type"),
    pytest.param(answering(200, json_bytes({"keys": [{**OLD.jwk, "kid": ["rsa-1"]}]})), id="kid of the wrong type"),
    pytest.param(answering(200, b'{"keys":' + b"[" * 50_000), id="deep"),
    pytest.param(answering(200, json_bytes({"keys": [OLD.jwk]}) + b" " * 300_000), id="oversized, though good"),
    pytest.param(dripping, id="dripping, though good"),
    pytest.param(truncated, id="truncated"),
    pytest.param(hanging, id="hanging"),
    pytest.param(resetting, id="reset"),
]


@pytest.fixture
def begin(authorizer: Authorizer, issuer: JwksServer) -> Callable[[Behaviour], None]:
    """Return a function that starts an outage, with shorter timeouts than in production."""

    def begin(outage: Behaviour) -> None:
        issuer.behaviour = outage
        authorizer.source.timeout = authorizer.source.body_timeout = 0.2

    return begin


@pytest.mark.parametrize("outage", OUTAGES)
class TestOutage:
    def test_before_the_first_fetch_no_token_is_judged(
        self,
        authorizer: Authorizer,
        begin: Callable[[Behaviour], None],
        outage: Behaviour,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """The gateway turns the exception into a 503; a Deny would be a 401, and log good users out."""
        begin(outage)
        started = time.monotonic()
        with pytest.raises(SigningKeysUnavailableError):
            authorizer.call(GOOD)
        assert time.monotonic() - started < 1.5
        assert emitted_metrics(capsys.readouterr().out, environment="dev") == {"JWKSFetchFailures": 1}

    def test_known_keys_stay_in_use(
        self, authorizer: Authorizer, issuer: JwksServer, begin: Callable[[Behaviour], None], outage: Behaviour
    ) -> None:
        assert authorizer.allows(GOOD)
        begin(outage)
        authorizer.uptime += MAX_AGE_SECONDS
        assert authorizer.allows(GOOD)
        assert issuer.fetches == 2
        assert effect(authorizer.call(NEW.token(claims()))) == "Deny"


def test_a_redirect_is_not_followed(authorizer: Authorizer, issuer: JwksServer) -> None:
    with jwks_servers() as serve:
        elsewhere = serve()
        elsewhere.keys = issuer.keys
        for status in (301, 302, 303, 307, 308):
            issuer.behaviour = answering(status, b"", Location=elsewhere.url)
            with pytest.raises(SigningKeysUnavailableError):
                authorizer.call(GOOD)
            authorizer.uptime += MIN_FETCH_INTERVAL_SECONDS
        assert elsewhere.fetches == 0
    assert issuer.fetches == 5


def test_nobody_listening_is_an_outage(
    load_authorizer: Callable[[], Authorizer], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        monkeypatch.setenv("JWT_JWKS_URL", f"http://127.0.0.1:{bound.getsockname()[1]}/jwks.json")
        with pytest.raises(SigningKeysUnavailableError):
            load_authorizer().call(GOOD)


def test_a_query_in_the_url_is_sent(
    load_authorizer: Callable[[], Authorizer], issuer: JwksServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def remembering(exchange: Exchange) -> None:
        asked.append(exchange.path)
        answering_keys(exchange)

    issuer.behaviour = remembering
    monkeypatch.setenv("JWT_JWKS_URL", f"{issuer.url}?p=policy")
    assert load_authorizer().allows(GOOD)
    assert asked == ["/jwks.json?p=policy"]


class TestTls:
    """A server that can impersonate the issuer decides who may call the API, so its certificate is checked."""

    @pytest.fixture
    def certificate(self, tmp_path: Path) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer")])
        now = dt.datetime.now(dt.UTC)
        loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(loopback, critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        path = tmp_path / "issuer.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
        return path

    @pytest.fixture
    def over_tls(self, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JwksServer]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        with jwks_servers(context) as serve:
            server = serve()
            server.keys = [OLD.jwk]
            monkeypatch.setenv("JWT_JWKS_URL", server.url)
            yield server

    def test_an_unknown_certificate_is_an_outage(
        self, load_authorizer: Callable[[], Authorizer], over_tls: JwksServer
    ) -> None:
        with pytest.raises(SigningKeysUnavailableError):
            load_authorizer().call(GOOD)
        assert over_tls.fetches == 0

    def test_a_trusted_one_is_not(
        self,
        load_authorizer: Callable[[], Authorizer],
        over_tls: JwksServer,
        certificate: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert load_authorizer().allows(GOOD)
        assert over_tls.fetches == 1


class TestFetching:
    def test_a_thousand_good_requests_make_one_fetch(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        assert issuer.fetches == 0
        for _ in range(1000):
            assert authorizer.allows(GOOD)
            authorizer.uptime += 3
        assert issuer.fetches == 1

    def test_keys_are_renewed_after_an_hour(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        assert authorizer.allows(GOOD)
        issuer.keys = [NEW.jwk]
        authorizer.uptime += MAX_AGE_SECONDS - 1
        assert authorizer.allows(GOOD)
        authorizer.uptime += 1
        assert not authorizer.allows(GOOD)
        assert authorizer.allows(NEW.token(claims()))
        assert issuer.fetches == 2

    def test_a_rotated_key_works_at_once(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        assert authorizer.allows(GOOD)
        issuer.keys.append(NEW.jwk)
        authorizer.uptime += MIN_FETCH_INTERVAL_SECONDS
        assert authorizer.allows(NEW.token(claims()))
        assert authorizer.allows(GOOD)
        assert issuer.fetches == 2

    def test_a_flood_of_unknown_keys_makes_one_fetch_an_interval(
        self, authorizer: Authorizer, issuer: JwksServer
    ) -> None:
        stranger = rsa_key("stranger")
        for number in range(100):
            assert not authorizer.allows(stranger.token(claims(), {"kid": f"made-up-{number}"}))
            authorizer.uptime += 1
        assert issuer.fetches == 100 / MIN_FETCH_INTERVAL_SECONDS

    def test_an_outage_makes_one_fetch_an_interval(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        issuer.behaviour = answering(500, b"")
        for _ in range(100):
            with pytest.raises(SigningKeysUnavailableError):
                authorizer.call(GOOD)
            authorizer.uptime += 1
        assert issuer.fetches == 100 / MIN_FETCH_INTERVAL_SECONDS
        issuer.behaviour = answering_keys
        assert authorizer.allows(GOOD)

    def test_a_token_that_names_no_key_makes_no_fetch(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        for header in ({"alg": "RS256"}, {"alg": "none", "kid": "rsa-1"}, {"alg": "HS256", "kid": "rsa-1"}):
            token = f"{b64url(json_bytes(header))}.{b64url(json_bytes(claims()))}.AAAA"
            assert not authorizer.allows(token)
        assert issuer.fetches == 0

    def test_a_replaced_key_of_the_same_name_is_taken_over(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        assert authorizer.allows(GOOD)
        issuer.keys = [{**NEW.jwk, "kid": "rsa-1"}, ec_key("ec-1").jwk]
        authorizer.uptime += MAX_AGE_SECONDS
        assert not authorizer.allows(GOOD)
        assert authorizer.allows(NEW.token(claims(), {"kid": "rsa-1"}))
