"""The issuer's keys: fetched seldom, kept through outages, replaced on rotation."""

import datetime as dt
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from functions.jwt_authorizer.errors import SigningKeysUnavailableError
from functions.jwt_authorizer.keys import (
    MAX_AGE_SECONDS,
    MAX_FETCH_INTERVAL_SECONDS,
    MAX_STALE_SECONDS,
    MIN_FETCH_INTERVAL_SECONDS,
    RENEWAL_SPREAD_SECONDS,
)
from tests.support.authorizer import Authorizer, LoadAuthorizer
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
from tests.support.metrics import Emitted
from tests.support.tokens import NOW, b64url, claims, ec_key, json_bytes, rsa_key

OLD, NEW = rsa_key("rsa-1"), rsa_key("rsa-2")
#: Valid for longer than any test lasts.
LONG: dict[str, Any] = claims(exp=NOW + 1_000_000)
GOOD = OLD.token(LONG)

NAMELESS = json_bytes({"alg": "RS256"})
SNAP_START = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}

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
    """Return a function that starts an outage, with a shorter timeout than in production."""

    def begin(outage: Behaviour) -> None:
        issuer.behaviour = outage
        authorizer.source.response_timeout = 0.2

    return begin


@pytest.mark.parametrize("outage", OUTAGES)
class TestOutage:
    def test_before_the_first_fetch_no_token_is_judged(
        self, authorizer: Authorizer, begin: Callable[[Behaviour], None], outage: Behaviour, emitted: Emitted
    ) -> None:
        """The gateway turns the exception into a 503; a Deny would be a 401, and log good users out."""
        begin(outage)
        started = time.monotonic()
        with pytest.raises(SigningKeysUnavailableError):
            authorizer.call(GOOD)
        assert time.monotonic() - started < 1.5
        assert emitted() == {"JWKSFetchFailures": 1}

    def test_known_keys_stay_in_use(
        self, authorizer: Authorizer, issuer: JwksServer, begin: Callable[[Behaviour], None], outage: Behaviour
    ) -> None:
        assert authorizer.allows(GOOD)
        begin(outage)
        authorizer.now += MAX_STALE_SECONDS
        assert authorizer.allows(GOOD)
        assert issuer.fetches == 2
        with pytest.raises(SigningKeysUnavailableError):  # never a 401: the issuer may have rotated its keys
            authorizer.call(NEW.token(LONG))


def test_a_redirect_is_not_followed(authorizer: Authorizer, issuer: JwksServer) -> None:
    with jwks_servers() as serve:
        elsewhere = serve()
        elsewhere.keys = issuer.keys
        for status in (301, 302, 303, 307, 308):
            issuer.behaviour = answering(status, b"", Location=elsewhere.url)
            with pytest.raises(SigningKeysUnavailableError):
                authorizer.call(GOOD)
            authorizer.now += MIN_FETCH_INTERVAL_SECONDS
        assert elsewhere.fetches == 0
    assert issuer.fetches == 5


def test_nobody_listening_is_an_outage(load_authorizer: LoadAuthorizer) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        authorizer = load_authorizer(JWT_JWKS_URL=f"http://127.0.0.1:{bound.getsockname()[1]}/jwks.json")
        with pytest.raises(SigningKeysUnavailableError):
            authorizer.call(GOOD)


