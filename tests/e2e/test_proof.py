"""The proof on the deployed stack, read by others that know only its issuer, with the recipes of ``docs/proof.md``."""

import json
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from functions.shared.contract import JWKS, Env
from infra.paths import REPOSITORY
from local.protected_api.handler import MAX_AGE_SECONDS
from local.stack import Stack
from tests.support.http_user import HttpUser, NewUser
from tests.support.pages import fences, section
from tests.support.stack import Api, Aws
from tests.support.tokens import b64url, b64url_decode, hmac_token, json_bytes, rsa_key

AUDIENCE = "protected-api"
PAY = "/payments"
type Claims = dict[str, Any]


@dataclass
class Issuer:
    """The issuer of the proofs, and its key: whoever has the role of `verify_mfa` may make it sign anything."""

    url: str
    key_arn: str
    kms: Any

    @property
    def key_id(self) -> str:
        return self.key_arn.rpartition("/")[2]

    def signed(self, claims: Claims) -> str:
        """Return a token that the issuer's own key signed."""
        header = {"alg": "RS256", "typ": "at+jwt", "kid": self.key_id}
        message = f"{b64url(json_bytes(header))}.{b64url(json_bytes(claims))}"
        algorithm = "RSASSA_PKCS1_V1_5_SHA_256"
        answer = self.kms.sign(KeyId=self.key_arn, Message=message.encode(), SigningAlgorithm=algorithm)
        return f"{message}.{b64url(answer['Signature'])}"


@dataclass(frozen=True)
class Request:
    """What another API gets: a proof, the claims of the session's access token, and how old the proof may be."""

    proof: str
    session: Mapping[str, Any]
    max_age: int = MAX_AGE_SECONDS


class Verifier(ABC):
    """Another API."""

    #: Whether its requests carry a session beside the proof.
    compares_the_session = True

    @abstractmethod
    def refusals(self, requests: Mapping[str, Request]) -> dict[str, str]:
        """Return the challenges of the refused requests by their names."""


class Gateway(Verifier):
    """API Gateway's JWT authorizer, with a function behind it that knows its own `max_age`."""

    compares_the_session = False

    def __init__(self, api: Api) -> None:
        self.api = api

    def refusals(self, requests: Mapping[str, Request]) -> dict[str, str]:
        answers = {name: self.api.request("POST", PAY, token=each.proof) for name, each in requests.items()}
        assert {answer.status for answer in answers.values()} <= {200, 401}
        return {
            name: answer.headers.get("WWW-Authenticate", "") for name, answer in answers.items() if answer.status == 401
        }


class PyJwt(Verifier):
    """The recipe for Python."""

    def __init__(self, issuer: str) -> None:
        (recipe,) = fences(section("proof.md", "Python with PyJWT"), "python")
        self.names: Any = {}
        exec(compile(recipe, "docs/proof.md", "exec"), self.names)  # noqa: S102 -- our own documentation
        self.checker = self.names["ProofChecker"](issuer, AUDIENCE)

    def refusals(self, requests: Mapping[str, Request]) -> dict[str, str]:
        found = {}
        for name, request in requests.items():
            try:
                self.checker.check(request.proof, request.session, max_age=request.max_age)
            except self.names["ProofRequired"] as error:
                found[name] = error.challenge
        return found


