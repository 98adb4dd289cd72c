"""Event source mappings of DynamoDB streams: failing batches."""

import itertools
import json
import logging
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import request_scope
from ministack.services import dynamodb, eventbridge, lambda_svc

_logger: Final = logging.getLogger("lambda")
_Record = dict[str, Any]


@dataclass
class _Batch:
    records: list[_Record]
    failures: int = 0


@dataclass
class _Progress:
    """The records that a mapping has read and not yet processed, oldest first."""

    pending: deque[_Batch] = field(default_factory=deque)
    not_before: float = 0.0


_progress: Final[dict[str, _Progress]] = {}


def failing_batches() -> None:
    """Retry a failing batch, split it, and finally send it to the failure destination, as configured.

    MiniStack retries a failing batch forever, so that one bad record blocks the table's stream. This supports
    ``MaximumRetryAttempts``, ``MaximumRecordAgeInSeconds``, ``BisectBatchOnFunctionError``,
    ``ReportBatchItemFailures``, the failure destination, the function's alias and the filter.
    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
    """
    lambda_svc._poll_dynamodb_streams = _poll


def _poll() -> bool:
    """Invoke the function of each mapping once; return whether there were records."""
    polled = [_poll_mapping(account, region, esm) for account, region, esm in lambda_svc._iter_all_esms()]
    return any(polled)


def _poll_mapping(account: str, region: str, esm: dict[str, Any]) -> bool:
    with suppress(ArnParseError), request_scope(account, region):
        source = parse_arn(esm.get("EventSourceArn", ""))
        if source.service == "dynamodb" and (source.account_id, source.region) == (account, region):
            return esm.get("Enabled", True) and _advance(esm, source)
    return False


def _advance(esm: dict[str, Any], source: Any) -> bool:
    table, _ = lambda_svc._dynamodb_stream_table_from_arn_spec(source) or (None, None)
    function, config = lambda_svc._get_func_record_for_qualifier(esm["FunctionName"], esm.get("Qualifier"))
    if table is None or function is None:
        return False
    progress = _progress.setdefault(esm["UUID"], _Progress())
    if time.monotonic() < progress.not_before:
        return False
    if not progress.pending and not _read(esm, table, progress):
        return False
    if progress.pending:
        batch = progress.pending.popleft()
        result = lambda_svc._execute_function(
            lambda_svc._execution_record_for_config(function, config), {"Records": batch.records}
        )
        retried = _failed_records(esm, batch.records, result)
        if retried:
            _after_failure(esm, function, _Batch(retried, batch.failures + 1), result, progress)
        esm["LastProcessingResult"] = "PROBLEM: Function call failed" if retried else "OK"
    return True


def _read(esm: dict[str, Any], table: str, progress: _Progress) -> bool:
    """Read the next records of the stream; return False if there are none."""
    identifier = esm["UUID"]
    lambda_svc._init_stream_position(identifier, esm["EventSourceArn"], esm.get("StartingPosition", "LATEST"))
    with lambda_svc._dynamodb_stream_positions_lock:
        position = max(lambda_svc._dynamodb_stream_positions[identifier], dynamodb.stream_start_position(table))
        records = dynamodb.stream_records_since(table, position, int(esm.get("BatchSize", 100)))
        lambda_svc._dynamodb_stream_positions[identifier] = position + len(records)
    wanted = [record for record in records if _wanted(record, esm)]
    if wanted:
        progress.pending.append(_Batch(wanted))
    return bool(records)


def _wanted(record: _Record, esm: dict[str, Any]) -> bool:
    """Return whether a record matches the filter: an EventBridge pattern, few of which MiniStack's matcher supports."""
    patterns = [each["Pattern"] for each in (esm.get("FilterCriteria") or {}).get("Filters") or []]
    return not patterns or any(
        eventbridge._matches_detail(record, alternative)
        for pattern in patterns
        for alternative in eventbridge._compiled_pattern(pattern) or []
    )


def _failed_records(esm: dict[str, Any], records: list[_Record], result: dict[str, Any]) -> list[_Record]:
    """Return the records to retry: all, or those from the first that the function reported."""
    if result.get("error"):
        return records
    if "ReportBatchItemFailures" not in (esm.get("FunctionResponseTypes") or []):
        return []
    body = result.get("body")
    reported = {each.get("itemIdentifier") for each in (body or {}).get("batchItemFailures") or []}
    if not reported:
        return []
    return list(itertools.dropwhile(lambda record: record["dynamodb"]["SequenceNumber"] not in reported, records))


def _after_failure(
    esm: dict[str, Any], function: dict[str, Any], batch: _Batch, result: dict[str, Any], progress: _Progress
) -> None:
    attempts = int(esm["MaximumRetryAttempts"]) if esm.get("MaximumRetryAttempts") is not None else -1
    max_age = int(esm.get("MaximumRecordAgeInSeconds") or -1)
    if 0 < max_age < time.time() - float(batch.records[0]["dynamodb"]["ApproximateCreationDateTime"]):
        _give_up(esm, function, batch.records, result, "MaxRecordAgeExceeded")
    elif esm.get("BisectBatchOnFunctionError") and len(batch.records) > 1:
        # A split does not count as an attempt.
        middle = len(batch.records) // 2
        halves = (batch.records[:middle], batch.records[middle:])
        progress.pending.extendleft(_Batch(half, batch.failures - 1) for half in reversed(halves))
    elif 0 <= attempts < batch.failures:
        _give_up(esm, function, batch.records, result, "RetryAttemptsExhausted")
    else:
        progress.pending.appendleft(batch)
        progress.not_before = time.monotonic() + lambda_svc._ESM_BACKOFF_SECONDS


def _give_up(
    esm: dict[str, Any], function: dict[str, Any], records: Sequence[_Record], result: dict[str, Any], reason: str
) -> None:
    _logger.warning("%s: gave up %d records of %s", reason, len(records), json.dumps(esm["EventSourceArn"]))
    lambda_svc._send_ddb_stream_failure_record(esm, function, records, esm["EventSourceArn"], result, reason)


GAPS: Final = (failing_batches,)
