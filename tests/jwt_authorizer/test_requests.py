"""From API Gateway's event to a policy: the header, the form of the response, what is counted and logged."""

import json
from typing import Any

import pytest

from functions.jwt_authorizer.service import TokenVerifier
from functions.shared.contract import ENDPOINTS, Endpoint
from functions.shared.settings import ConfigurationError
from tests.support.authorizer import METHOD_ARN, Authorizer, LoadAuthorizer, effect
from tests.support.events import REQUEST_ID
from tests.support.metrics import Emitted
from tests.support.tokens import NOW, claims, rsa_key

GOOD = rsa_key("rsa-1").token(claims())


def headers(*values: str, name: str = "Authorization") -> dict[str, Any]:
    """Return a request's headers in both of API Gateway's forms."""
    return {
        "headers": {name: values[-1]} if values else {},
        "multiValueHeaders": {name: list(values)} if values else {},
    }


class TestAuthorizationHeader:
    @pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION", "aUtHoRiZaTiOn"])
    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_name_and_scheme_in_any_case(self, authorizer: Authorizer, name: str, scheme: str) -> None:
        assert effect(authorizer.call(**headers(f"{scheme} {GOOD}", name=name))) == "Allow"

    @pytest.mark.parametrize("value", [f"Bearer   {GOOD}", f" Bearer {GOOD} "])
    def test_spaces_around_the_parts_do_not_matter(self, authorizer: Authorizer, value: str) -> None:
        assert effect(authorizer.call(**headers(value))) == "Allow"

    @pytest.mark.parametrize(
        "event",
        [
            pytest.param(headers(), id="no header"),
            pytest.param({"headers": None, "multiValueHeaders": None}, id="null headers"),
            pytest.param({"headers": {"Authorization": None}, "multiValueHeaders": None}, id="null value"),
            pytest.param({"headers": {}, "multiValueHeaders": {"Authorization": None}}, id="null values"),
            pytest.param({"headers": {}, "multiValueHeaders": {"Authorization": []}}, id="no values"),
            pytest.param({"headers": [], "multiValueHeaders": [f"Bearer {GOOD}"]}, id="headers in a list"),
            pytest.param(headers(""), id="empty"),
            pytest.param(headers("Bearer"), id="scheme alone"),
            pytest.param(headers("Bearer "), id="scheme and a space"),
            pytest.param(headers(GOOD), id="token alone"),
            pytest.param(headers(f"Bearer:{GOOD}"), id="colon"),
            pytest.param(headers(f"Bearer\t{GOOD}"), id="tab"),
            pytest.param(headers(f"Bearer \u00a0{GOOD}"), id="non-breaking space before the token"),
            pytest.param(headers(f"Bearer {GOOD}\u3000"), id="ideographic space after the token"),
            pytest.param(headers(f"\u0085Bearer {GOOD}"), id="next line before the scheme"),
            pytest.param(headers(f"Bearer {GOOD}\n"), id="newline after the token"),
            pytest.param(headers(f"Basic {GOOD}"), id="Basic"),
            pytest.param(headers(f"DPoP {GOOD}"), id="DPoP"),
            pytest.param(headers(f"Bearer,Bearer {GOOD}"), id="two schemes"),
            pytest.param(headers(f"Token Bearer {GOOD}"), id="scheme before the scheme"),
            pytest.param(headers(f"Bearer {GOOD}, Bearer {GOOD}"), id="two in one header"),
            pytest.param(headers(f"Bearer {GOOD}", f"Bearer {GOOD}"), id="header twice"),
            pytest.param(headers("Bearer x", f"Bearer {GOOD}"), id="a bad one before"),
            pytest.param(headers(f"Bearer {GOOD}", "Bearer x"), id="a bad one after"),
            pytest.param(
                {"multiValueHeaders": {"Authorization": [f"Bearer {GOOD}"], "authorization": [f"Bearer {GOOD}"]}},
                id="header in two spellings",
            ),
            pytest.param(headers(f"Bearer {GOOD}", name="X-Authorization"), id="another header"),
            pytest.param(headers(f"Bearer {GOOD}", name="Cookie"), id="cookie"),
            pytest.param(
                {**headers(), "queryStringParameters": {"access_token": GOOD, "Authorization": f"Bearer {GOOD}"}},
                id="in the query",
            ),
            pytest.param(headers(f"Bearer {'a' * 100_000}"), id="100 KB"),
            pytest.param(headers("Bearer " + " " * 100_000), id="100 KB of spaces"),
        ],
    )
    def test_anything_else_is_denied(self, authorizer: Authorizer, event: dict[str, Any]) -> None:
        answer = authorizer.call(**event)
        assert effect(answer) == "Deny"
        assert set(answer["context"]) == {"timestamp", "challenge"}

    def test_without_multiple_values_the_single_ones_count(self, authorizer: Authorizer) -> None:
        single = {"Authorization": f"Bearer {GOOD}"}
        assert effect(authorizer.call(headers=single, multiValueHeaders=None)) == "Allow"


