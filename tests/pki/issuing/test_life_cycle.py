"""The moves of :mod:`pki.issuing.certificate_life`, and what status services say after each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from pki.errors import AlreadyIssuedError, AlreadyRevokedError, AlreadySuspendedError, IssuanceError, NotIssuedError, NotSuspendedError
from pki.issuing.certificate_life import HOLD, REVOCATION_REASONS, issue, release, revoke, suspend
from pki.issuing.urls import shard_of
from pki.ports import CertificateEntry, CertificateState
from tests.support.status_house import NOW, SHARDS, House

DAY = timedelta(days=1)
AT = datetime(2026, 9, 5, 8, 0, tzinfo=UTC)
RECORDED = CertificateEntry(
    issuer="issuing",
    serial=0xA7,
    profile="teacher",
    holder="GV-1",
    state=CertificateState.RECORDED,
    tbs_sha256=bytes(32),
    public_key_sha256=bytes(32),
    not_before=AT,
    not_after=AT + 365 * DAY,
    recorded_at=AT,
)
ISSUED = issue(RECORDED, certificate_der=b"der", at=AT)
SUSPENDED = suspend(ISSUED, at=AT + DAY)
REVOKED = revoke(ISSUED, reason="superseded", at=AT + DAY)

Move = Callable[[CertificateEntry], CertificateEntry]
ISSUE: Move = lambda entry: issue(entry, certificate_der=b"der", at=AT)  # noqa: E731
SUSPEND: Move = lambda entry: suspend(entry, at=AT)  # noqa: E731
REVOKE: Move = lambda entry: revoke(entry, reason="superseded", at=AT)  # noqa: E731


def test_a_suspended_certificate_is_on_hold_since_then() -> None:
    assert (SUSPENDED.state, SUSPENDED.revoked_at, SUSPENDED.revocation_reason) == (CertificateState.SUSPENDED, AT + DAY, HOLD)


def test_a_released_certificate_is_as_before() -> None:
    assert release(SUSPENDED) == ISSUED


def test_revoked_out_of_a_hold_counts_from_the_day_of_the_hold() -> None:
    revoked = revoke(SUSPENDED, reason="keyCompromise", at=AT + 3 * DAY)
    assert (revoked.state, revoked.revoked_at, revoked.revocation_reason) == (CertificateState.REVOKED, AT + DAY, "keyCompromise")


@pytest.mark.parametrize("reason", REVOCATION_REASONS)
def test_every_reason_revokes(reason: str) -> None:
    assert revoke(ISSUED, reason=reason, at=AT).revocation_reason == reason


@pytest.mark.parametrize("reason", [HOLD, "removeFromCRL", "keycompromise", ""])
def test_a_reason_that_does_not_end_a_certificate_is_refused(reason: str) -> None:
    with pytest.raises(IssuanceError, match=f"revocation reason: got '{reason}', expected one of unspecified, keyCompromise"):
        revoke(ISSUED, reason=reason, at=AT)


@pytest.mark.parametrize(
    ("move", "entry", "error", "text"),
    [
        (ISSUE, ISSUED, AlreadyIssuedError, "issuing: serial a7 has been issued before"),
        (ISSUE, SUSPENDED, AlreadyIssuedError, "issuing: serial a7 has been issued before"),
        (ISSUE, REVOKED, AlreadyRevokedError, "issuing: serial a7 was revoked before it was issued"),
        (SUSPEND, RECORDED, NotIssuedError, "issuing: serial a7 is recorded; only an issued certificate can be suspended"),
        (SUSPEND, SUSPENDED, AlreadySuspendedError, "issuing: serial a7 is suspended already"),
        (SUSPEND, REVOKED, AlreadyRevokedError, "issuing: serial a7 is revoked already; a revocation is final"),
        (release, RECORDED, NotSuspendedError, "issuing: serial a7 is recorded; only a suspended certificate can be released"),
        (release, ISSUED, NotSuspendedError, "issuing: serial a7 is issued; only a suspended certificate can be released"),
        (release, REVOKED, AlreadyRevokedError, "issuing: serial a7 is revoked already; a revocation is final"),
        (REVOKE, REVOKED, AlreadyRevokedError, "issuing: serial a7 is revoked already; a revocation is final"),
    ],
)
def test_any_other_move_is_refused(move: Move, entry: CertificateEntry, error: type[IssuanceError], text: str) -> None:
    with pytest.raises(error, match=f"^{text}$"):
        move(entry)


def test_a_certificate_recorded_and_never_signed_can_be_revoked() -> None:
    assert revoke(RECORDED, reason="cessationOfOperation", at=AT) == replace(
        RECORDED, state=CertificateState.REVOKED, revoked_at=AT, revocation_reason="cessationOfOperation"
    )


# --- what OCSP and revocation lists say -------------------------------------------------------------------------------------------


def status(house: House) -> ocsp.OCSPSingleResponse:
    return next(iter(ocsp.load_der_ocsp_response(house.responder().status_response(house.teacher.der)).responses))


def listed(house: House) -> x509.RevokedCertificate | None:
    crl = x509.load_der_x509_crl(house.crl_signer("issuing", SHARDS).crl(shard_of(house.teacher.serial, SHARDS)))
    return crl.get_revoked_certificate_by_serial_number(house.teacher.serial)


def test_ocsp_says_that_a_suspended_certificate_is_on_hold(house: House) -> None:
    house.authority.established.issuing.suspend(house.teacher.serial)
    single = status(house)
    assert single.certificate_status is ocsp.OCSPCertStatus.REVOKED
    assert single.revocation_reason is x509.ReasonFlags.certificate_hold
    assert single.revocation_time_utc == NOW.replace(microsecond=0)


def test_a_suspended_certificate_is_listed_as_on_hold(house: House) -> None:
    house.authority.established.issuing.suspend(house.teacher.serial)
    entry = listed(house)
    assert entry is not None
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.certificate_hold


def test_a_released_certificate_is_good_and_off_the_list(house: House) -> None:
    house.authority.established.issuing.suspend(house.teacher.serial)
    house.authority.established.issuing.release(house.teacher.serial)
    assert status(house).certificate_status is ocsp.OCSPCertStatus.GOOD
    assert listed(house) is None


def test_revoked_out_of_a_hold_is_answered_with_reason_and_day_of_the_hold(house: House) -> None:
    issuing = house.authority.established.issuing
    issuing.suspend(house.teacher.serial)
    house.authority.advance(days=3)
    issuing.revoke(house.teacher.serial, "keyCompromise")
    single = status(house)
    assert (single.revocation_reason, single.revocation_time_utc) == (x509.ReasonFlags.key_compromise, NOW.replace(microsecond=0))
