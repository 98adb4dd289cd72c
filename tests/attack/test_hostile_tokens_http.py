"""Hostile tokens over HTTP are refused by the deployed authorizer.

``tests/jwt_authorizer/test_hostile_tokens.py`` sends the same tokens to the function directly.
"""

import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import pytest
import urllib3

from functions.jwt_authorizer.keys import MIN_FETCH_INTERVAL_SECONDS
from functions.shared.contract import SETUP, STATUS, Env
from local.emulator.gateway import MAX_HEADER_BYTES
from local.stack import Stack
from tests.attack.raw_http import RawApi
from tests.support.api_description import ISO_TIME, assert_described
from tests.support.hostile_tokens import Named, Target, Times, forgeries, misissued
from tests.support.jwks_server import JwksServer, jwks_servers
from tests.support.leaks import OVER_HTTP
from tests.support.released import released
from tests.support.stack import Aws, HttpResponse, function_log_since
from tests.support.tokens import AUDIENCE, ISSUER, ec_key, rsa_key

type TokenFor = Callable[..., str]

KEYS = (rsa_key("rsa-1"), ec_key("ec-1"))
#: Every sixteenth token without ``--attack``, else all of them.
SAMPLES = pytest.mark.parametrize("step", [16, pytest.param(1, marks=pytest.mark.attack)], ids=["sample", "all"])
#: Longer than any of these tests takes.
SLACK_SECONDS = 3600
#: Bytes that HTTP does not allow in a header: the server refuses them before it looks for an API.
NOT_IN_A_HEADER = set(b"\0\n\v\f\r")

pytestmark = pytest.mark.e2e


def bearer(token: str | bytes) -> bytes:
    if isinstance(token, str):
        token = token.encode("utf-8", "surrogatepass")
    return b"Authorization: Bearer " + token


def assert_refused(answer: HttpResponse, *lines: bytes) -> None:
    """Expect exactly the 401 of the contract, or another error if the request is invalid or too large."""
    sent = b"".join(lines)
    if NOT_IN_A_HEADER & set(sent):
        assert (answer.status, answer.content) == (400, b"")
        return
    body = answer.json()
    if len(sent) > MAX_HEADER_BYTES:
        assert (answer.status, body["error"]) == (413, "PAYLOAD_TOO_LARGE")
        return
    assert answer.status == 401
    assert ISO_TIME.fullmatch(body.pop("timestamp"))
    assert body == {
        "error": "UNAUTHORIZED",
        "message": "User authentication required",
        "request_id": answer.headers["x-amzn-RequestId"],
    }
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert_described(STATUS, 401, answer.headers, answer.json())


