"""The corpus of hostile tokens against the authorizer: every one ends in a Deny that the gateway can render."""

import itertools
import re

import pytest

from tests.support.authorizer import METHOD_ARN, Authorizer, LoadAuthorizer
from tests.support.hostile_tokens import Target, forgeries, misissued
from tests.support.jwks_server import JwksServer, jwks_servers
from tests.support.tokens import claims, ec_key, rsa_key

KEYS = {"RS256": rsa_key("rsa-1"), "ES256": ec_key("ec-1")}
#: Nothing listens here, and nothing ever asks it.
NOWHERE = "http://127.0.0.1:9/jwks.json"


def target(algorithm: str, attacker_url: str = NOWHERE) -> Target:
    key = KEYS[algorithm]
    return Target(genuine=key.token(claims()), jwk=key.jwk, attacker_url=attacker_url)


CORPUS = [
    pytest.param(token, id=f"{algorithm}: {name!a}")
    for algorithm in KEYS
    for name, token in itertools.chain(forgeries(target(algorithm)), misissued(KEYS[algorithm]))
]


def test_the_corpus_is_as_large_as_it_claims() -> None:
    assert len({case.values[0] for case in CORPUS}) > 900


@pytest.mark.parametrize("token", CORPUS)
def test_is_denied(authorizer: Authorizer, issuer: JwksServer, token: str) -> None:
    answer = authorizer.call(token)
    context = answer.pop("context")
    assert answer == {
        "principalId": "anonymous",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": METHOD_ARN}],
        },
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", context.pop("timestamp"))
    assert context == {"challenge": "Bearer"}
    assert issuer.fetches <= 1


def test_no_attack_is_unexpected_and_all_of_them_together_make_one_fetch(
    load_authorizer: LoadAuthorizer, issuer: JwksServer, capsys: pytest.CaptureFixture[str]
) -> None:
    authorizer = load_authorizer()
    with jwks_servers() as serve:
        attacker = serve()
        attacker.keys = [rsa_key("attacker").jwk]
        for algorithm in KEYS:
            for _, token in itertools.chain(forgeries(target(algorithm, attacker.url)), misissued(KEYS[algorithm])):
                assert not authorizer.allows(token)
        assert attacker.fetches == 0
    assert issuer.fetches == 1
    logged = capsys.readouterr().out
    assert logged.count("request refused") > 1000
    assert "unexpected" not in logged
    assert authorizer.allows(target("RS256").genuine)
    assert authorizer.allows(target("ES256").genuine)
