"""Generated requests to the deployed API, in every state of a second factor, judged by ``docs/openapi.json``.

Schemathesis generates the requests from the description and judges the answers by it. What it cannot know is added
here: the states that a user can be in, right codes, and which bodies are refused as such.
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
from tests.e2e.http_user import HttpUser
from tests.e2e.stack import TIMEOUT_SECONDS, Aws
from tests.support.api_description import FILE, assert_described, is_valid, operation
from tests.support.leaks import OVER_HTTP

type Item = dict[str, Any]
type AnyCase = Case[Any]

#: The statuses that a user's states and requests lead to, by route; what else is described comes of failures, of a
#: required scope or of the gateway's limits.
REACHABLE: Final[Mapping[Endpoint, set[int]]] = {
    SETUP: {200, 401, 409},
    VERIFY_SETUP: {200, 400, 401, 404, 409, 410},
    VERIFY: {200, 400, 401, 409, 429},
    STATUS: {200, 401},
    BACKUP_CODES: {200, 400, 401, 409, 429},
    DISABLE: {200, 400, 401, 409, 429},
}


class State(StrEnum):
    """Where a user stands when a request comes."""

    NOTHING = "nothing"
    PENDING = "pending"
    EXPIRED = "expired"
    ENABLED = "enabled"
    FEW_BACKUP_CODES = "few backup codes"
    LOCKED = "locked"
    LOCKED_FOR_GOOD = "locked for good"


class Offer(StrEnum):
    """What a request has in place of a generated code."""

    AS_GENERATED = "as generated"
    RIGHT_CODE = "right code"


@cache
def described_api() -> Any:
    """Return Schemathesis's view of the description."""
    statuses = {
        # A code can be of the right form and wrong all the same.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401", "404", "409", "410", "429"]},
        # Most of the gateway's own refusals are decided before anything of the request is read.
        "negative_data_rejection": {"expected-statuses": ["400", "401", "404", "409", "410", "429"]},
    }
    # Nothing that is sent may be answered 5xx, whatever the description allows.
    config = schemathesis.Config.from_dict({"checks": statuses, "generation": {"mode": "all"}})
    return schemathesis.openapi.from_path(FILE, config=config)


def described_operation(route: Endpoint) -> APIOperation[Any, Any, Any, Any]:
    """Return Schemathesis's view of a route."""
    found: APIOperation[Any, Any, Any, Any] = described_api()[route.path][route.method]
    return found


def edge_cases(route: Endpoint) -> Iterator[AnyCase]:
    """Yield the cases that follow from the description alone, always the same ones."""
    api = described_api()
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    yield from api.iter_coverage_cases(
        described_operation(route), generation_modes=modes, generation_config=api.config.generation
    )


def offers(case: AnyCase) -> Iterable[Offer]:
    """Return what is worth trying with a case: where nothing is wrong with it, a right code too."""
    return Offer if is_positive(case) and case.body else [Offer.AS_GENERATED]


def is_positive(case: AnyCase) -> bool:
    """Tell whether a case is as the description wants it."""
    return case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE


def any_case(route: Endpoint) -> SearchStrategy[AnyCase]:
    """Return a strategy that draws cases as described, and cases that break the description somewhere."""
    described = described_operation(route)
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    return st.one_of(*(described.as_strategy(generation_mode=mode) for mode in modes))


@dataclass
class Subject:
    """A user of the deployed API who can be put into any state at once, and what became of the requests.

    Parameters
    ----------
    user
        Will be enrolled.
    aws, table_name
        Where the user's item is.
    url
        The API's.
    """

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
        """Send a case in a state, check the answer by everything that is known of it, and return its status."""
        self.put(state)
        # API Gateway knows no 405: a method that is not there is not found.
        excluded = [unsupported_method]
        generated = case.body
        if offer is Offer.RIGHT_CODE:
            case.body = self._with_right_code(generated)
            # What was wrong with the generated body may be gone now, and Schemathesis judges by what it generated.
            excluded.append(negative_data_rejection)
        # A case without the header is about its absence; in any other the user's token replaces a made-up one.
        headers = {"Authorization": f"Bearer {self.user.token}"} if "Authorization" in (case.headers or {}) else None
        try:
            answer = case.call_and_validate(
                self.url,
                session=self._session,
                headers=headers,
                additional_checks=[_is_refused_exactly_for_what_it_is],
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
        """Return the statuses that a route has answered."""
        return {status for seen, status in self.seen if seen == route}


def _locked(failures: int, now: int) -> Item:
    count, at = {"N": str(failures)}, {"S": iso_timestamp(now)}
    return {
        Attribute.FAILED_ATTEMPTS: count,
        Attribute.LAST_FAILED_AT: at,
        Attribute.BACKUP_FAILED_ATTEMPTS: count,
        Attribute.BACKUP_LAST_FAILED_AT: at,
    }


def _is_refused_exactly_for_what_it_is(_: CheckContext, response: Response, case: AnyCase) -> None:
    """Fail where an answer is none of the route's, or blames a valid body, or takes a body that is not valid."""
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
    """Return the headers, spelled as the description spells them."""
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
