"""Issuing in three moves: what each promises, what each refuses, and that a crash between them loses nothing."""

from __future__ import annotations

import itertools
import subprocess
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from pki.errors import (
    AlreadyIssuedError,
    AlreadyRevokedError,
    DuplicateSerialError,
    EncodingError,
    IssuanceError,
    NotRecordedError,
    SignatureError,
    WeakKeyError,
)
from pki.identity.subject import Subject, person
from pki.issuing.issue import REVOCATION_REASONS, Authority, CertificateRequest, draw_serial
from pki.issuing.profile import ProfileError
from pki.keys.softkey import SoftwareKey
from pki.ports import CertificateState
from pki.structures.algorithms import PublicKey, SignatureAlgorithm
from tests.support.authority import MOMENT, SCHOOL, SCHOOL_IDENTIFIER, TestAuthority, make_authority

TEACHER = person(
    country="VN",
    surname="Trần",
    given_name="Thị Hoa",
    identifier="PNOVN-001185000001",
    organization=SCHOOL,
    organization_identifier=SCHOOL_IDENTIFIER,
)


@pytest.fixture
def authority() -> TestAuthority:
    return make_authority()


def asked(**changes: object) -> CertificateRequest:
    request = CertificateRequest(profile="teacher", subject=TEACHER, public_key=SoftwareKey.generate().public_key(), holder="teacher/17")
    return replace(request, **changes)  # type: ignore[arg-type]


class FaultyKey:
    """A signing key whose device signs something else, or returns noise."""

    def __init__(self, key: SoftwareKey, *, noise: bytes | None = None) -> None:
        self._key, self._noise = key, noise

    @property
    def algorithm(self) -> SignatureAlgorithm:
        return self._key.algorithm

    def public_key(self) -> PublicKey:
        return self._key.public_key()

    def sign(self, data: bytes) -> bytes:
        return self._noise if self._noise is not None else self._key.sign(data + b"\x00")


def with_key(authority: TestAuthority, key: object, store: object = None) -> Authority:
    return Authority(
        name="issuing",
        certificate_der=authority.issuing_der,
        key=key,  # type: ignore[arg-type]
        profiles=authority.profiles,
        store=store or authority.store,  # type: ignore[arg-type]
        clock=authority.clock,
        urls=authority.urls,
    )


def test_issued_certificate_says_what_was_asked_for(authority: TestAuthority) -> None:
    request = asked()
    issued = authority.established.issuing.certify(request)
    certificate = x509.load_der_x509_certificate(issued.certificate_der)
    assert Subject.from_x509(certificate.subject) == TEACHER
    assert certificate.public_key() == request.public_key
    assert certificate.serial_number == issued.serial
    assert (issued.issuer, issued.profile, issued.holder) == ("issuing", "teacher", "teacher/17")


def test_validity_starts_now_and_counts_both_ends(authority: TestAuthority) -> None:
    authority.clock.moment += timedelta(microseconds=999_999)
    issued = authority.established.issuing.certify(asked())
    assert issued.not_before == MOMENT
    assert issued.not_after == MOMENT + authority.profiles["teacher"].validity - timedelta(seconds=1)


def test_later_start_may_be_asked_for(authority: TestAuthority) -> None:
    start = MOMENT + timedelta(days=30)
    assert authority.established.issuing.certify(asked(not_before=start)).not_before == start


def test_10000_serials_are_unique_positive_and_random() -> None:
    serials = {draw_serial() for _ in range(10_000)}
    assert len(serials) == 10_000
    assert all(0 < serial < 1 << 159 for serial in serials)
    # 64 random bits would already make each of these improbable: no two share their low or high 64 bits, every bit takes both values
    assert len({serial & (1 << 64) - 1 for serial in serials}) == 10_000
    assert len({serial >> 95 for serial in serials}) == 10_000
    assert all(4500 < sum(serial >> bit & 1 for serial in serials) < 5500 for bit in range(158))  # ten standard deviations


