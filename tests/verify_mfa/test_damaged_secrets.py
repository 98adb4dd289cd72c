"""A changed bit of a stored secret: every route that decrypts it fails cleanly, accepts no code and writes nothing.

``tests/setup_mfa/test_encryption.py`` changes every byte.
"""

import base64
import itertools
from collections.abc import Callable, Iterable, Iterator

from tests.support.embedded_aws import TABLE_NAME, EmbeddedAws
from tests.support.life_cycle import Answer, User

type Request = Callable[[User], Answer]

#: Each with a right code.
REQUESTS: tuple[Request, ...] = (
    lambda user: user.verify(),
    lambda user: user.verify_backup(user.backup_codes[0]),
    lambda user: user.regenerate(),
    lambda user: user.disable(),
    lambda user: user.disable(backupCode=user.backup_codes[0]),
)


def damaged(secret: str) -> Iterator[str]:
    """Yield the sealed secret with one bit changed, in bytes of each of its parts."""
    message = base64.b64decode(secret)
    for position in range(0, len(message), 9):
        changed = bytearray(message)
        changed[position] ^= 1 << position % 8
        yield base64.b64encode(changed).decode()


def assert_all_fail_cleanly(aws: EmbeddedAws, user: User, requests: Iterable[Request]) -> None:
    item = aws.item(user.user_id)
    genuine = item["encrypted_secret"]
    for secret, request in zip(damaged(genuine["S"]), requests, strict=False):
        aws.dynamodb.update_item(
            TableName=TABLE_NAME,
            Key={"pk": item["pk"], "sk": item["sk"]},
            UpdateExpression="SET encrypted_secret = :secret",
            ExpressionAttributeValues={":secret": {"S": secret}},
        )
        answer = request(user)
        assert (answer.status, answer.error) in {(500, "INTERNAL_ERROR"), (503, "SERVICE_UNAVAILABLE")}
    aws.set(user.user_id, encrypted_secret=genuine)
    assert aws.item(user.user_id) == item


def test_a_changed_bit_is_a_clean_failure(aws: EmbeddedAws, enrolled: User) -> None:
    assert_all_fail_cleanly(aws, enrolled, itertools.cycle(REQUESTS))
    assert enrolled.verify().status == 200


def test_a_pending_enrolment_with_a_changed_secret_is_not_confirmed(aws: EmbeddedAws, user: User) -> None:
    user.setup()
    assert_all_fail_cleanly(aws, user, itertools.repeat(lambda user: user.verify_setup()))
    assert user.verify_setup().status == 200
