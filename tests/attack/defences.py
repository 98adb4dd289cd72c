"""The defences that matter most: what each prevents, how to remove it, and the tests that fail without it.

A defence is removed at import time in a separate process, at a stable name: the contract's attributes, a library's
function, a public function of ours. `tests.attack.test_defences` removes each and checks that its tests fail.
``python -m tests.attack.defences`` writes the table in ``docs/security.md``.
"""

import contextlib
import hmac
import importlib
import itertools
import operator
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, Final

from functions.shared.contract import SETUP, Attribute
from infra.paths import REPOSITORY
from tests.support.tokens import AUDIENCE, ISSUER
from tools.marked_blocks import with_blocks

type Removal = Callable[[], None]

PAGE: Final = REPOSITORY / "docs" / "security.md"


@dataclass(frozen=True, kw_only=True)
class Defence:
    """One defence, and how to remove it."""

    name: str  # what it does, as a sentence without its full stop
    prevents: str  # the attack
    remove: Removal  # removes it from this process, before a test module is imported
    tests: tuple[str, ...]  # ids of tests that must fail without it


# -- ways to remove a defence; modules are imported only then, so that no other module has the original yet


def _replace(path: str, change: Callable[[Any], Any]) -> None:
    """Replace ``module:name`` or ``module:Class.name`` by what ``change`` makes of it."""
    module, _, names = path.partition(":")
    owner: Any = importlib.import_module(module)
    *outer, name = names.split(".")
    for each in outer:
        owner = getattr(owner, each)
    setattr(owner, name, change(getattr(owner, name)))