class Attack:
    """Sends tokens and counts the statuses of the responses."""

    def __init__(self, api: RawApi) -> None:
        self._api = api
        self.statuses: Counter[int] = Counter()
        self._began = time.monotonic()

    def send(self, tokens: Iterable[Named]) -> None:
        for name, token in tokens:
            OVER_HTTP.add_token(token)
            line = bearer(token)
            answer = self._api.send(line)
            self.statuses[answer.status] += 1
            try:
                assert_refused(answer, line)
            except (AssertionError, KeyError) as error:
                raise AssertionError(f"{name}: {answer}") from error

    @property
    def fetches_allowed(self) -> int:
        """The number of key fetches that one process may make meanwhile, with one for its start."""
        return 2 + int((time.monotonic() - self._began) // MIN_FETCH_INTERVAL_SECONDS)

    def __str__(self) -> str:
        meaning = {401: "the contract's body", 400: "a control character in a header", 413: "too large"}
        return ", ".join(f"{number} x {status} ({meaning[status]})" for status, number in self.statuses.most_common())


@pytest.fixture
def raw(stack: Stack) -> RawApi:
    return RawApi(stack.api_url)


@pytest.fixture(scope="module")
def token(token_for: TokenFor) -> str:
    token = token_for("hostile-tokens@example.com")
    OVER_HTTP.add_token(token)
    return token


@pytest.fixture(scope="module")
def attacker() -> Iterator[JwksServer]:
    """Publish the attacker's keys, which must never be fetched."""
    with jwks_servers() as serve:
        server = serve()
        server.keys = [rsa_key("attacker").jwk]
        yield server
        assert server.fetches == 0


@pytest.fixture
def issuer(stack: Stack, aws: Aws) -> Iterator[JwksServer]:
    """Let the deployed authorizer trust an issuer whose private keys the tests know, and which counts its requests."""
    with jwks_servers() as serve:
        server = serve()
        server.keys = [key.jwk for key in KEYS]
        trust: dict[str, str] = {Env.JWT_ISSUER: ISSUER, Env.JWT_AUDIENCE: AUDIENCE, Env.JWT_JWKS_URL: server.url}
        with released(aws, stack.functions["jwt_authorizer"], trust):
            yield server


def forged_from(token: str, stack: Stack, attacker: JwksServer) -> Iterator[Named]:
    """Yield forgeries of a genuine token of the stack's user pool, made with the pool's public keys."""
    keys = {key["kid"]: key for key in urllib3.request("GET", stack.jwks_url).json()["keys"]}
    kid = Target(token, {}, attacker.url).header["kid"]
    return forgeries(Target(token, keys[kid], attacker.url))


def whole_corpus(attacker: JwksServer) -> Iterator[Named]:
    times = Times(int(time.time()), SLACK_SECONDS)
    for key in KEYS:
        target = Target(key.token(times.claims()), key.jwk, attacker.url)
        for name, token in itertools.chain(forgeries(target), misissued(key, times)):
            yield f"{key.alg}: {name}", token


def genuine() -> list[bytes]:
    times = Times(int(time.time()), SLACK_SECONDS)
    return [bearer(key.token(times.claims())) for key in KEYS]


def assert_all_let_through(api: RawApi, lines: Iterable[bytes]) -> None:
    assert [api.send(line).status for line in lines] == [200] * len(KEYS)


class TestHeader:
    """What the gateway could change about the header; tests/jwt_authorizer/test_requests.py has more forms of it."""

    @pytest.mark.parametrize(
        "line",
        [
            pytest.param("Authorization: Bearer {}", id="as clients do"),
            pytest.param("authorization: bearer {}", id="lower case"),
            pytest.param("AUTHORIZATION: BEARER {}", id="upper case"),
            pytest.param("Authorization:\t Bearer   {} \t", id="spaces and tabs around"),
        ],
    )
    def test_is_accepted(self, raw: RawApi, token: str, line: str) -> None:
        assert raw.send(line.format(token).encode()).status == 200

    @pytest.mark.parametrize(
        "lines",
        [
            pytest.param([], id="none"),
            pytest.param(["Authorization:"], id="empty"),
            pytest.param(["Authorization: Bearer\t{}"], id="tab after the scheme"),
            pytest.param(["Authorization: Bearer {}", "Authorization: Bearer {}"], id="header twice, both good"),
            pytest.param(["Authorization: Bearer {}", "Authorization: Bearer x"], id="header twice, the first good"),
            pytest.param(["Authorization: Bearer x", "Authorization: Bearer {}"], id="header twice, the last good"),
            pytest.param(["Authorization: Bearer x", "authorization: Bearer {}"], id="header in two spellings"),
            pytest.param(["Authorization:", "Authorization: Bearer {}"], id="an empty one before it"),
            pytest.param(["Authorization: Bearer {}", *["Authorization: x"] * 100], id="a hundred after it"),
            pytest.param(["Authorization: Bearer {}\0"], id="null after the token"),
            pytest.param(["Authorization: Bearer\n{}"], id="bare newline"),
            pytest.param(["Authorization: Bearer\v{}"], id="vertical tab"),
            pytest.param(["Authorization: Bearer \u00a0{}"], id="non-breaking space, in UTF-8"),
            pytest.param(["Authorization: Bearer {}\u3000"], id="ideographic space"),
            pytest.param(["Authorization: B\u0435arer {}"], id="Cyrillic letter in the scheme"),
            pytest.param(["Proxy-Authorization: Bearer {}"], id="to a proxy"),
            pytest.param(["X-Forwarded-Authorization: Bearer {}"], id="forwarded"),
            pytest.param(["X-Amzn-Remapped-Authorization: Bearer {}"], id="as API Gateway renames it"),
            pytest.param(["Authorization_: Bearer {}"], id="underscore"),
        ],
    )
    def test_is_refused_if_malformed_although_the_token_is_good(
        self, raw: RawApi, token: str, lines: list[str]
    ) -> None:
        sent = [line.replace("{}", token).encode() for line in lines]
        assert_refused(raw.send(*sent), *sent)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json"])
def test_a_token_in_the_query_or_body_is_ignored(raw: RawApi, token: str, kind: str) -> None:
    """RFC 6750 also allows tokens there; this API does not."""
    body = f"access_token={token}" if kind.endswith("urlencoded") else json.dumps({"access_token": token})
    line, path = f"Content-Type: {kind}".encode(), f"{SETUP.path}?access_token={token}"
    assert_refused(raw.send(line, method=SETUP.method, path=path, body=body.encode()))


@SAMPLES
def test_forgeries_of_a_genuine_token_are_refused(
    step: int, raw: RawApi, stack: Stack, token: str, attacker: JwksServer, report: Callable[[str, str], None]
) -> None:
    attack = Attack(raw)
    attack.send(itertools.islice(forged_from(token, stack, attacker), None, None, step))
    assert attack.statuses[401] > 250 // step
    assert raw.send(bearer(token)).status == 200
    if step == 1:
        report("Forged tokens", f"Forgeries of a token of the local user pool, made with its public keys: {attack}.")


@SAMPLES
def test_all_hostile_tokens_are_refused_with_few_fetches_of_keys(
    step: int,
    raw: RawApi,
    stack: Stack,
    aws: Aws,
    attacker: JwksServer,
    issuer: JwksServer,
    report: Callable[[str, str], None],
) -> None:
    assert_all_let_through(raw, genuine())
    began = int(time.time() * 1000)
    attack = Attack(raw)
    attack.send(itertools.islice(whole_corpus(attacker), None, None, step))
    reasons = Counter(logged_reasons(aws, stack.functions["jwt_authorizer"], began))
    assert_all_let_through(raw, genuine())

    assert attack.statuses[401] > 900 // step
    assert issuer.fetches <= attack.fetches_allowed
    assert reasons.total() == attack.statuses[401]
    assert "unexpected" not in reasons
    counted = ", ".join(f"{number} x `{reason}`" for reason, number in reasons.most_common())
    if step == 1:
        report(
            "Hostile tokens",
            f"""
Forged tokens, and tokens that the issuer signed but that are not valid access tokens for this API, for an RSA and an EC
key: {attack}. The authorizer fetched the issuer's keys {issuer.fetches} times, and the keys that tokens point to never.

Reasons that it logged: {counted}.
""",
        )


def logged_reasons(aws: Aws, function: str, since: int) -> Iterator[str]:
    for line in function_log_since(aws, since):
        name, _, message = line.partition(": ")
        if name == function and message.startswith("{"):
            fields = json.loads(message)
            if fields["message"] == "request refused":
                yield fields["reason"]