@pytest.mark.parametrize("count", [100, pytest.param(10_000, marks=pytest.mark.long)])
def test_the_serials_in_certificates_are_those_drawn(authority: TestAuthority, count: int) -> None:
    issuing = authority.established.issuing
    serials = {issuing.prepare(asked()).serial for _ in range(count)}
    assert len(serials) == count
    assert all(0 < serial < 1 << 159 for serial in serials)


def test_crl_shard_in_the_certificate_is_that_of_its_serial(authority: TestAuthority) -> None:
    issuing = authority.established.issuing
    issued = issuing.certify(asked())
    points = x509.load_der_x509_certificate(issued.certificate_der).extensions.get_extension_for_class(x509.CRLDistributionPoints)
    (point,) = points.value
    assert point.full_name is not None
    assert point.full_name[0].value == f"http://pki.example.org/crl/issuing/{issuing.shard_of(issued.serial)}.crl"


def test_preparing_keeps_nothing(authority: TestAuthority) -> None:
    before = dict(authority.store.entries)
    authority.established.issuing.prepare(asked())
    assert authority.store.entries == before


def test_recorded_certificate_is_known_before_it_is_signed(authority: TestAuthority) -> None:
    issuing = authority.established.issuing
    prepared = issuing.prepare(asked())
    issuing.record(prepared)
    entry = authority.store.get("issuing", prepared.serial)
    assert entry is not None
    assert (entry.state, entry.certificate_der, entry.recorded_at) == (CertificateState.RECORDED, None, MOMENT)


def test_recorded_certificate_can_be_issued_after_a_restart(authority: TestAuthority) -> None:
    prepared = authority.established.issuing.prepare(asked())
    authority.established.issuing.record(prepared)
    issued = with_key(authority, authority.issuing_key).issue(prepared)
    assert x509.load_der_x509_certificate(issued.certificate_der).tbs_certificate_bytes == prepared.tbs_der


def test_recorded_certificate_can_be_revoked_and_is_then_never_issued(authority: TestAuthority) -> None:
    issuing = authority.established.issuing
    prepared = issuing.prepare(asked())
    issuing.record(prepared)
    issuing.revoke(prepared.serial, "cessationOfOperation")
    with pytest.raises(IssuanceError, match="revoked before it was issued"):
        issuing.issue(prepared)


def test_signed_part_is_the_prepared_part_byte_for_byte(authority: TestAuthority) -> None:
    issuing = authority.established.issuing
    prepared = issuing.prepare(asked())
    issuing.record(prepared)
    certificate = x509.load_der_x509_certificate(issuing.issue(prepared).certificate_der)
    assert certificate.tbs_certificate_bytes == prepared.tbs_der
    authority.issuing_key.algorithm.verify(authority.issuing_key.public_key(), certificate.signature, prepared.tbs_der)


def test_unrecorded_certificate_is_not_signed(authority: TestAuthority) -> None:
    issuing = authority.established.issuing
    with pytest.raises(NotRecordedError, match="not recorded, so not signed"):
        issuing.issue(issuing.prepare(asked()))


def test_prepared_certificate_is_redeemable_once(authority: TestAuthority) -> None:
    issuing = authority.established.issuing
    prepared = issuing.prepare(asked())
    issuing.record(prepared)
    issuing.issue(prepared)
    with pytest.raises(AlreadyIssuedError, match="redeemable once"):
        issuing.issue(prepared)


def test_of_two_who_issue_at_once_one_gets_a_certificate(authority: TestAuthority) -> None:
    issuing, outcomes = authority.established.issuing, list[object]()
    barrier, lock = threading.Barrier(2), threading.Lock()
    prepared = issuing.prepare(asked())
    issuing.record(prepared)

    class Together:
        """Lets neither thread reach the books before both have signed."""

        def __getattr__(self, name: str) -> object:
            return getattr(authority.store, name)

        def mark_issued(self, *args: object, **kwargs: object) -> None:
            barrier.wait(timeout=10)
            with lock:
                authority.store.mark_issued(*args, **kwargs)  # type: ignore[arg-type]

    rival = with_key(authority, authority.issuing_key, Together())

    def run() -> None:
        try:
            outcomes.append(rival.issue(prepared).serial)
        except AlreadyIssuedError as exc:
            outcomes.append(exc)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert sorted(isinstance(outcome, AlreadyIssuedError) for outcome in outcomes) == [False, True]


