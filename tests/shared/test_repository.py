"""Compare-and-swap: the same tests for DynamoDB and for the repository in memory, then what only DynamoDB can show."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from functions.shared.contract import Factor
from functions.shared.errors import ConflictError, ServiceUnavailableError
from functions.shared.lockout import Failures
from functions.shared.record import MfaRecord, RecordDamagedError
from functions.shared.repository import DynamoDbMfaRepository, MfaRepository
from tests.support.aws_calls import raising, refused
from tests.support.embedded_aws import TABLE_NAME, EmbeddedAws
from tests.support.records import NOW, MemoryRepository, attributes, pending, record

type Store = Callable[[MfaRecord], None]

FAILED_ONCE = Failures(1, NOW)


@pytest.fixture
def dynamodb(aws: EmbeddedAws) -> DynamoDbMfaRepository:
    return DynamoDbMfaRepository(TABLE_NAME)


@pytest.fixture
def store(aws: EmbeddedAws) -> Store:
    """Return a function that puts a record into the table."""
    return lambda stored: aws.set(
        stored.user_id, pk={"S": f"USER#{stored.user_id}"}, sk={"S": "MFA#SECRET"}, **attributes(stored)
    )


def after_failure(old: MfaRecord) -> MfaRecord:
    return old.with_failures(Factor.TOTP, FAILED_ONCE)


@pytest.mark.parametrize("kind", ["in memory", "DynamoDB"])
class TestAnyRepository:
    @pytest.fixture
    def repository(self, kind: str, dynamodb: DynamoDbMfaRepository) -> MfaRepository:
        return dynamodb if kind == "DynamoDB" else MemoryRepository()

    @pytest.fixture
    def store(self, repository: MfaRepository, store: Store) -> Store:
        return repository.store if isinstance(repository, MemoryRepository) else store

    def test_a_stored_record_is_found_and_no_other_users(self, repository: MfaRepository, store: Store) -> None:
        store(record())
        assert repository.get("user-1") == record()
        assert repository.get("user-10") is None

    def test_a_swap_stores_the_new_record_under_a_new_version(self, repository: MfaRepository, store: Store) -> None:
        store(record())
        swapped = repository.swap(record(), after_failure(record()), request_id="r", now=NOW)
        assert repository.get("user-1") == swapped
        assert swapped == replace(after_failure(record()), version=swapped.version, updated_at=NOW)
        assert swapped.version != record().version

    @pytest.mark.parametrize("version", [999, None])
    def test_a_swap_of_another_version_is_a_conflict_and_writes_nothing(
        self, repository: MfaRepository, store: Store, version: int | None
    ) -> None:
        store(record())
        old = record(version=version)
        with pytest.raises(ConflictError):
            repository.swap(old, after_failure(old), request_id="r", now=NOW)
        assert repository.get("user-1") == record()

    def test_a_record_can_be_swapped_once(self, repository: MfaRepository, store: Store) -> None:
        store(record())
        repository.swap(record(), after_failure(record()), request_id="r", now=NOW)
        with pytest.raises(ConflictError):
            repository.swap(record(), after_failure(record()), request_id="r", now=NOW)

    def test_a_swap_of_a_deleted_record_does_not_bring_it_back(self, repository: MfaRepository) -> None:
        for old in (record(), record(version=None)):
            with pytest.raises(ConflictError):
                repository.swap(old, after_failure(old), request_id="r", now=NOW)
        assert repository.get("user-1") is None

    def test_a_record_without_a_version_can_be_swapped_and_removed(
        self, repository: MfaRepository, store: Store
    ) -> None:
        old = record(version=None)
        store(old)
        swapped = repository.swap(old, after_failure(old), request_id="r", now=NOW)
        assert swapped.version is not None
        repository.remove(swapped)
        store(old)
        repository.remove(old)
        assert repository.get("user-1") is None

    @pytest.mark.parametrize(("seconds", "possible"), [(599, True), (600, False), (601, False)])
    def test_a_pending_enrolment_can_be_swapped_until_it_expires(
        self, repository: MfaRepository, store: Store, seconds: int, possible: bool
    ) -> None:
        store(pending())
        try:
            repository.swap(pending(), after_failure(pending()), request_id="r", now=NOW + seconds)
        except ConflictError:
            assert not possible
            assert repository.get("user-1") == pending()
        else:
            assert possible

    def test_removing_another_version_is_a_conflict_and_removes_nothing(
        self, repository: MfaRepository, store: Store
    ) -> None:
        store(record())
        for version in (999, None):
            with pytest.raises(ConflictError):
                repository.remove(record(version=version))
        assert repository.get("user-1") == record()

    def test_a_record_can_be_removed_once(self, repository: MfaRepository, store: Store) -> None:
        store(record())
        repository.remove(record())
        assert repository.get("user-1") is None
        with pytest.raises(ConflictError):
            repository.remove(record())


class TestWrites:
    def test_a_swap_changes_only_what_differs_and_notes_request_and_time(
        self, aws: EmbeddedAws, dynamodb: DynamoDbMfaRepository, store: Store
    ) -> None:
        store(record(failed_attempts=3, last_failed_at=NOW - 5))
        aws.set("user-1", created_at={"S": "2027-01-15T07:00:00Z"}, unknown={"S": "kept"})
        before = aws.item("user-1")
        old = dynamodb.get("user-1")
        assert old is not None
        dynamodb.swap(old, old.with_failures(Factor.TOTP, Failures()), request_id="request-7", now=NOW + 0.9)
        after = aws.item("user-1")
        assert {name: after.get(name) for name in before.keys() | after if before.get(name) != after.get(name)} == {
            "failed_attempts": {"N": "0"},
            "last_failed_at": None,
            "last_request_id": {"S": "request-7"},
            "updated_at": {"S": "2027-01-15T08:00:15Z"},
            "version": after["version"],
        }


class TestLostResponses:
    """The client retries a write whose response it did not get: the second attempt meets the first one's result."""

    def test_a_repeated_swap_recognises_its_own_write(
        self, aws: EmbeddedAws, dynamodb: DynamoDbMfaRepository, store: Store
    ) -> None:
        store(record())
        with aws.calls.repeating("dynamodb:UpdateItem"):
            swapped = dynamodb.swap(record(), after_failure(record()), request_id="r", now=NOW)
        assert dynamodb.get("user-1") == swapped

    def test_a_repeated_swap_does_not_take_anothers_write_for_its_own(
        self, aws: EmbeddedAws, dynamodb: DynamoDbMfaRepository, store: Store
    ) -> None:
        """Even with the same content and the same request id, which callers can choose."""
        store(record())

        def other() -> None:
            dynamodb.swap(record(), after_failure(record()), request_id="r", now=NOW)

        with aws.calls.before("dynamodb:UpdateItem", other), pytest.raises(ConflictError):
            dynamodb.swap(record(), after_failure(record()), request_id="r", now=NOW)

    def test_a_removal_whose_response_is_lost_succeeds(self, aws: EmbeddedAws, store: Store) -> None:
        store(record())
        retries = iter([0])  # the seconds until the client retries: once, as if the response had not arrived
        aws.dynamodb.meta.events.register("needs-retry.dynamodb.DeleteItem", lambda **_: next(retries, None))
        DynamoDbMfaRepository(TABLE_NAME, aws.dynamodb).remove(record())
        assert list(retries) == []
        assert aws.item("user-1") == {}

    def test_a_removal_that_another_request_made_is_a_conflict(
        self, aws: EmbeddedAws, dynamodb: DynamoDbMfaRepository, store: Store
    ) -> None:
        store(record())
        with aws.calls.repeating("dynamodb:DeleteItem"), pytest.raises(ConflictError):
            dynamodb.remove(record())

    def test_a_retry_does_not_take_another_record_for_its_own_removal(
        self, aws: EmbeddedAws, dynamodb: DynamoDbMfaRepository
    ) -> None:
        refusal = {
            "Error": {"Code": "ConditionalCheckFailedException"},
            "Item": {"version": {"N": "1"}},
            "ResponseMetadata": {"HTTPStatusCode": 400, "RetryAttempts": 1},
        }
        response: Any = (SimpleNamespace(status_code=400, headers={}), refusal)
        with aws.calls.recorded({"dynamodb:DeleteItem": lambda: response}), pytest.raises(ConflictError):
            dynamodb.remove(record())


