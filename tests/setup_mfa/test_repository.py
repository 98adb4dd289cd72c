"""The one conditional write of an enrolment."""

import base64

import pytest

from functions.setup_mfa.encryption import SealedSecret
from functions.setup_mfa.repository import DynamoDbEnrolmentRepository, PendingEnrolment
from functions.shared.contract import Attribute
from functions.shared.errors import MfaAlreadyEnabledError, ServiceUnavailableError
from functions.shared.record import record_from_item
from tests.support.aws_calls import refused
from tests.support.embedded_aws import TABLE_NAME, EmbeddedAws

HASHES = [f"{number:064x}" for number in range(8)]
SALT = bytes(range(16))


def enrolment(
    user_id: str = "user-1", message: str = "bWVzc2FnZQ==", created_at: float = 1_800_000_000.9
) -> PendingEnrolment:
    return PendingEnrolment(
        user_id=user_id,
        sealed=SealedSecret(message=message, iv="AAAAAAAAAAAAAAAB"),
        backup_code_hashes=HASHES,
        backup_codes_salt=SALT,
        created_at=created_at,
    )


@pytest.fixture
def repository(aws: EmbeddedAws) -> DynamoDbEnrolmentRepository:
    return DynamoDbEnrolmentRepository(TABLE_NAME)


def test_the_item_is_the_contracts_to_the_letter(aws: EmbeddedAws, repository: DynamoDbEnrolmentRepository) -> None:
    repository.put_pending(enrolment())
    item = aws.item("user-1")
    assert 0 <= int(item.pop("version")["N"]) < 2**48
    assert item == {
        "pk": {"S": "USER#user-1"},
        "sk": {"S": "MFA#SECRET"},
        "entity_type": {"S": "MFA_SECRET"},
        "status": {"S": "PENDING"},
        "encrypted_secret": {"S": "bWVzc2FnZQ=="},
        "iv": {"S": "AAAAAAAAAAAAAAAB"},
        "backup_codes": {"L": [{"S": value} for value in HASHES]},
        "backup_codes_used": {"L": []},
        "backup_codes_salt": {"S": base64.b64encode(SALT).decode()},
        "created_at": {"S": "2027-01-15T08:00:00Z"},
        "updated_at": {"S": "2027-01-15T08:00:00Z"},
        "expires_at": {"N": "1800000600"},
    }
    assert item.keys() <= set(Attribute)


def test_the_other_functions_read_the_item_as_pending(
    aws: EmbeddedAws, repository: DynamoDbEnrolmentRepository
) -> None:
    repository.put_pending(enrolment())
    record = record_from_item("user-1", aws.item("user-1"))
    assert record.pending_at(1_800_000_599.9)
    assert not record.pending_at(1_800_000_600)
    assert (record.backup_codes, record.backup_codes_salt) == (tuple(HASHES), SALT)


def test_a_pending_enrolment_is_replaced_with_everything_that_belonged_to_it(
    aws: EmbeddedAws, repository: DynamoDbEnrolmentRepository
) -> None:
    repository.put_pending(enrolment())
    aws.set(
        "user-1", failed_attempts={"N": "9"}, last_failed_at={"S": "2027-01-15T08:00:01Z"}, last_used_step={"N": "1"}
    )
    repository.put_pending(enrolment(message="bmV3"))
    item = aws.item("user-1")
    assert item["encrypted_secret"] == {"S": "bmV3"}
    assert not item.keys() & {"failed_attempts", "last_failed_at", "last_used_step"}


@pytest.mark.parametrize(
    "status",
    [{"S": "ENABLED"}, None, {"S": "UNKNOWN"}, {"S": "pending"}, {"S": ""}, {"NULL": True}, {"L": [{"S": "PENDING"}]}],
    ids=str,
)
def test_whatever_is_not_pending_is_never_overwritten(
    aws: EmbeddedAws, repository: DynamoDbEnrolmentRepository, status: dict[str, object] | None
) -> None:
    repository.put_pending(enrolment())
    aws.set("user-1", status=status)
    before = aws.item("user-1")
    with pytest.raises(MfaAlreadyEnabledError):
        repository.put_pending(enrolment(message="bmV3"))
    assert aws.item("user-1") == before


def test_an_enabled_item_with_an_old_expiry_is_still_enabled(
    aws: EmbeddedAws, repository: DynamoDbEnrolmentRepository
) -> None:
    repository.put_pending(enrolment(created_at=0))
    aws.set("user-1", status={"S": "ENABLED"})
    with pytest.raises(MfaAlreadyEnabledError):
        repository.put_pending(enrolment())


def test_users_do_not_touch_each_other(aws: EmbeddedAws, repository: DynamoDbEnrolmentRepository) -> None:
    repository.put_pending(enrolment("user-1"))
    aws.set("user-1", status={"S": "ENABLED"})
    repository.put_pending(enrolment("user-10"))
    repository.put_pending(enrolment("USER-1"))
    assert aws.item("user-10")
    assert aws.item("USER-1")


def test_two_enrolments_never_share_a_version(aws: EmbeddedAws, repository: DynamoDbEnrolmentRepository) -> None:
    versions = set()
    for _ in range(50):
        repository.put_pending(enrolment())
        versions.add(aws.item("user-1")["version"]["N"])
    assert len(versions) == 50


@pytest.mark.parametrize("code", ["ValidationException", "SerializationException"])
def test_a_malformed_request_is_a_defect_of_ours_and_no_503(
    aws: EmbeddedAws, repository: DynamoDbEnrolmentRepository, code: str
) -> None:
    with aws.calls.recorded({"dynamodb:PutItem": refused(code)}), pytest.raises(Exception, match=code) as caught:
        repository.put_pending(enrolment())
    assert not isinstance(caught.value, ServiceUnavailableError)