class Jose(Verifier):
    """The recipe for Node."""

    PROGRAM = """
const { issuer, audience, requests } = JSON.parse(fs.readFileSync(0, "utf8"));
const check = await proofChecker(issuer, audience);
const refused = {};
for (const [name, { proof, session, max_age }] of Object.entries(requests)) {
  try {
    await check(proof, session, { maxAge: max_age });
  } catch (error) {
    if (!error.challenge) throw error;
    refused[name] = error.challenge;
  }
}
console.log(JSON.stringify(refused));
"""

    def __init__(self, issuer: str) -> None:
        (recipe,) = fences(section("proof.md", "Node with jose"), "js")
        self.issuer, self.program = issuer, f'import fs from "node:fs";\n{recipe}\n{self.PROGRAM}'

    def refusals(self, requests: Mapping[str, Request]) -> dict[str, str]:
        given = {name: vars(request) | {"session": dict(request.session)} for name, request in requests.items()}
        finished = subprocess.run(
            [Path(sys.executable).with_name("node"), "--input-type=module", "-e", self.program],
            input=json.dumps({"issuer": self.issuer, "audience": AUDIENCE, "requests": given}),
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert finished.returncode == 0, finished.stderr
        found: dict[str, str] = json.loads(finished.stdout)
        return found


def claims_of(token: str) -> Claims:
    found: Claims = jwt.decode(token, options={"verify_signature": False})
    return found


@pytest.fixture(scope="module")
def user(new_user: NewUser) -> HttpUser:
    """Return a user whose second factor is on."""
    user = new_user("proof@example.com")
    user.enrol()
    return user


@pytest.fixture(scope="module")
def proof(user: HttpUser) -> str:
    user.fresh_time_step()
    answer = user.verify()
    assert answer.status == 200
    return str(answer.body["proof"])


@pytest.fixture(scope="module")
def issuer(stack: Stack, aws: Aws) -> Issuer:
    function = aws.client("lambda").get_function_configuration(FunctionName=stack.functions["verify_mfa"])
    return Issuer(
        stack.api_url, function["Environment"]["Variables"][Env.PROOF_KEY], aws.client_as("verify_mfa", "kms")
    )


@pytest.fixture(scope="module", params=["gateway", "pyjwt", "jose"])
def verifier(request: pytest.FixtureRequest, stack: Stack) -> Verifier:
    """Return every verifier, one after the other; each finds the keys through the discovery document."""
    if request.param == "gateway":
        return Gateway(Api(stack.protected_api_url))
    return PyJwt(stack.api_url) if request.param == "pyjwt" else Jose(stack.api_url)


def flipped(part: str) -> str:
    """Return a part of a token with one changed bit."""
    content = bytearray(b64url_decode(part))
    content[len(content) // 2] ^= 1
    return b64url(bytes(content))


def forged(proof: str, issuer: Issuer, api: Api) -> dict[str, str]:
    """Return tokens that nobody may accept, by name."""
    claims, now = claims_of(proof), int(time.time())
    header, payload, signature = proof.split(".")
    (public,) = api.request(JWKS.method, JWKS.path).json()["keys"]
    pem = jwt.PyJWK(public).key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    none = b64url(json_bytes({"alg": "none", "typ": "at+jwt", "kid": issuer.key_id}))
    return {
        "another audience": issuer.signed({**claims, "aud": "another-api"}),
        "another issuer": issuer.signed({**claims, "iss": "https://issuer.example"}),
        "expired": issuer.signed({**claims, "exp": now - 1}),
        "one changed bit of the claims": f"{header}.{flipped(payload)}.{signature}",
        "one changed bit of the signature": f"{header}.{payload}.{flipped(signature)}",
        "alg none": f"{none}.{payload}.",
        "alg none with a signature": f"{none}.{payload}.{signature}",
        "HS256 with the public key": hmac_token("HS256", pem, claims, typ="at+jwt", kid=issuer.key_id),
        "another key": rsa_key("nobody's").token(claims, {"kid": issuer.key_id}),
        "no token": "",
    }


def test_a_proof_is_accepted(verifier: Verifier, proof: str, user: HttpUser) -> None:
    assert verifier.refusals({"proof": Request(proof, claims_of(user.token))}) == {}


def test_everything_else_is_refused(verifier: Verifier, proof: str, issuer: Issuer, user: HttpUser, api: Api) -> None:
    session = claims_of(user.token)
    tokens = {"the access token": user.token, **forged(proof, issuer, api)}
    refused = verifier.refusals({name: Request(token, session) for name, token in tokens.items()})
    assert set(refused) == set(tokens)


def test_a_proof_that_is_too_old_is_refused_with_a_challenge(
    verifier: Verifier, proof: str, issuer: Issuer, user: HttpUser
) -> None:
    old = issuer.signed({**claims_of(proof), "auth_time": int(time.time()) - MAX_AGE_SECONDS - 1})
    challenge = verifier.refusals({"old": Request(old, claims_of(user.token))})["old"]
    assert challenge == (
        'Bearer error="insufficient_user_authentication", error_description="A recent second factor is required", '
        f'acr_values="mfa", max_age="{MAX_AGE_SECONDS}"'
    )


def test_a_proof_of_another_user_or_login_is_refused_where_there_is_a_session(
    verifier: Verifier, proof: str, issuer: Issuer, user: HttpUser
) -> None:
    session, claims = claims_of(user.token), claims_of(proof)
    assert claims["sid"] == session["origin_jti"]
    of_no_login = issuer.signed({name: value for name, value in claims.items() if name != "sid"})
    requests = {
        "another user": Request(issuer.signed({**claims, "sub": "another-user"}), session),
        "another login": Request(issuer.signed({**claims, "sid": "another-login"}), session),
        "no login in the proof": Request(of_no_login, session),
        "no login in the session": Request(proof, {"sub": session["sub"]}),
    }
    expected = {"another user", "another login"} if verifier.compares_the_session else set()
    assert set(verifier.refusals(requests)) == expected


def test_the_commands_of_the_page_pay_with_the_proof_alone(new_user: NewUser, stack: Stack) -> None:
    user = new_user("proof-curl@example.com")
    user.enrol()
    prepare, pay = fences(section("proof.md", "Try it"), "bash")
    assert prepare.startswith("PROTECTED=")
    variables = {"API": stack.api_url, "TOKEN": user.token, "PROTECTED": stack.protected_api_url}
    finished = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", pay.replace("ABCD-1234", user.backup_codes[0])],
        cwd=REPOSITORY,
        env=variables | {"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    refused, paid = finished.stdout.split("\n", 1)
    assert (refused, json.loads(paid)["paidBy"]) == ("401", user.user_id)