class TestFailures:
    CALLS = pytest.mark.parametrize(
        ("operation", "call"),
        [
            ("dynamodb:GetItem", lambda repository: repository.get("user-1")),
            (
                "dynamodb:UpdateItem",
                lambda repository: repository.swap(record(), record(iv="a"), request_id="r", now=0),
            ),
            ("dynamodb:DeleteItem", lambda repository: repository.remove(record())),
        ],
        ids=["get", "swap", "remove"],
    )

    @CALLS
    @pytest.mark.parametrize(
        ("failure", "reason"),
        [
            (refused("ThrottlingException"), "ThrottlingException"),
            (refused("AccessDeniedException"), "AccessDeniedException"),
            (refused("InternalServerError", 500), "InternalServerError"),
            (raising(ReadTimeoutError(endpoint_url="https://dynamodb")), "ReadTimeoutError"),
        ],
        ids=["throttled", "denied", "internal", "timeout"],
    )
    def test_of_dynamodb_are_known_by_call_and_reason(
        self,
        aws: EmbeddedAws,
        dynamodb: DynamoDbMfaRepository,
        operation: str,
        call: Callable[[MfaRepository], object],
        failure: Any,
        reason: str,
    ) -> None:
        with aws.calls.recorded({operation: failure}), pytest.raises(ServiceUnavailableError) as caught:
            call(dynamodb)
        assert (caught.value.operation, caught.value.reason) == (operation, reason)

    @CALLS
    def test_of_our_own_making_are_no_503(
        self,
        aws: EmbeddedAws,
        dynamodb: DynamoDbMfaRepository,
        operation: str,
        call: Callable[[MfaRepository], object],
    ) -> None:
        with aws.calls.recorded({operation: refused("ValidationException")}), pytest.raises(ClientError):
            call(dynamodb)

    def test_a_damaged_item_is_not_taken_for_none(
        self, aws: EmbeddedAws, dynamodb: DynamoDbMfaRepository, store: Store
    ) -> None:
        store(record())
        aws.set("user-1", version={"S": "one"})
        with pytest.raises(RecordDamagedError):
            dynamodb.get("user-1")


def test_reads_are_strongly_consistent(aws: EmbeddedAws) -> None:
    sent: list[bool] = []
    aws.dynamodb.meta.events.register(
        "provide-client-params.dynamodb.GetItem", lambda params, **_: sent.append(params["ConsistentRead"])
    )
    DynamoDbMfaRepository(TABLE_NAME, aws.dynamodb).get("user-1")
    assert sent == [True]
