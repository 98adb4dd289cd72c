"""The cost of a million requests on AWS, from measured calls, bytes and CPU time.

The prices are in ``tools.bench.prices``.
"""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from functions.shared.contract import AUTHORIZER_FUNCTION
from infra.config import ENVIRONMENTS, PROD
from tools.bench import prices
from tools.bench.results import Results

#: Memory that gives one vCPU (AWS Lambda Developer Guide, "Configure Lambda function memory").
MIB_PER_VCPU: Final = 1769
#: Time for a call to KMS or DynamoDB in the same region. Assumed, not measured.
ASSUMED_CALL_MS: Final = 6.0

#: Lambda's own lines of an invocation (START, END, REPORT), as the Lambda developer guide shows them. Assumed.
PLATFORM_LOG_BYTES: Final = 310
#: A line of the access log. Assumed: only API Gateway writes it.
ACCESS_LOG_BYTES: Final = 600

_WRITE_UNIT: Final = 1024
_READ_UNIT: Final = 4096


def duration_ms(cpu_ms: float, calls: int, memory_mib: int) -> int:
    """Return the billed duration of a request: CPU time at the memory's share of a core, plus waiting for AWS."""
    share = min(1.0, memory_mib / MIB_PER_VCPU)
    return math.ceil(cpu_ms / share + calls * ASSUMED_CALL_MS)


def lambda_cost(milliseconds: float, memory_mib: int) -> float:
    """Return the cost of a million invocations of that duration, without the charge per request."""
    return milliseconds / 1000 * memory_mib / 1024 * prices.LAMBDA_GB_SECOND * 1e6


def log_bytes(function: int, authorizer: int) -> int:
    """Return what function and authorizer log in one request, Lambda's own lines included."""
    return function + authorizer + 2 * PLATFORM_LOG_BYTES


def item_bytes(item: Mapping[str, Mapping[str, Any]]) -> int:
    """Return an item's size as DynamoDB counts it: names and values; a number takes about half its digits.

    Source: DynamoDB Developer Guide, "DynamoDB item sizes and formats".
    """
    return sum(len(name) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "N":
        return math.ceil(len(content) / 2) + 1
    if kind == "L":
        return 3 + sum(1 + _value_bytes(element) for element in content)
    return len(content)


def bill(results: Results, name: str) -> dict[str, float]:
    """Return the cost of a million requests of one kind by service, the authorizer's invocations included."""
    cost, authorizer = results.requests[name], results.requests["authorizer"]
    calls = Counter(cost.calls)
    writes = sum(count for call, count in calls.items() if call.startswith("dynamodb:") and call != "dynamodb:GetItem")
    one = {
        "API Gateway": prices.API_REQUEST,
        "Lambda": 2 * prices.LAMBDA_REQUEST,
        "KMS": prices.KMS_CALL * sum(count for call, count in calls.items() if call.startswith("kms:")),
        "DynamoDB": prices.DYNAMODB_WRITE_UNIT * writes * math.ceil(results.item_bytes / _WRITE_UNIT)
        + prices.DYNAMODB_READ_UNIT * calls["dynamodb:GetItem"] * math.ceil(results.item_bytes / _READ_UNIT),
        "Logs": prices.LOGS_GB * log_bytes(cost.log_bytes, authorizer.log_bytes) / 1e9,
    }
    million = {service: 1e6 * dollars for service, dollars in one.items()}
    for each, calls_made, memory in (
        (cost, len(cost.calls), results.memory_mib),
        (authorizer, 0, ENVIRONMENTS[PROD].memory_of(AUTHORIZER_FUNCTION)),
    ):
        million["Lambda"] += lambda_cost(duration_ms(each.warm.median, calls_made, memory), memory)
    return million