def test_tampered_prepared_certificate_is_not_signed(authority: TestAuthority) -> None:
    issuing = authority.established.issuing
    prepared = issuing.prepare(asked())
    issuing.record(prepared)
    other = issuing.prepare(asked(subject=replace(TEACHER, given_name="Văn Khác")))
    with pytest.raises(IssuanceError, match="is not the one that was recorded"):
        issuing.issue(replace(prepared, tbs_der=other.tbs_der))


def test_certificate_prepared_by_another_issuer_is_not_signed(authority: TestAuthority) -> None:
    prepared = authority.established.issuing.prepare(asked())
    with pytest.raises(IssuanceError, match="prepared for another issuer than root"):
        authority.established.root.issue(prepared)


@pytest.mark.parametrize("noise", [None, b"", b"\x00" * 70, bytes.fromhex("3006020101020101")])
def test_faulty_signature_is_never_returned(authority: TestAuthority, noise: bytes | None) -> None:
    faulty = with_key(authority, FaultyKey(authority.issuing_key, noise=noise))
    prepared = faulty.prepare(asked())
    faulty.record(prepared)
    with pytest.raises(SignatureError, match="does not verify"):
        faulty.issue(prepared)
    entry = authority.store.get("issuing", prepared.serial)
    assert entry is not None
    assert entry.state is CertificateState.RECORDED


def test_same_serial_twice_is_refused(authority: TestAuthority) -> None:
    issuing = Authority(
        name="issuing",
        certificate_der=authority.issuing_der,
        key=authority.issuing_key,
        profiles=authority.profiles,
        store=authority.store,
        clock=authority.clock,
        urls=authority.urls,
        serials=itertools.repeat(7).__next__,
    )
    issuing.certify(asked())
    with pytest.raises(DuplicateSerialError, match="already has serial 7"):
        issuing.certify(asked())


def test_authority_with_another_key_than_its_certificates_is_refused(authority: TestAuthority) -> None:
    with pytest.raises(IssuanceError, match="the key is not the one that its certificate names"):
        with_key(authority, SoftwareKey.generate())


@pytest.mark.parametrize("der", [b"", b"\x30\x00", "teacher"])
def test_authority_needs_a_ca_certificate(authority: TestAuthority, der: bytes | str) -> None:
    certificate_der = authority.issue_teacher().certificate_der if isinstance(der, str) else der
    with pytest.raises(EncodingError, match="issuer x: not a CA certificate"):
        Authority(
            name="x",
            certificate_der=certificate_der,
            key=SoftwareKey.generate(),
            profiles={},
            store=authority.store,
            clock=authority.clock,
            urls=authority.urls,
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"profile": "pupil"}, "profile 'pupil' is unknown; expected one of cross, issuing, ocsp, principal"),
        ({"profile": "issuing"}, "profile issuing: issued by root, got issuer issuing"),
        ({"holder": ""}, "holder: expected an id of 1 to 200 characters, got 0"),
        ({"holder": "x" * 201}, "holder: expected an id of 1 to 200 characters, got 201"),
        ({"not_before": datetime(2026, 9, 5)}, "not_before: expected an aware UTC time"),  # noqa: DTZ001
        ({"not_before": MOMENT.astimezone(timezone(timedelta(hours=7)))}, "not_before: expected an aware UTC time"),
        ({"not_before": MOMENT - timedelta(hours=49)}, "more than 2 days, 0:00:00 in the past"),
        ({"not_before": MOMENT - timedelta(hours=1)}, "outlives issuer issuing"),
        ({"not_before": MOMENT + timedelta(days=4000)}, "outlives issuer issuing, which is valid from 2026-09-05"),
    ],
)
def test_request_is_refused(authority: TestAuthority, changes: dict[str, object], message: str) -> None:
    with pytest.raises(IssuanceError, match=message):
        authority.established.issuing.prepare(asked(**changes))


