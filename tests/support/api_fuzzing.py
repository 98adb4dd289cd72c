"""Generated requests to the deployed API in every state of a user, checked against ``docs/openapi.json``.

Schemathesis generates the requests and checks the responses. This module adds what it cannot know: the states of a
user, valid codes, and which bodies are refused as invalid.
"""

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any, Final

import requests
import schemathesis
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from schemathesis import APIOperation, Case, CheckContext, GenerationMode, Response
from schemathesis.specs.openapi.checks import negative_data_rejection, unsupported_method

from functions.shared.clock import iso_timestamp
from functions.shared.contract import (
    BACKUP_CODES,
    BACKUP_CODES_LOW_AT,
    DISABLE,
    ENDPOINTS,
    FREE_ATTEMPTS,
    MAX_CONSECUTIVE_FAILURES,
    SETUP,
    STATUS,
    VERIFY,
    VERIFY_SETUP,
    Attribute,
    Endpoint,
    ErrorCode,
)
from functions.shared.request_body import normalised
from tests.support.api_description import FILE, assert_described, is_valid, operation
from tests.support.http_user import HttpUser
from tests.support.leaks import OVER_HTTP
from tests.support.stack import TIMEOUT_SECONDS, Aws

type Item = dict[str, Any]
type AnyCase = Case[Any]

#: The statuses that the states of a user lead to, by route. The other described statuses come from failures, scopes
#: and the gateway's limits.
REACHABLE: Final[Mapping[Endpoint, set[int]]] = {
    SETUP: {200, 401, 409},
    VERIFY_SETUP: {200, 400, 401, 404, 409, 410},
    VERIFY: {200, 400, 401, 409, 429},
    STATUS: {200, 401},
    BACKUP_CODES: {200, 400, 401, 409, 429},
    DISABLE: {200, 400, 401, 409, 429},
}


class State(StrEnum):
    """The state of a user before a request."""

    NOTHING = "nothing"
    PENDING = "pending"
    EXPIRED = "expired"
    ENABLED = "enabled"
    FEW_BACKUP_CODES = "few backup codes"
    LOCKED = "locked"
    LOCKED_FOR_GOOD = "locked for good"


class Offer(StrEnum):
    """The code in a request."""

    AS_GENERATED = "as generated"
    RIGHT_CODE = "right code"


@cache
def described_api() -> Any:
    """Return the description as Schemathesis loads it."""
    statuses = {
        # A well-formed code can be wrong.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401", "404", "409", "410", "429"]},
        # The gateway refuses some requests before it reads their bodies.
        "negative_data_rejection": {"expected-statuses": ["400", "401", "404", "409", "410", "429"]},
    }
    # No response may be a 5xx, although the description contains some.
    config = schemathesis.Config.from_dict({"checks": statuses, "generation": {"mode": "all"}})
    return schemathesis.openapi.from_path(FILE, config=config)


def described_operation(route: Endpoint) -> APIOperation[Any, Any, Any, Any]:
    """Return a route of the description as Schemathesis loads it."""
    found: APIOperation[Any, Any, Any, Any] = described_api()[route.path][route.method]
    return found


def edge_cases(route: Endpoint) -> Iterator[AnyCase]:
    """Yield the edge cases of the description, always the same."""
    api = described_api()
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    yield from api.iter_coverage_cases(
        described_operation(route), generation_modes=modes, generation_config=api.config.generation
    )


def offers(case: AnyCase) -> Iterable[Offer]:
    """Return the codes to try with a case: a right code only if the case is valid."""
    return Offer if is_positive(case) and case.body else [Offer.AS_GENERATED]


def is_positive(case: AnyCase) -> bool:
    """Return whether a case is valid."""
    return case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE


def any_case(route: Endpoint) -> SearchStrategy[AnyCase]:
    """Return a strategy that draws valid and invalid cases."""
    described = described_operation(route)
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    return st.one_of(*(described.as_strategy(generation_mode=mode) for mode in modes))