class TestPolicy:
    def test_a_refusal_names_the_method_and_its_own_time(self, authorizer: Authorizer) -> None:
        authorizer.now = NOW + 0.9
        assert authorizer.call() == {
            "principalId": "anonymous",
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": METHOD_ARN}],
            },
            "context": {"timestamp": "2027-01-15T08:00:00Z", "challenge": "Bearer"},
        }

    @pytest.mark.parametrize("event", [{}, {"methodArn": METHOD_ARN}, {"requestContext": None, "headers": "x"}])
    def test_an_event_that_is_not_api_gateways_is_denied(self, authorizer: Authorizer, event: dict[str, Any]) -> None:
        assert effect(authorizer.lambda_handler(event, None)) == "Deny"

    def test_no_method_no_permission(self, authorizer: Authorizer) -> None:
        event = {"headers": {"Authorization": f"Bearer {GOOD}"}}
        answer = authorizer.lambda_handler(event, None)
        assert effect(answer) == "Deny"

    def test_a_defect_of_our_own_is_a_refusal_without_detail(
        self, load_authorizer: LoadAuthorizer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def fail(_verifier: TokenVerifier, _token: str) -> None:
            raise RuntimeError(f"about {GOOD}")

        monkeypatch.setattr(TokenVerifier, "verify", fail)
        assert effect(load_authorizer().call(GOOD)) == "Deny"
        logged = capsys.readouterr().out
        assert "RuntimeError" in logged
        assert GOOD not in logged


class TestMetrics:
    @pytest.mark.parametrize("route", ENDPOINTS, ids=lambda route: route.function)
    @pytest.mark.parametrize("token", [None, "x"], ids=["no token", "bad token"])
    def test_a_refusal_is_counted_for_its_route(
        self, authorizer: Authorizer, emitted: Emitted, route: Endpoint, token: str | None
    ) -> None:
        authorizer.call(token, route=route)
        assert emitted() == {route.metrics.unauthorized: 1}

    @pytest.mark.parametrize(
        "event",
        [{"httpMethod": "GET"}, {"resource": "/auth/mfa/unknown"}, {"resource": None}, {"httpMethod": []}],
        ids=str,
    )
    def test_an_unknown_route_counts_nothing(
        self, authorizer: Authorizer, emitted: Emitted, event: dict[str, Any]
    ) -> None:
        assert effect(authorizer.call(**event)) == "Deny"
        assert emitted() == {}


class TestLog:
    @pytest.mark.parametrize(
        ("token", "reason"),
        [
            (None, "missing"),
            ("x", "malformed"),
            (rsa_key("rsa-1").token(claims(exp=NOW - 1)), "expired"),
            (rsa_key("rsa-1").token(claims(groups=["g" * 36] * 220)), "too_long"),
            (rsa_key("rsa-1").token(claims(iss="https://evil.example")), "issuer"),
            (rsa_key("rsa-1").token(claims(aud="other")), "audience"),
            (rsa_key("rsa-1").token(claims(token_use="id")), "not_an_access_token"),
            (rsa_key("stranger").token(claims()), "unknown_key"),
        ],
        ids=lambda value: value if value and len(value) < 30 else "",
    )
    def test_says_why_and_nothing_of_the_token(
        self, load_authorizer: LoadAuthorizer, capsys: pytest.CaptureFixture[str], token: str | None, reason: str
    ) -> None:
        load_authorizer().call(token)
        captured = capsys.readouterr()
        (line,) = [found for found in map(json.loads, captured.out.splitlines()) if "message" in found]
        assert (line["message"], line["reason"], line["request_id"]) == ("request refused", reason, REQUEST_ID)
        for part in (token or "").split("."):
            assert len(part) < 10 or part not in captured.out + captured.err

    def test_an_allowed_request_leaves_no_trace_of_the_user(
        self, load_authorizer: LoadAuthorizer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert load_authorizer().allows(GOOD)
        captured = capsys.readouterr()
        assert captured.out + captured.err == ""


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("JWT_ISSUER", ""),
        ("JWT_AUDIENCE", ""),
        ("JWT_AUDIENCE", " , "),
        ("JWT_JWKS_URL", ""),
        ("JWT_ALGORITHMS", "HS256"),
        ("JWT_ALGORITHMS", "none"),
        ("JWT_ALGORITHMS", "RS256,rs384"),
        ("JWT_LEEWAY_SECONDS", "-1"),
        ("JWT_LEEWAY_SECONDS", "301"),
        ("JWT_LEEWAY_SECONDS", "1.5"),
        ("JWT_LEEWAY_SECONDS", "\u0663"),
        ("ENVIRONMENT", ""),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_wrong_configuration_fails_at_start_up_and_names_the_variable(
    load_authorizer: LoadAuthorizer, variable: str, value: str
) -> None:
    with pytest.raises(ConfigurationError, match=variable):
        load_authorizer(**{variable: value})