def _read_items(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Removal:
    """Return a removal that changes each stored item before the functions see it."""

    def changed(record_from_item: Callable[..., Any]) -> Callable[..., Any]:
        return lambda user_id, item: record_from_item(user_id, change(dict(item)))

    return lambda: _replace("functions.shared.record:record_from_item", changed)


def _forget(*names: Attribute) -> Removal:
    """Return a removal that hides attributes of stored items."""
    return _read_items(lambda item: {name: value for name, value in item.items() if name not in names})


def _write_unconditionally(*operations: str) -> Removal:
    """Return a removal that lets conditional writes to DynamoDB overwrite any existing item."""

    def changed(call: Callable[..., Any]) -> Callable[..., Any]:
        def without_condition(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
            if operation in operations and "ConditionExpression" in parameters:
                condition = f"({parameters['ConditionExpression']}) OR attribute_exists({Attribute.PK})"
                parameters = {**parameters, "ConditionExpression": condition}
            return call(client, operation, parameters)

        return without_condition

    return lambda: _replace("botocore.client:BaseClient._make_api_call", changed)


def _read_claims(change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Removal:
    """Return a removal that changes the claims of each token when they are read."""

    def changed(read: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        def read_changed(*arguments: Any) -> dict[str, Any]:
            claims = read(*arguments)
            return {**claims, **change(claims)}

        return read_changed

    return lambda: _replace("jwt.api_jwt:PyJWT._decode_payload", changed)


def _later(claims: dict[str, Any]) -> dict[str, Any]:
    expiry = claims.get("exp")
    return {"exp": expiry + 30} if isinstance(expiry, int | float) and not isinstance(expiry, bool) else {}


def _cache_decisions() -> None:
    from aws_cdk import Duration
    from aws_cdk.aws_apigateway import IdentitySource

    def changed(init: Callable[..., None]) -> Callable[..., None]:
        def caching(*arguments: Any, **options: Any) -> None:
            options["results_cache_ttl"] = Duration.minutes(5)
            options["identity_sources"] = [IdentitySource.header("Authorization")]
            init(*arguments, **options)

        return caching

    _replace("aws_cdk.aws_apigateway:RequestAuthorizer.__init__", changed)


def _trust_requests() -> None:
    identity = importlib.import_module("functions.shared.identity")

    def changed(identity_from_event: Callable[..., Any]) -> Callable[..., Any]:
        def believing(event: Mapping[str, Any]) -> Any:
            with contextlib.suppress(Exception):
                return identity_from_event(event)
            return identity.Identity("user-1", "user-1")

        return believing

    _replace("functions.shared.identity:identity_from_event", changed)


class _EqualsAnything(dict[str, str]):
    def __eq__(self, _: object) -> bool:
        return True

    def __ne__(self, _: object) -> bool:
        return False

    __hash__ = None


def _ignore_encryption_context() -> None:
    def changed(header: property) -> property:
        def with_any_context(stream: Any) -> Any:
            found = header.__get__(stream)
            found.encryption_context = _EqualsAnything(found.encryption_context)
            return found

        return property(with_any_context)

    _replace("aws_encryption_sdk.streaming_client:StreamDecryptor.header", changed)


def _hash_without_secret() -> None:
    def changed(derive: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *, secret, salt: derive(secret=bytes(len(secret)), salt=salt)

    _replace("functions.shared.backup_codes:BackupCodeKeys.derive", changed)


def _accept_used_backup_codes(item: dict[str, Any]) -> dict[str, Any]:
    both = [each for name in (Attribute.BACKUP_CODES, Attribute.BACKUP_CODES_USED) for each in item[name]["L"]]
    return {**item, Attribute.BACKUP_CODES: {"L": both}}


def _accept_any_code() -> None:
    steps = itertools.count(10**9)  # none of them was used before
    _replace("functions.shared.totp:matching_step", lambda _: lambda *_, **__: next(steps))


def _print_compared_codes() -> None:
    def changed(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
        def printing(one: Any, other: Any) -> bool:
            print(one, other)
            return compare(one, other)

        return printing

    _replace("hmac:compare_digest", changed)


def _compare_early_out() -> None:
    _replace("functions.shared.totp:hmac", lambda _: SimpleNamespace(**{**vars(hmac), "compare_digest": operator.eq}))


def _ignore_aws_failures() -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    _replace("functions.shared.aws:failing_closed", lambda _: lambda _: contextlib.suppress(BotoCoreError, ClientError))


def _fail_for_unknown_keys() -> None:
    errors = importlib.import_module("functions.jwt_authorizer.errors")

    def changed(get: Callable[..., Any]) -> Callable[..., Any]:
        def failing(*arguments: Any, **options: Any) -> Any:
            try:
                return get(*arguments, **options)
            except errors.TokenRejectedError:
                raise errors.SigningKeysUnavailableError from None

        return failing

    _replace("functions.jwt_authorizer.keys:SigningKeys.get", changed)


def _answer_lost_races_at_once() -> None:
    _replace("functions.shared.races:losing_slowly", lambda _: lambda *_, **__: contextlib.nullcontext())


def _let_setup_decrypt() -> None:
    def changed(permissions: Mapping[str, Any]) -> Mapping[str, Any]:
        own = permissions[SETUP.function]
        return {**permissions, SETUP.function: replace(own, secret_key=(*own.secret_key, "kms:Decrypt"))}

    _replace("infra.permissions:PERMISSIONS", changed)


_DENIED: Final = "tests/jwt_authorizer/test_hostile_tokens.py::test_is_denied"
_VERIFY: Final = "tests/verify_mfa/test_verify.py"
_PROOF_ORDER: Final = "tests/shared/test_proof.py::TestOrder"
_RACES: Final = "tests/verify_mfa/test_chosen_request_ids.py"

DEFENCES: Final = (
    Defence(
        name="A token is refused from the second it expires",
        prevents="use of a stolen token after its end",
        remove=_read_claims(_later),
        tests=("tests/jwt_authorizer/test_tokens.py::test_a_token_is_refused_from_the_second_it_expires",),
    ),
    Defence(
        name="A token with an unknown key is refused like any other",
        prevents="paging on-call and rolling releases back without an account",
        remove=_fail_for_unknown_keys,
        tests=(
            "tests/jwt_authorizer/test_keys.py::TestFetching::test_a_flood_of_unknown_keys_makes_one_fetch_an_interval",
        ),
    ),
    Defence(
        name="Only the allowed algorithms verify a token",
        prevents="algorithm confusion, `none`, weaker algorithms",
        remove=lambda: _replace(
            "functions.shared.contract:DEFAULT_JWT_ALGORITHMS", lambda allowed: (*allowed, "PS256")
        ),
        tests=("tests/jwt_authorizer/test_tokens.py::test_a_good_signature_by_another_algorithm_is_refused[PS256]",),
    ),
    Defence(
        name="Only access tokens of the configured issuer for this API are accepted",
        prevents="use of ID tokens, and of tokens for other APIs or from other issuers",
        remove=_read_claims(lambda _: {"iss": ISSUER, "aud": AUDIENCE, "token_use": "access"}),
        tests=(
            f"{_DENIED}[RS256: \"iss 'http://issuer.example/pool'\"]",
            f"{_DENIED}[RS256: \"aud 'other'\"]",
            f"{_DENIED}[RS256: 'Cognito: ID token']",
        ),
    ),
    Defence(
        name="API Gateway asks the authorizer for every request",
        prevents="use of a cached decision after the token's end, or for another route",
        remove=_cache_decisions,
        tests=("tests/infra/test_api.py::test_the_authorizer_runs_for_each_request_even_without_a_token",),
    ),
    Defence(
        name="The user comes only from the authorizer's context",
        prevents="requests that name another user, and invocations that bypass API Gateway",
        remove=_trust_requests,
        tests=("tests/shared/test_identity.py::test_nothing_else_makes_a_user",),
    ),
    Defence(
        name="A sealed secret opens only for its own user",
        prevents="use of a sealed secret that was copied to another user's item",
        remove=_ignore_encryption_context,
        tests=(
            "tests/setup_mfa/test_encryption.py::test_does_not_open_for_another_user",
            f"{_VERIFY}::TestFailures::test_another_users_secret_does_not_open",
        ),
    ),
    Defence(
        name="Hashes of backup codes are keyed with the sealed secret",
        prevents="guessing backup codes from a stolen table",
        remove=_hash_without_secret,
        tests=("tests/shared/test_backup_codes.py::test_every_bit_of_secret_and_salt_matters",),
    ),
    Defence(
        name="Setup never overwrites an enabled second factor",
        prevents="replacing the user's authenticator from a stolen session",
        remove=_write_unconditionally("PutItem"),
        tests=("tests/setup_mfa/test_repository.py::test_whatever_is_not_pending_is_never_overwritten",),
    ),
    Defence(
        name="A right code is required to log in, to turn MFA off and to get new backup codes",
        prevents="passing or removing the second factor with only a stolen session",
        remove=_accept_any_code,
        tests=(
            f"{_VERIFY}::TestLockOut::test_five_are_free_and_the_fifth_locks_for_a_minute",
            "tests/disable_mfa/test_disable.py::test_a_wrong_code_counts_and_the_lock_is_the_same_as_at_login",
            "tests/regenerate_backup_codes/test_regenerate.py::test_a_wrong_code_changes_nothing_but_the_count",
        ),
    ),
    Defence(
        name="Each TOTP code is accepted once",
        prevents="replay of a code that was seen or relayed",
        remove=_forget(Attribute.LAST_USED_STEP),
        tests=(
            f"{_VERIFY}::TestTotp::test_a_right_code_is_accepted_once",
            f"{_VERIFY}::TestTotp::test_the_code_used_to_enrol_does_not_log_in",
            "tests/disable_mfa/test_disable.py::test_a_used_code_does_not_turn_it_off",
        ),
    ),
    Defence(
        name="Each backup code is accepted once",
        prevents="a second login with a backup code that was found",
        remove=_read_items(_accept_used_backup_codes),
        tests=(f"{_VERIFY}::TestBackupCode::test_each_is_good_for_one_login",),
    ),
    Defence(
        name="A write succeeds only if the record has not changed since it was read",
        prevents="many parallel guesses that count as one, and one code for two logins",
        remove=_write_unconditionally("UpdateItem", "DeleteItem"),
        tests=(
            f"{_RACES}::test_one_code_and_one_request_id_log_in_once",
            f"{_RACES}::test_guesses_with_one_request_id_are_one_guess",
        ),
    ),
    Defence(
        name="A request that loses a race is answered at a fixed time, whether or not its code is right",
        prevents="learning which of parallel guesses was right",
        remove=_answer_lost_races_at_once,
        tests=(
            "tests/shared/test_second_factor.py::test_a_request_that_loses_a_race_waits_until_its_work_no_longer_shows",
            f"{_PROOF_ORDER}::test_a_failed_signature_does_not_show_which_of_parallel_guesses_was_right",
        ),
    ),
    Defence(
        name="Wrong codes are counted and lock the factor",
        prevents="unlimited guessing",
        remove=_forget(Attribute.FAILED_ATTEMPTS, Attribute.BACKUP_FAILED_ATTEMPTS),
        tests=(
            f"{_VERIFY}::TestLockOut::test_five_are_free_and_the_fifth_locks_for_a_minute",
            f"{_VERIFY}::TestLockOut::test_a_new_login_session_does_not_reset_it",
        ),
    ),
    Defence(
        name="Codes are compared in constant time",
        prevents="learning a code digit by digit from response times",
        remove=_compare_early_out,
        tests=("tests/shared/test_constant_time.py::test_every_comparison_of_a_code_is_in_constant_time",),
    ),
    Defence(
        name="A failed AWS call is a 503 and changes nothing",
        prevents="accepting codes unchecked or losing counts during an outage",
        remove=_ignore_aws_failures,
        tests=(f"{_VERIFY}::TestFailures::test_a_failing_call_changes_nothing_and_counts_no_attempt",),
    ),
    Defence(
        name="Secrets, codes and tokens are never logged",
        prevents="reading codes from the logs",
        remove=_print_compared_codes,
        tests=(f"{_VERIFY}::TestTotp::test_a_right_code_is_accepted_once",),
    ),
    Defence(
        name="The function that seals secrets cannot open them",
        prevents="reading secrets with a compromised setup function",
        remove=_let_setup_decrypt,
        tests=("tests/infra/test_permissions.py::test_setup_cannot_decrypt_secrets",),
    ),
)


def text(page: str) -> str:
    """Return ``docs/security.md`` with the present table."""
    rows = ("| Defence, and what it prevents | Tests that fail without it |", "|---|---|", *map(_row, DEFENCES))
    return with_blocks(page, "defences", {"table": "\n".join(rows)})


def _row(defence: Defence) -> str:
    links = dict.fromkeys(map(_link, defence.tests))
    return f"| **{defence.name}.** Prevents {defence.prevents}. | {', '.join(links)} |"


def _link(test: str) -> str:
    file, *_, name = test.partition("[")[0].split("::")
    return f"[`{name}`](../{file})"


def main() -> int:
    """Write the table."""
    PAGE.write_text(text(PAGE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
