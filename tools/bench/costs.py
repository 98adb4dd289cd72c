"""The cost of a million requests on AWS, from measured calls, bytes and CPU time.

List prices of us-east-1 in US dollars, November 2026, without free tiers.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

#: Memory that gives one vCPU (AWS Lambda Developer Guide, "Configure Lambda function memory").
MIB_PER_VCPU: Final = 1769
#: Time for a call to KMS or DynamoDB in the same region. Assumed, not measured.
ASSUMED_CALL_MS: Final = 6.0

PER_MILLION: Final = {
    "API Gateway (REST)": 3.50,
    "Lambda requests": 0.20,
    "KMS": 3.00,
    "DynamoDB write unit": 0.625,
    "DynamoDB read unit": 0.125,
}
LAMBDA_GB_SECOND_ARM: Final = 0.0000133334
LOGS_PER_GB: Final = 0.50
#: A log line, a line of metrics and Lambda's own three lines, per invocation.
ASSUMED_LOG_BYTES: Final = 1400

_WRITE_UNIT: Final = 1024
_READ_UNIT: Final = 4096


def duration_ms(cpu_ms: float, calls: int, memory_mib: int) -> int:
    """Return the billed duration of a request: CPU time at the memory's share of a core, plus waiting for AWS."""
    share = min(1.0, memory_mib / MIB_PER_VCPU)
    return math.ceil(cpu_ms / share + calls * ASSUMED_CALL_MS)


def lambda_cost(milliseconds: float, memory_mib: int) -> float:
    """Return the cost of a million invocations of that duration, without the charge per request."""
    return milliseconds / 1000 * memory_mib / 1024 * LAMBDA_GB_SECOND_ARM * 1e6


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


def bill(
    made: Sequence[str], *, cpu_ms: float, authorizer_cpu_ms: float, item: int, memory_mib: int
) -> dict[str, float]:
    """Return the cost of a million requests by service, the authorizer's invocations included.

    Parameters
    ----------
    made : sequence of str
        AWS calls of one request, such as ``kms:Decrypt``.
    cpu_ms, authorizer_cpu_ms : float
        CPU time of one warm request.
    item : int
        Size of the user's item in bytes.
    """
    calls = Counter(made)
    writes = sum(count for call, count in calls.items() if call.startswith("dynamodb:") and call != "dynamodb:GetItem")
    return {
        "API Gateway": PER_MILLION["API Gateway (REST)"],
        "Lambda": 2 * PER_MILLION["Lambda requests"]
        + lambda_cost(duration_ms(cpu_ms, len(made), memory_mib), memory_mib)
        + lambda_cost(duration_ms(authorizer_cpu_ms, 0, memory_mib), memory_mib),
        "KMS": PER_MILLION["KMS"] * sum(count for call, count in calls.items() if call.startswith("kms:")),
        "DynamoDB": PER_MILLION["DynamoDB write unit"] * writes * math.ceil(item / _WRITE_UNIT)
        + PER_MILLION["DynamoDB read unit"] * calls["dynamodb:GetItem"] * math.ceil(item / _READ_UNIT),
        "Logs": LOGS_PER_GB * 2 * ASSUMED_LOG_BYTES * 1e6 / 1e9,
    }