@dataclass
class Subject:
    """A user of the deployed API who can be put into any state, and the statuses of the responses."""

    user: HttpUser
    aws: Aws
    table_name: str
    url: str
    seen: Counter[tuple[Endpoint, int]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._dynamodb = self.aws.client("dynamodb")
        self._session = requests.Session()
        OVER_HTTP.add_token(self.user.token)
        self.user.setup()
        self._pending = self.user.item()
        assert self.user.verify_setup().status == 200
        enabled = self.user.item()
        del enabled[Attribute.LAST_USED_STEP]
        self._enabled = enabled

    def put(self, state: State) -> None:
        """Put the user into a state."""
        item = self._item(state)
        if item is None:
            self.user.forget()
        else:
            self._dynamodb.put_item(TableName=self.table_name, Item=item)

    def _item(self, state: State) -> Item | None:
        now = int(time.time())
        match state:
            case State.NOTHING:
                return None
            case State.PENDING:
                return self._pending | {Attribute.EXPIRES_AT: {"N": str(now + 600)}}
            case State.EXPIRED:
                return self._pending | {Attribute.EXPIRES_AT: {"N": str(now - 1)}}
            case State.ENABLED:
                return self._enabled
            case State.FEW_BACKUP_CODES:
                codes = self._enabled[Attribute.BACKUP_CODES]["L"]
                kept = {"L": codes[: BACKUP_CODES_LOW_AT + 1]}
                return self._enabled | {Attribute.BACKUP_CODES: kept, Attribute.BACKUP_CODES_USED: {"L": codes[-1:]}}
            case State.LOCKED:
                return self._enabled | _locked(FREE_ATTEMPTS, now)
            case State.LOCKED_FOR_GOOD:
                return self._enabled | _locked(MAX_CONSECUTIVE_FAILURES, now)

    def send(self, route: Endpoint, case: AnyCase, state: State, offer: Offer = Offer.AS_GENERATED) -> int:
        """Send a case in a state, check the response, and return its status."""
        self.put(state)
        # API Gateway has no 405: an unknown method is a 404.
        excluded = [unsupported_method]
        generated = case.body
        if offer is Offer.RIGHT_CODE:
            case.body = self._with_right_code(generated)
            # The body may be valid now, and Schemathesis would expect it to be refused.
            excluded.append(negative_data_rejection)
        # A case without the header tests its absence; in others the user's token replaces the generated one.
        headers = {"Authorization": f"Bearer {self.user.token}"} if "Authorization" in (case.headers or {}) else None
        try:
            answer = case.call_and_validate(
                self.url,
                session=self._session,
                headers=headers,
                additional_checks=[_is_described_and_refuses_only_invalid_bodies],
                excluded_checks=excluded,
                timeout=TIMEOUT_SECONDS,
            )
        finally:
            case.body = generated  # for the next state
        answered = f"{case.method} {case.path}"
        OVER_HTTP.add_answer(answered, answer.status_code, _headers(answer), answer.content)
        if case.method == route.method:
            self.seen[route, answer.status_code] += 1
        return int(answer.status_code)

    def _with_right_code(self, body: Any) -> Any:
        match body:
            case {"backupCode": str()}:
                body = {**body, "backupCode": self.user.backup_codes[0].lower()}
            case {"code": str()}:
                body = {**body, "code": f" {self.user.code()} "}
        OVER_HTTP.add_request(body)
        return body

    def statuses(self, route: Endpoint) -> set[int]:
        """Return the statuses that a route has returned."""
        return {status for seen, status in self.seen if seen == route}


def _locked(failures: int, now: int) -> Item:
    count, at = {"N": str(failures)}, {"S": iso_timestamp(now)}
    return {
        Attribute.FAILED_ATTEMPTS: count,
        Attribute.LAST_FAILED_AT: at,
        Attribute.BACKUP_FAILED_ATTEMPTS: count,
        Attribute.BACKUP_LAST_FAILED_AT: at,
    }


def _is_described_and_refuses_only_invalid_bodies(_: CheckContext, response: Response, case: AnyCase) -> None:
    """Fail if a response is not described, or if a valid body is refused or an invalid one accepted."""
    method = str(response.request.method)
    route = next((each for each in ENDPOINTS if (each.path, each.method) == (case.path, method)), None)
    if route is None:
        if method != "OPTIONS":  # a browser's preflight
            assert (response.status_code, response.json()["error"]) == (404, ErrorCode.NOT_FOUND)
        return
    body = response.json()
    assert response.status_code < 500
    assert_described(route, response.status_code, _headers(response), body)
    described = operation(route).get("requestBody")
    if described is None or response.status_code == 401:
        return
    schema = described["content"]["application/json"]["schema"]
    refused = body.get("error") == ErrorCode.VALIDATION_ERROR
    assert refused == (not _is_valid_json(schema, response.request.body))


def _headers(response: Response) -> dict[str, str]:
    """Return the headers, spelled as in the description."""
    spelled = {name.title(): name for name in ("WWW-Authenticate", "X-Content-Type-Options")}
    titled = {name.title(): value for name, (value, *_) in response.headers.items()}
    return {spelled.get(name, name): value for name, value in titled.items()}


def _is_valid_json(schema: Mapping[str, Any], sent: Any) -> bool:
    try:
        body = json.loads(sent or b"")
    except ValueError:
        return False
    if isinstance(body, dict):  # the API reads more ways of writing a code than the description has
        body = {name: normalised(value) if isinstance(value, str) else value for name, value in body.items()}
    return is_valid(schema, body)
