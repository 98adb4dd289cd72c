"""Enrolment with its collaborators replaced by recording ones."""

import base64
from dataclasses import dataclass, field

import pyotp
import pytest

from functions.setup_mfa.encryption import SealedSecret
from functions.setup_mfa.repository import PendingEnrolment
from functions.setup_mfa.service import SetupService
from functions.shared.backup_codes import BackupCodeKeys
from functions.shared.identity import Identity

ADA = Identity(user_id="user-1", label="ada@example.com")


@dataclass
class Diary:
    """Stands for the sealer and the repository, and remembers what they were asked, in order."""

    events: list[str] = field(default_factory=list)
    secrets: list[tuple[str, str]] = field(default_factory=list)
    stored: list[PendingEnrolment] = field(default_factory=list)

    def seal(self, secret: str, *, user_id: str) -> SealedSecret:
        self.events.append("seal")
        self.secrets.append((secret, user_id))
        return SealedSecret(message="sealed", iv="iv")

    def put_pending(self, enrolment: PendingEnrolment) -> None:
        self.events.append("put")
        self.stored.append(enrolment)


def service(diary: Diary, now: float = 1_800_000_000.0) -> SetupService:
    return SetupService(sealer=diary, repository=diary, issuer="AILifestyle", clock=lambda: now)


def test_stores_what_it_shows_and_shows_it_only_after_storing() -> None:
    diary = Diary()
    response = service(diary, now=1_800_000_123.4).enrol(ADA)
    assert diary.events == ["seal", "put"]
    assert diary.secrets == [(response.secret, "user-1")]
    (stored,) = diary.stored
    assert (stored.user_id, stored.sealed.message, stored.created_at) == ("user-1", "sealed", 1_800_000_123.4)
    keys = BackupCodeKeys.derive(secret=base64.b32decode(response.secret), salt=stored.backup_codes_salt)
    assert stored.backup_code_hashes == keys.hashes()


def test_a_label_that_makes_no_qr_code_fails_before_anything_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> str:
        raise RuntimeError

    monkeypatch.setattr("functions.setup_mfa.service.qr_code_data_uri", fail)
    diary = Diary()
    with pytest.raises(RuntimeError):
        service(diary).enrol(ADA)
    assert diary.events == []


def test_secrets_are_distinct_and_have_160_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.setup_mfa.service.qr_code_data_uri", str)
    diary = Diary()
    for _ in range(500):
        service(diary).enrol(ADA)
    secrets = [base64.b32decode(secret) for secret, _ in diary.secrets]
    assert {len(secret) for secret in secrets} == {20}
    assert len(set(secrets)) == 500
    assert len({stored.backup_codes_salt for stored in diary.stored}) == 500
    assert {len(stored.backup_codes_salt) for stored in diary.stored} == {16}
    # Every bit is set in about half of them: 500 fair coins stay within 250 +- 75, except once in 10^11 times.
    for bit in range(160):
        assert 175 < sum(int.from_bytes(secret) >> bit & 1 for secret in secrets) < 325


def test_the_qr_code_holds_issuer_label_and_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.setup_mfa.service.qr_code_data_uri", str)
    response = service(Diary()).enrol(ADA)
    scanned = pyotp.parse_uri(response.qr_code)
    assert (scanned.issuer, scanned.name, scanned.secret) == ("AILifestyle", "ada@example.com", response.secret)
