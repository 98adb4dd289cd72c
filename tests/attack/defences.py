"""The defences that removing would be noticed: what each stops, where it is, what takes it away, and who notices.

`tests.attack.test_defences` takes each away in a copy of the project and sees the named tests fail;
``docs/security.md`` shows the list.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Defence:
    """One defence, and how to remove it.

    Attributes
    ----------
    name : str
        What it does, as a statement.
    stops : str
        The attack that it stops.
    file : str
        The file that holds it, from the root of the project.
    text : str
        A part of the file, there exactly once.
    instead : str
        What an attacker, or a careless hand, would have there.
    noticed_by : tuple of str
        Tests that must fail without the defence, by their ids.
    """

    name: str
    stops: str
    file: str
    text: str
    instead: str
    noticed_by: tuple[str, ...]


_HOSTILE_TOKENS: Final = "tests/jwt_authorizer/test_hostile_tokens.py"
_VERIFY_SETUP: Final = "tests/verify_mfa_setup/test_verify_setup.py"

DEFENCES: Final = (
    # -- who is calling
    Defence(
        name="A token is refused from the second it expires",
        stops="use of a stolen token past its end",
        file="functions/jwt_authorizer/service.py",
        text='_numeric_date(claims, "exp", required=True) <= now:',
        instead='_numeric_date(claims, "exp", required=True) <= now - LEEWAY_SECONDS:',
        noticed_by=(
            "tests/jwt_authorizer/test_tokens.py::test_a_token_is_refused_from_the_second_it_expires",
            f"{_HOSTILE_TOKENS}::test_is_denied[RS256: 'expired by one second']",
        ),
    ),
    Defence(
        name="Nothing but RS256 and ES256 verifies a token",
        stops="algorithm confusion, `none`, weaker algorithms",
        file="functions/jwt_authorizer/service.py",
        text='ALGORITHMS: Final = ("RS256", "ES256")',
        instead='ALGORITHMS: Final = ("RS256", "ES256", "PS256", "RS512", "HS256", "none")',
        noticed_by=(
            "tests/jwt_authorizer/test_tokens.py::test_the_algorithms_are_these_two",
            "tests/jwt_authorizer/test_tokens.py::test_a_good_signature_by_another_algorithm_is_refused[PS256]",
        ),
    ),
    Defence(
        name="The audience must be this API",
        stops="a token for another API of the same issuer",
        file="functions/jwt_authorizer/service.py",
        text='            raise TokenRejectedError("audience")',
        instead="            pass",
        noticed_by=(f"{_HOSTILE_TOKENS}::test_is_denied[RS256: \"Cognito: client_id 'other'\"]",),
    ),
    Defence(
        name="The issuer must be the configured one",
        stops="a token of somebody else's, or of another tenant, signed with the same keys",
        file="functions/jwt_authorizer/service.py",
        text='            raise TokenRejectedError("issuer")',
        instead="            pass",
        noticed_by=(f"{_HOSTILE_TOKENS}::test_is_denied[RS256: \"iss 'http://issuer.example/pool'\"]",),
    ),
    Defence(
        name="An ID token is no access token",
        stops="a token that only tells a client who signed in",
        file="functions/jwt_authorizer/service.py",
        text='if claims.get("token_use", "access") != "access":',
        instead='if claims.get("token_use", "access") not in ("access", "id"):',
        noticed_by=(f"{_HOSTILE_TOKENS}::test_is_denied[RS256: 'Cognito: ID token']",),
    ),
    Defence(
        name="A token that says it is something else is no access token",
        stops="logout tokens, DPoP proofs and other JWTs that the issuer signs with the same keys",
        file="functions/jwt_authorizer/service.py",
        text='frozenset({"jwt", "at+jwt"})',
        instead='frozenset({"jwt", "at+jwt", "logout+jwt", "dpop+jwt"})',
        noticed_by=(f"{_HOSTILE_TOKENS}::test_is_denied[RS256: \"typ 'logout+jwt'\"]",),
    ),
    Defence(
        name="Signing keys are fetched every ten seconds at most",
        stops="a flood of made-up key ids that becomes a flood of fetches, or a locked-out issuer",
        file="functions/jwt_authorizer/keys.py",
        text="        if now - self._attempted_at < MIN_FETCH_INTERVAL_SECONDS:\n            return\n",
        instead="",
        noticed_by=(
            "tests/jwt_authorizer/test_keys.py::TestFetching::test_a_flood_of_unknown_keys_makes_one_fetch_an_interval",
            f"{_HOSTILE_TOKENS}::test_no_attack_is_unexpected_and_all_of_them_together_make_one_fetch",
        ),
    ),
    Defence(
        name="What the authorizer cannot judge, it refuses",
        stops="a token that makes the verification itself fail",
        file="functions/jwt_authorizer/handler.py",
        text='            reason = "unexpected"\n',
        instead='            return _policy("Allow", event.get("methodArn", "*"), "anonymous", {})\n',
        noticed_by=(
            "tests/jwt_authorizer/test_requests.py::TestPolicy::test_a_defect_of_our_own_is_a_refusal_without_detail",
        ),
    ),
    Defence(
        name="The gateway asks the authorizer for every request anew",
        stops="a cached Allow that outlives its token, or is taken for another route",
        file="infra/constructs/api.py",
        text="identity_sources=[],\n            results_cache_ttl=Duration.seconds(0),",
        instead='identity_sources=[apigateway.IdentitySource.header("Authorization")],\n'
        "            results_cache_ttl=Duration.minutes(5),",
        noticed_by=("tests/infra/test_api.py::test_the_authorizer_runs_for_each_request_even_without_a_token",),
    ),
    Defence(
        name="Users are told by the authorizer's context alone",
        stops="a function reached around its API, told by the request itself whom to act for",
        file="functions/shared/identity.py",
        text="    if not isinstance(context, Mapping):\n        raise UnauthorizedError\n",
        instead="    if not isinstance(context, Mapping):\n"
        '        context = event.get("headers") or {"user_id": "user-1"}\n',
        noticed_by=(
            "tests/setup_mfa/test_handler.py::test_without_an_authorizer_nobody_is_authenticated",
            "tests/shared/test_identity.py::test_nothing_else_makes_a_user",
        ),
    ),
    # -- the secret at rest
    Defence(
        name="A secret opens for the user alone for whom it was sealed",
        stops="a sealed secret moved into another user's item",
        file="functions/shared/decryption.py",
        text="stream.header.encryption_context != context or",
        instead="",
        noticed_by=(
            "tests/setup_mfa/test_encryption.py::test_does_not_open_for_another_user",
            "tests/verify_mfa/test_verify.py::TestFailures::test_another_users_secret_does_not_open",
        ),
    ),
    Defence(
        name="Messages without key commitment are refused",
        stops="a message that opens to two secrets under two keys",
        file="functions/shared/encryption.py",
        text="CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
        instead="CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT",
        noticed_by=("tests/setup_mfa/test_encryption.py::TestForm::test_the_clients_policy_demands_commitment",),
    ),
    Defence(
        name="A message has one data key",
        stops="a second way into a secret, by a key that somebody added",
        file="functions/shared/encryption.py",
        text=", max_encrypted_data_keys=1",
        instead="",
        noticed_by=("tests/setup_mfa/test_encryption.py::TestOtherSuites::test_two_data_keys_are_refused",),
    ),
    Defence(
        name="A raw key is refused in production",
        stops="secrets sealed under a key that an environment variable shows",
        file="functions/shared/settings.py",
        text="    if read_environment(environ) == PRODUCTION:\n        raise",
        instead='    if read_environment(environ) == "no environment":\n        raise',
        noticed_by=("tests/shared/test_settings.py::TestEncryptionKey::test_a_raw_key_is_refused_in_production",),
    ),
    Defence(
        name="Backup codes are hashed with a key that only KMS opens",
        stops="guessing the codes' 30 bits against a stolen table",
        file="functions/shared/backup_codes.py",
        text="return hmac.digest(self.hashing, code.encode(",
        instead='return hmac.digest(b"pepper", code.encode(',
        noticed_by=("tests/shared/test_backup_codes.py::test_the_hash_is_keyed_by_the_secret",),
    ),
    # -- the life of a second factor
    Defence(
        name="Setup never overwrites a second factor that is on",
        stops="a stolen session that replaces the user's authenticator by its own",
        file="functions/setup_mfa/repository.py",
        text='ConditionExpression="attribute_not_exists(#pk) OR #status = :pending",',
        instead='ConditionExpression="attribute_not_exists(#pk) OR #status = :pending OR attribute_exists(#pk)",',
        noticed_by=("tests/setup_mfa/test_repository.py::test_whatever_is_not_pending_is_never_overwritten",),
    ),
    Defence(
        name="Turning it off takes a code",
        stops="a stolen session that removes the second factor",
        file="functions/shared/second_factor.py",
        text="self._repository.remove(self._examine(user_id, offered, request_id, count).read)",
        instead="self._repository.remove(self._repository.get(user_id))  # type: ignore[arg-type]",
        noticed_by=(
            "tests/disable_mfa/test_disable.py::test_a_wrong_code_counts_and_the_lock_is_the_same_as_at_login",
            "tests/disable_mfa/test_disable.py::test_a_used_code_does_not_turn_it_off",
        ),
    ),
    Defence(
        name="New backup codes take a TOTP code",
        stops="one found backup code that turns into eight",
        file="functions/regenerate_backup_codes/route.py",
        text="from functions.shared.request_body import TotpRequest\n",
        instead="from functions.shared.request_body import SecondFactorRequest as TotpRequest\n",
        noticed_by=("tests/regenerate_backup_codes/test_regenerate.py::test_a_backup_code_cannot_make_new_ones",),
    ),
    Defence(
        name="An enrolment ends after ten minutes, whenever DynamoDB deletes it",
        stops="the confirmation of an enrolment that somebody left behind",
        file="functions/shared/record.py",
        text="self.encrypted_secret is not None and now < (self.expires_at or 0)",
        instead="self.encrypted_secret is not None",
        noticed_by=(f"{_VERIFY_SETUP}::test_an_enrolment_expires_after_ten_minutes_even_if_the_item_is_still_there",),
    ),
    Defence(
        name="Ten wrong codes discard an enrolment and its secret",
        stops="guessing the code of somebody's enrolment",
        file="functions/verify_mfa_setup/service.py",
        text="    if failures.count < PENDING_MAX_FAILURES:\n        return failed\n",
        instead="    if failures.count:\n        return failed\n",
        noticed_by=(f"{_VERIFY_SETUP}::test_ten_wrong_codes_discard_the_enrolment_and_its_secret",),
    ),
    # -- a code is good once
    Defence(
        name="A time step is accepted once",
        stops="replay of a code that was seen or relayed",
        file="functions/shared/second_factor.py",
        text="step <= record.last_used_step:",
        instead="step < record.last_used_step:",
        noticed_by=(
            "tests/verify_mfa/test_verify.py::TestTotp::test_a_right_code_is_accepted_once",
            "tests/disable_mfa/test_disable.py::test_a_used_code_does_not_turn_it_off",
        ),
    ),
    Defence(
        name="The code that enrolled is burned",
        stops="a login by the code that somebody saw at enrolment",
        file="functions/verify_mfa_setup/service.py",
        text="            last_used_step=step,\n",
        instead="",
        noticed_by=("tests/verify_mfa/test_verify.py::TestTotp::test_the_code_used_to_enrol_does_not_log_in",),
    ),
    Defence(
        name="A backup code is spent in the write that accepts it",
        stops="a backup code used twice",
        file="functions/shared/second_factor.py",
        text="backup_codes=tuple(unused),",
        instead="backup_codes=record.backup_codes,",
        noticed_by=(
            "tests/verify_mfa/test_verify.py::TestBackupCode::test_each_is_good_for_one_login",
            "tests/verify_mfa/test_verify.py::TestBackupCode::test_a_used_ones_hash_moves",
        ),
    ),
    Defence(
        name="Every write is compare-and-swap",
        stops="parallel guesses for the price of one, one code in two logins at once",
        file="functions/shared/repository.py",
        text='return "#sk = :sk AND #version = :version"',
        instead='return "#sk = :sk AND (#version = :version OR attribute_exists(#version))"',
        noticed_by=(
            "tests/verify_mfa/test_chosen_request_ids.py::test_one_code_and_one_request_id_log_in_once",
            f"{_VERIFY_SETUP}::test_a_setup_that_comes_between_read_and_write_wins",
        ),
    ),
    Defence(
        name="A write knows itself by a random version",
        stops="requests under one chosen request id that take each other's write for their own",
        file="functions/shared/repository.py",
        text="if stored.get(Attribute.VERSION) != version:",
        instead='if stored.get(Attribute.LAST_REQUEST_ID) != {"S": request_id}:',
        noticed_by=(
            "tests/verify_mfa/test_chosen_request_ids.py::test_guesses_with_one_request_id_are_one_guess",
            "tests/verify_mfa/test_chosen_request_ids.py::test_one_backup_code_and_one_request_id_log_in_once",
        ),
    ),
    Defence(
        name="Two enrolments never share a version",
        stops="a confirmation of an enrolment that was replaced meanwhile",
        file="functions/shared/version.py",
        text="return secrets.randbits(_BITS)",
        instead="return len(secrets.token_bytes(1))",
        noticed_by=("tests/setup_mfa/test_repository.py::test_two_enrolments_never_share_a_version",),
    ),
    # -- guessing
    Defence(
        name="Codes are compared in constant time",
        stops="learning a code digit by digit from the time that a refusal takes",
        file="functions/shared/totp.py",
        text="hmac.compare_digest(hotp.at(step).encode(), code.encode())",
        instead="hotp.at(step) == code",
        noticed_by=(
            "tests/shared/test_constant_time.py::test_every_comparison_of_a_code_is_in_constant_time",
            "tests/attack/test_constant_time.py::test_nothing_secret_is_compared_but_in_constant_time",
        ),
    ),
    Defence(
        name="A locked factor is not looked at: nothing is decrypted or compared",
        stops="guessing on through the lock",
        file="functions/shared/second_factor.py",
        text="        if retry_after != 0:\n",
        instead="        if retry_after is None:\n",
        noticed_by=(
            "tests/verify_mfa/test_verify.py::TestLockOut::test_five_are_free_and_the_fifth_locks_for_a_minute",
            "tests/verify_mfa/test_verify.py::TestAwsCalls::test_one_when_locked",
        ),
    ),
    Defence(
        name="Wrong codes are counted",
        stops="guessing without end",
        file="functions/shared/second_factor.py",
        text="failed = record.with_failures(offered.factor, failures)",
        instead="failed = record.with_failures(offered.factor, Failures())",
        noticed_by=(
            "tests/verify_mfa/test_verify.py::TestLockOut::test_five_are_free_and_the_fifth_locks_for_a_minute",
            "tests/verify_mfa/test_verify.py::TestLockOut::test_a_new_login_session_does_not_reset_it",
        ),
    ),
    Defence(
        name="A hundred wrong codes in a row lock a factor for good",
        stops="patient guessing, one code an hour",
        file="functions/shared/lockout.py",
        text="        if self.count >= MAX_CONSECUTIVE_FAILURES:\n            return math.inf\n",
        instead="",
        noticed_by=("tests/verify_mfa/test_verify.py::TestLockOut::test_a_hundred_lock_for_good_and_name_no_time",),
    ),
    Defence(
        name="Each kind of factor has a count of its own",
        stops="wrong TOTP codes that lock the user's backup codes as well",
        file="functions/shared/second_factor.py",
        text="failures = record.failures(offered.factor)",
        instead="failures = record.failures(Factor.TOTP)",
        noticed_by=(
            "tests/verify_mfa/test_verify.py::TestLockOut::test_locking_one_kind_of_factor_never_locks_the_other",
        ),
    ),
    Defence(
        name="A body has a bound",
        stops="large bodies that cost time and memory",
        file="functions/shared/request_body.py",
        text="    if len(raw) > MAX_BODY_BYTES:\n",
        instead="    if len(raw) > 1024 * MAX_BODY_BYTES:\n",
        noticed_by=("tests/shared/test_request_body.py::TestBody::test_may_be_4_kib_and_not_a_byte_more",),
    ),
    # -- what leaves the service
    Defence(
        name="A failed call to AWS is a 503 that changes nothing",
        stops="an outage, or one that somebody provoked, that lets codes pass or counts attempts",
        file="functions/shared/aws.py",
        text="        raise ServiceUnavailableError(operation, code) from error\n    except BotoCoreError",
        instead="        return\n    except BotoCoreError",
        noticed_by=(
            "tests/verify_mfa/test_verify.py::TestFailures::test_a_failing_call_changes_nothing_and_counts_no_attempt",
        ),
    ),
    Defence(
        name="An unexpected error is told without its message",
        stops="secrets and internals in answers and logs, by way of an exception's text",
        file="functions/shared/observability.py",
        text='"exception": describe(error)}',
        instead='"exception": describe(error), "text": str(error)}',
        noticed_by=(
            "tests/shared/test_observability.py::TestLog::test_an_unexpected_exception_is_logged_without_its_message",
            "tests/shared/test_http.py::test_what_is_not_foreseen_is_a_500_without_detail",
        ),
    ),
    Defence(
        name="Requests are not logged",
        stops="codes and tokens in the logs",
        file="functions/shared/http.py",
        text="                **reply.log_fields,\n",
        instead='                **reply.log_fields,\n                body=event.get("body"),\n',
        noticed_by=(
            "tests/verify_mfa/test_verify.py::test_logs_and_metrics_hold_no_code_and_no_secret",
            "tests/verify_mfa/test_verify.py::TestTotp::test_a_right_code_is_accepted_once",
        ),
    ),
    Defence(
        name="The gateway writes no execution log",
        stops="API Gateway's copies of headers and bodies in a log",
        file="infra/constructs/api.py",
        text="            data_trace_enabled=False,\n",
        instead="            data_trace_enabled=True,\n",
        noticed_by=("tests/infra/test_api.py::test_execution_logs_are_off_as_they_would_hold_tokens",),
    ),
    # -- who may do what on AWS
    Defence(
        name="Who seals secrets cannot open them",
        stops="a taken-over setup function that reads every secret",
        file="infra/permissions.py",
        text='secret_key=("kms:GenerateDataKey",))',
        instead='secret_key=("kms:GenerateDataKey", "kms:Decrypt"))',
        noticed_by=(
            "tests/infra/test_permissions.py::test_whoever_seals_secrets_cannot_open_them",
            "tests/infra/test_permissions.py::test_the_table_of_permissions_is_the_designs[setup_mfa]",
        ),
    ),
    Defence(
        name="The key is granted for this purpose alone",
        stops="use of the key, or of a role, for anything but TOTP secrets",
        file="infra/constructs/grants.py",
        text="(permissions.secret_key, storage.secret_key_arn, PURPOSE_CONDITION),",
        instead="(permissions.secret_key, storage.secret_key_arn, None),",
        noticed_by=("tests/infra/test_permissions.py::test_the_table_of_permissions_is_the_designs[verify_mfa]",),
    ),
    Defence(
        name="Administrators of the account cannot hand the key on",
        stops="an administrator who delegates the key's use past its policy",
        file="infra/constructs/secret_key.py",
        text='    "kms:CancelKeyDeletion",\n',
        instead='    "kms:CancelKeyDeletion",\n    "kms:CreateGrant",\n    "kms:Decrypt",\n',
        noticed_by=("tests/infra/test_data.py::test_the_keys_policy_separates_administration_from_use",),
    ),
    Defence(
        name="In production a deleted stack leaves table and key behind",
        stops="the loss of every second factor by one command",
        file="infra/constructs/retention.py",
        text="RemovalPolicy.RETAIN if config.retain_data else RemovalPolicy.DESTROY",
        instead="RemovalPolicy.DESTROY",
        noticed_by=("tests/infra/test_data.py::test_only_prod_keeps_its_data_and_resists_deletion",),
    ),
    Defence(
        name="The table can be restored to any second of the last 35 days",
        stops="the loss of second factors by a mistake or by malice",
        file="infra/constructs/users_table.py",
        text="point_in_time_recovery_enabled=True",
        instead="point_in_time_recovery_enabled=False",
        noticed_by=("tests/infra/test_data.py::test_the_table_is_as_the_design_says",),
    ),
)