def test_a_query_in_the_url_is_sent(load_authorizer: LoadAuthorizer, issuer: JwksServer) -> None:
    asked: list[str] = []

    def remembering(exchange: Exchange) -> None:
        asked.append(exchange.path)
        answering_keys(exchange)

    issuer.behaviour = remembering
    assert load_authorizer(JWT_JWKS_URL=f"{issuer.url}?p=policy").allows(GOOD)
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
    def over_tls(self, certificate: Path) -> Iterator[JwksServer]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        with jwks_servers(context) as serve:
            server = serve()
            server.keys = [OLD.jwk]
            yield server

    def test_an_unknown_certificate_is_an_outage(self, load_authorizer: LoadAuthorizer, over_tls: JwksServer) -> None:
        with pytest.raises(SigningKeysUnavailableError):
            load_authorizer(JWT_JWKS_URL=over_tls.url).call(GOOD)
        assert over_tls.fetches == 0

    def test_a_trusted_one_is_not(
        self,
        load_authorizer: LoadAuthorizer,
        over_tls: JwksServer,
        certificate: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert load_authorizer(JWT_JWKS_URL=over_tls.url).allows(GOOD)
        assert over_tls.fetches == 1


def test_a_hundred_environments_of_one_snapshot_renew_its_keys_at_different_times(
    load_authorizer: LoadAuthorizer, issuer: JwksServer
) -> None:
    environments = [load_authorizer(**SNAP_START) for _ in range(100)]
    issuer.fetches = 0

    def total_after(seconds: float) -> int:
        for environment in environments:
            environment.now = NOW + MAX_AGE_SECONDS + seconds
            assert environment.allows(GOOD)
        return issuer.fetches

    assert total_after(0) < 10
    assert 20 < total_after(RENEWAL_SPREAD_SECONDS / 2) < 80
    assert total_after(RENEWAL_SPREAD_SECONDS) == 100


class TestFetching:
    def test_a_thousand_good_requests_make_one_fetch(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        assert issuer.fetches == 0
        for _ in range(1000):
            assert authorizer.allows(GOOD)
            authorizer.now += 3
        assert issuer.fetches == 1

    def test_under_snapstart_the_keys_are_fetched_before_the_first_request(
        self, load_authorizer: LoadAuthorizer, issuer: JwksServer
    ) -> None:
        authorizer = load_authorizer(**SNAP_START)
        assert issuer.fetches == 1
        issuer.behaviour = answering(500, b"")
        assert authorizer.allows(GOOD)
        assert issuer.fetches == 1

    def test_under_snapstart_an_outage_does_not_fail_the_deployment(
        self, load_authorizer: LoadAuthorizer, issuer: JwksServer
    ) -> None:
        issuer.behaviour = answering(500, b"")
        authorizer = load_authorizer(**SNAP_START)
        issuer.behaviour = answering_keys
        authorizer.now += MIN_FETCH_INTERVAL_SECONDS
        assert authorizer.allows(GOOD)

    def test_keys_are_renewed_within_a_minute_after_an_hour(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        assert authorizer.allows(GOOD)
        issuer.keys = [NEW.jwk]
        authorizer.now += MAX_AGE_SECONDS - 1
        assert authorizer.allows(GOOD)
        assert issuer.fetches == 1
        authorizer.now += 1
        authorizer.call(GOOD)  # draws the moment
        authorizer.now += RENEWAL_SPREAD_SECONDS
        assert not authorizer.allows(GOOD)
        assert authorizer.allows(NEW.token(LONG))
        assert issuer.fetches == 2

    @pytest.mark.parametrize("passed", [MAX_STALE_SECONDS, -1.0], ids=["frozen for a day", "the clock was set back"])
    def test_keys_of_unknown_age_are_fetched_before_they_are_used(
        self, authorizer: Authorizer, issuer: JwksServer, passed: float
    ) -> None:
        assert authorizer.allows(GOOD)
        issuer.keys = [NEW.jwk]
        authorizer.now += passed
        authorizer.now += MIN_FETCH_INTERVAL_SECONDS if passed < -MIN_FETCH_INTERVAL_SECONDS else 0
        assert not authorizer.allows(GOOD)
        assert issuer.fetches == 2

    def test_a_rotated_key_works_at_once(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        assert authorizer.allows(GOOD)
        issuer.keys.append(NEW.jwk)
        authorizer.now += MIN_FETCH_INTERVAL_SECONDS
        assert authorizer.allows(NEW.token(LONG))
        assert authorizer.allows(GOOD)
        assert issuer.fetches == 2

    def test_a_key_that_signs_before_it_is_published_works_ten_seconds_later(
        self, authorizer: Authorizer, issuer: JwksServer
    ) -> None:
        assert authorizer.allows(GOOD)
        issuer.keys = [NEW.jwk]
        authorizer.now += MIN_FETCH_INTERVAL_SECONDS - 1
        assert not authorizer.allows(NEW.token(LONG))
        authorizer.now += 1
        assert authorizer.allows(NEW.token(LONG))

    def test_a_flood_of_unknown_keys_makes_one_fetch_an_interval(
        self, authorizer: Authorizer, issuer: JwksServer
    ) -> None:
        """And no failed invocation: anyone could page on-call and roll releases back with one that fails."""
        stranger = rsa_key("stranger")
        for number in range(100):
            assert not authorizer.allows(stranger.token(LONG, {"kid": f"made-up-{number}"}))
            authorizer.now += 1
        assert issuer.fetches == 100 / MIN_FETCH_INTERVAL_SECONDS

    def test_so_does_a_flood_of_bad_signatures_without_a_key_id(
        self, authorizer: Authorizer, issuer: JwksServer
    ) -> None:
        issuer.keys = [OLD.jwk]
        for _ in range(100):
            assert not authorizer.allows(NEW.token(LONG, NAMELESS))
            authorizer.now += 1
        assert issuer.fetches == 100 / MIN_FETCH_INTERVAL_SECONDS

    def test_an_outage_makes_one_fetch_an_interval(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        issuer.behaviour = answering(500, b"")
        for _ in range(100):
            with pytest.raises(SigningKeysUnavailableError):
                authorizer.call(GOOD)
            authorizer.now += 1
        assert issuer.fetches == 100 / MIN_FETCH_INTERVAL_SECONDS
        issuer.behaviour = answering_keys
        assert authorizer.allows(GOOD)

    def test_an_outage_with_known_keys_makes_ever_fewer_fetches(
        self, authorizer: Authorizer, issuer: JwksServer
    ) -> None:
        assert authorizer.allows(GOOD)
        authorizer.now += MAX_STALE_SECONDS
        issuer.behaviour = answering(500, b"")
        for _ in range(600):
            assert authorizer.allows(GOOD)
            authorizer.now += 1
        assert issuer.fetches == 1 + 6  # at 0, 10, 30, 70, 150 and 310 s
        issuer.behaviour = answering_keys
        authorizer.now += MAX_FETCH_INTERVAL_SECONDS
        assert authorizer.allows(GOOD)
        assert issuer.fetches == 8

    @pytest.mark.parametrize(
        ("asked", "granted"), [("60", 60), ("3", 10), ("86400", 300), ("soon", 10), ("-5", 10), ("9" * 400, 10)]
    )
    def test_retry_after_is_honoured_within_limits(
        self, authorizer: Authorizer, issuer: JwksServer, asked: str, granted: float
    ) -> None:
        issuer.behaviour = answering(429, b"", Retry_After=asked)
        for second in (0.0, granted - 0.5, granted):
            authorizer.now = NOW + second
            with pytest.raises(SigningKeysUnavailableError):
                authorizer.call(GOOD)
        assert issuer.fetches == 2

    def test_a_slow_response_is_one_slow_request(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        def slow(exchange: Exchange) -> None:
            time.sleep(3)
            answering_keys(exchange)

        issuer.behaviour = slow
        assert authorizer.allows(GOOD)
        assert authorizer.allows(GOOD)
        assert issuer.fetches == 1

    def test_headers_are_those_of_a_well_behaved_client(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        def strict(exchange: Exchange) -> None:
            headers = exchange.headers
            if "mfa-service" not in headers["User-Agent"] or "application/jwk-set+json" not in headers["Accept"]:
                exchange.answer(403, b"")
            else:
                answering_keys(exchange)

        issuer.behaviour = strict
        assert authorizer.allows(GOOD)

    def test_a_token_that_is_refused_anyway_makes_no_fetch(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        for header in ({"alg": "none", "kid": "rsa-1"}, {"alg": "HS256", "kid": "rsa-1"}):
            token = f"{b64url(json_bytes(header))}.{b64url(json_bytes(LONG))}.AAAA"
            assert not authorizer.allows(token)
        for changes in ({"exp": NOW - 1}, {"iss": "https://evil.example"}, {"aud": "other"}, {"token_use": "id"}):
            assert not authorizer.allows(OLD.token(claims(**changes), {"kid": "made-up"}))
        assert issuer.fetches == 0

    def test_a_replaced_key_of_the_same_name_is_taken_over(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        assert authorizer.allows(GOOD)
        issuer.keys = [{**NEW.jwk, "kid": "rsa-1"}, ec_key("ec-1").jwk]
        authorizer.now += MAX_STALE_SECONDS
        assert not authorizer.allows(GOOD)
        assert authorizer.allows(NEW.token(LONG, {"kid": "rsa-1"}))


class TestSelection:
    """The key that a token's ``kid`` and ``alg`` name, and none else."""

    def test_entries_of_one_kid_differ_by_algorithm(self, load_authorizer: LoadAuthorizer, issuer: JwksServer) -> None:
        keys = {alg: rsa_key(f"shared-{alg}") for alg in ("RS256", "RS384", "RS512")}
        issuer.keys = [{**key.jwk, "kid": "shared", "alg": alg} for alg, key in keys.items()]
        authorizer = load_authorizer(JWT_ALGORITHMS="RS256,RS384,RS512")
        for alg, key in keys.items():
            assert authorizer.allows(jwt.encode(LONG, key.private, alg, {"kid": "shared"})), alg

    def test_entries_of_one_kid_differ_by_use_and_type(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        rsa, ec_ = rsa_key("same-rsa"), ec_key("same-ec")
        issuer.keys = [
            {**rsa.jwk, "kid": "same"},
            {**rsa_key("same-enc").jwk, "kid": "same", "use": "enc", "alg": "RSA-OAEP"},
            {**ec_.jwk, "kid": "same"},
        ]
        assert authorizer.allows(rsa.token(LONG, {"kid": "same"}))
        assert authorizer.allows(ec_.token(LONG, {"kid": "same"}))

    @pytest.mark.parametrize("operations", [["sign"], [], "verify", None, ["encrypt"]], ids=str)
    def test_a_key_that_is_not_for_verifying_verifies_nothing(
        self, authorizer: Authorizer, issuer: JwksServer, operations: object
    ) -> None:
        issuer.keys.append({**NEW.jwk, "key_ops": operations})
        assert not authorizer.allows(NEW.token(LONG))

    def test_a_key_for_verifying_and_more_verifies(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        issuer.keys.append({**NEW.jwk, "key_ops": ["wrapKey", "verify"]})
        assert authorizer.allows(NEW.token(LONG))

    @pytest.mark.parametrize("published", [{}, {"kid": None}], ids=["set without kid", "kid null"])
    def test_a_token_without_kid_is_checked_with_the_only_key_that_fits(
        self, authorizer: Authorizer, issuer: JwksServer, published: dict[str, Any]
    ) -> None:
        key = {name: value for name, value in NEW.jwk.items() if name != "kid"} | published
        issuer.keys = [key, ec_key("ec-1").jwk, {**rsa_key("enc").jwk, "use": "enc"}]
        assert authorizer.allows(NEW.token(LONG, NAMELESS))

    def test_a_token_without_kid_is_refused_where_two_keys_fit(
        self, authorizer: Authorizer, issuer: JwksServer
    ) -> None:
        issuer.keys = [OLD.jwk, NEW.jwk]
        assert not authorizer.allows(NEW.token(LONG, NAMELESS))
        assert not authorizer.allows(NEW.token(LONG, NAMELESS))
        assert issuer.fetches == 1

    def test_a_token_without_kid_survives_a_rotation(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        issuer.keys = [OLD.jwk]
        assert authorizer.allows(OLD.token(LONG, NAMELESS))
        issuer.keys = [NEW.jwk]
        authorizer.now += MIN_FETCH_INTERVAL_SECONDS
        assert authorizer.allows(NEW.token(LONG, NAMELESS))
        authorizer.now += MIN_FETCH_INTERVAL_SECONDS
        assert not authorizer.allows(OLD.token(LONG, NAMELESS))  # fetched, and still not signed with the issuer's key

    @pytest.mark.parametrize(
        ("algorithm", "private"),
        [
            *((alg, rsa_key("families").private) for alg in ("RS384", "RS512", "PS256", "PS384", "PS512")),
            ("ES384", ec.generate_private_key(ec.SECP384R1())),
            ("ES512", ec.generate_private_key(ec.SECP521R1())),
            ("EdDSA", ed25519.Ed25519PrivateKey.generate()),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    @pytest.mark.parametrize("named", [True, False], ids=["alg in the key", "no alg in the key"])
    def test_other_algorithms_are_accepted_where_they_are_configured(
        self, load_authorizer: LoadAuthorizer, issuer: JwksServer, algorithm: str, private: Any, named: bool
    ) -> None:
        public = jwt.get_algorithm_by_name(algorithm).to_jwk(private.public_key(), as_dict=True)
        public.pop("key_ops", None)
        issuer.keys = [{**public, "kid": "k", **({"alg": algorithm} if named else {})}]
        token = jwt.encode(LONG, private, algorithm, {"kid": "k"})
        assert not load_authorizer().allows(token) if named else True
        assert load_authorizer(JWT_ALGORITHMS=f"RS256,{algorithm}").allows(token)