def test_request_outside_its_profile_is_refused(authority: TestAuthority) -> None:
    with pytest.raises(ProfileError, match="may not carry given_name"):
        authority.established.issuing.prepare(asked(profile="school-seal"))


def test_weak_key_is_refused(authority: TestAuthority) -> None:
    with pytest.raises(WeakKeyError, match=r"weak key \(rsa-too-short\): RSA of 1024 bits, expected at least 2048"):
        authority.established.issuing.prepare(asked(public_key=rsa.generate_private_key(65537, 1024).public_key()))


def test_revocation_keeps_reason_and_time(authority: TestAuthority) -> None:
    issuing = authority.established.issuing
    issued = issuing.certify(asked())
    authority.advance(days=3)
    issuing.revoke(issued.serial, "affiliationChanged")
    entry = authority.store.get("issuing", issued.serial)
    assert entry is not None
    assert (entry.state, entry.revocation_reason) == (CertificateState.REVOKED, "affiliationChanged")
    assert entry.revoked_at == datetime(2026, 9, 8, 8, 0, tzinfo=UTC)


def test_revocation_is_final(authority: TestAuthority) -> None:
    issued = authority.established.issuing.certify(asked())
    authority.established.issuing.revoke(issued.serial)
    with pytest.raises(AlreadyRevokedError, match="is revoked already; a revocation is final"):
        authority.established.issuing.revoke(issued.serial, "keyCompromise")


@pytest.mark.parametrize("reason", ["certificateHold", "removeFromCRL", "keycompromise", ""])
def test_reason_that_could_be_taken_back_is_refused(authority: TestAuthority, reason: str) -> None:
    assert reason not in REVOCATION_REASONS
    with pytest.raises(IssuanceError, match="expected one of unspecified, keyCompromise"):
        authority.established.issuing.revoke(1, reason)


def test_unknown_serial_cannot_be_revoked(authority: TestAuthority) -> None:
    with pytest.raises(NotRecordedError, match="has no serial 1"):
        authority.established.issuing.revoke(1)


def test_no_error_shows_an_identity_code(authority: TestAuthority) -> None:
    for changes in ({"profile": "school-seal"}, {"profile": "student"}, {"profile": "pupil"}, {"holder": ""}):
        with pytest.raises((IssuanceError, ProfileError)) as caught:
            authority.established.issuing.prepare(asked(**changes))
        assert "001185" not in str(caught.value)


PURPOSES = {"teacher": "any", "student": "any", "school-seal": "any", "tsa": "timestampsign", "ocsp": "ocsphelper"}


@pytest.mark.parametrize("profile", sorted(PURPOSES))
def test_openssl_verifies_the_chain(authority: TestAuthority, tmp_path: Path, profile: str) -> None:
    leaf = {
        "teacher": lambda: authority.issue_teacher().certificate_der,
        "student": lambda: authority.issue_student().certificate_der,
        "school-seal": lambda: authority.issue_seal().certificate_der,
        "tsa": lambda: authority.tsa_der,
        "ocsp": lambda: authority.ocsp_der,
    }[profile]()
    for name, der in {"root": authority.root_der, "issuing": authority.issuing_der, "leaf": leaf}.items():
        (tmp_path / f"{name}.pem").write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    command = ["openssl", "verify", "-x509_strict", "-check_ss_sig", "-policy_check", "-attime", str(int(MOMENT.timestamp()) + 60)]
    command += ["-purpose", PURPOSES[profile], "-CAfile", "root.pem", "-untrusted", "issuing.pem", "leaf.pem"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "leaf.pem: OK\n"), done.stderr
