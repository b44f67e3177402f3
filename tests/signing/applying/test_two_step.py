from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from pki.keys.softkey import SoftwareKey
from pki.paths.chain import TrustAnchor
from pki.paths.chain_errors import ChainError, ExpiredError, PurposeError
from pki.remote.tsa import Patience, RemoteTimeStamper
from signing.applying.archive import archive, archive_stamps
from signing.applying.container import token_bound
from signing.applying.form import signature_fields
from signing.applying.recheck import recheck
from signing.applying.sign import SignatureRequest, sign
from signing.applying.two_step import (
    MAX_SIGNATURE,
    KeyElsewhere,
    PreparedSignature,
    SignatureMismatchError,
    TwoStepError,
    UnfitCertificateError,
    check_signer,
    complete_signature,
    prepare_signature,
    split_chain,
)
from signing.errors import RefusedDocumentError
from signing.pdf.document import Document
from tests.support.authority import Credential, make_authority
from tests.support.signing_cases import SigningHouse, canonical_pdf, foreign_pdf, make_signing_house
from tests.support.tsa_server import honest, serving


@pytest.fixture(scope="module")
def house() -> SigningHouse:
    return make_signing_house()


def request(house: SigningHouse, credential: Credential | None = None, **changes: object) -> SignatureRequest:
    certificate = (credential or house.teacher).certificate_der
    return house.request("homeroom", certificate_der=certificate, key=KeyElsewhere(certificate), **changes)


def prepared(house: SigningHouse, credential: Credential | None = None, document: bytes | None = None) -> PreparedSignature:
    return prepare_signature(document or canonical_pdf(), request(house, credential), token_size=token_bound(house.tsa))


def test_two_steps_give_what_one_gives(house: SigningHouse) -> None:
    waiting = prepared(house)
    value = house.teacher.key.sign(waiting.to_be_signed)
    here = sign(canonical_pdf(), house.request("homeroom"), time_stamper=None)
    there = complete_signature(
        prepare_signature(canonical_pdf(), request(house), token_size=0),
        house.teacher.key.sign(prepare_signature(canonical_pdf(), request(house), token_size=0).to_be_signed),
        time_stamper=None,
    )
    assert len(there) == len(here)
    stamped = Document.parse(complete_signature(waiting, value, time_stamper=house.tsa))
    field = next(each for each in signature_fields(stamped) if each.signed)
    cms, certificate = recheck(stamped, field)
    assert certificate.serial_number == house.teacher.serial
    assert cms.signature == value


def test_hash_is_that_of_the_attributes(house: SigningHouse) -> None:
    waiting = prepared(house)
    assert waiting.hash == hashlib.sha256(waiting.to_be_signed).digest()


@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_every_curve_signs_with_its_own_digest(house: SigningHouse, curve: str) -> None:
    teacher = house.authority.issue_teacher(curve=curve)
    waiting = prepared(house, teacher)
    assert len(waiting.hash) == {"P-256": 32, "P-384": 48}[curve]
    complete_signature(waiting, teacher.key.sign(waiting.to_be_signed), time_stamper=house.tsa)


def test_rsa_signs(house: SigningHouse) -> None:
    key = SoftwareKey(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    subject = house.teacher.subject
    issued = house.authority.certify("teacher", subject, key)
    waiting = prepared(house, Credential(issued.certificate_der, key, issued.serial, subject))
    complete_signature(waiting, key.sign(waiting.to_be_signed), time_stamper=house.tsa)


class Refusing:
    """A time stamper that nothing may reach."""

    def __init__(self, house: SigningHouse) -> None:
        self.certificates = house.tsa.certificates

    def stamp(self, digest: bytes, *, algorithm: str = "sha256") -> bytes:
        raise AssertionError("a signature that does not verify was time-stamped")


@pytest.mark.parametrize("wrong", [b"", b"\x00", b"0\x06\x02\x01\x00\x02\x01\x00", b"x" * MAX_SIGNATURE, b"x" * (MAX_SIGNATURE + 1)])
def test_what_is_no_signature_is_neither_stamped_nor_embedded(house: SigningHouse, wrong: bytes) -> None:
    with pytest.raises(SignatureMismatchError, match="signature"):
        complete_signature(prepared(house), wrong, time_stamper=Refusing(house))


def test_signature_by_another_key_is_refused(house: SigningHouse) -> None:
    waiting = prepared(house)
    with pytest.raises(SignatureMismatchError, match="expected ecdsa-with-SHA256 over the prepared attributes"):
        complete_signature(waiting, house.principal.key.sign(waiting.to_be_signed), time_stamper=Refusing(house))


def test_signature_over_another_document_is_refused(house: SigningHouse) -> None:
    value = house.teacher.key.sign(prepared(house, document=canonical_pdf(1)).to_be_signed)
    with pytest.raises(SignatureMismatchError):
        complete_signature(prepared(house), value, time_stamper=Refusing(house))


def test_signature_over_the_document_instead_of_the_attributes_is_refused(house: SigningHouse) -> None:
    waiting = prepared(house)
    with pytest.raises(SignatureMismatchError):
        complete_signature(waiting, house.teacher.key.sign(waiting.file), time_stamper=Refusing(house))


def test_altered_file_no_longer_fits_its_signature(house: SigningHouse) -> None:
    waiting = prepared(house)
    value = house.teacher.key.sign(waiting.to_be_signed)
    altered = PreparedSignature(waiting.file.replace(b"D:2026", b"D:2016"), waiting.gap, waiting.certificate_der, waiting.chain)
    with pytest.raises(SignatureMismatchError):
        complete_signature(altered, value, time_stamper=Refusing(house))


def test_key_elsewhere_signs_nothing(house: SigningHouse) -> None:
    with pytest.raises(TwoStepError, match="held elsewhere"):
        sign(canonical_pdf(), request(house), time_stamper=None)


def test_document_that_no_signing_takes_is_not_prepared(house: SigningHouse) -> None:
    script = foreign_pdf(form="direct") + b"\n1 0 obj\n<< /S /JavaScript >>\nendobj\n"
    with pytest.raises(RefusedDocumentError):
        prepare_signature(script, request(house, field="F", create=True), token_size=0)


def test_chain_to_an_anchor_is_wanted(house: SigningHouse) -> None:
    anchors = [TrustAnchor(house.authority.root_der)]
    at = house.authority.clock()
    path = check_signer(house.teacher.certificate_der, house.chain, anchors=anchors, at=at)
    assert path.leaf.der == house.teacher.certificate_der
    with pytest.raises(ChainError):
        check_signer(house.teacher.certificate_der, house.chain, anchors=[], at=at)
    with pytest.raises(ChainError):
        check_signer(make_authority().issue_teacher().certificate_der, house.chain, anchors=anchors, at=at)
    with pytest.raises(PurposeError):
        check_signer(house.authority.tsa_der, house.chain, anchors=anchors, at=at)
    with pytest.raises(ExpiredError):
        check_signer(house.teacher.certificate_der, house.chain, anchors=anchors, at=at.replace(year=at.year + 4))


def test_roots_are_left_out_of_the_chain(house: SigningHouse) -> None:
    given = (house.teacher.certificate_der, house.authority.issuing_der, house.authority.root_der, house.authority.root_der)
    assert split_chain(given) == (house.teacher.certificate_der, (house.authority.issuing_der,))


def test_number_of_certificates_is_bounded(house: SigningHouse) -> None:
    for given in ((), (house.teacher.certificate_der,) * 10):
        with pytest.raises(UnfitCertificateError, match=f"{len(given)} certificates, expected the signer's first"):
            split_chain(given)


def test_certificate_of_another_kind_of_key_is_refused() -> None:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    key = ed25519.Ed25519PrivateKey.generate()
    name, now = x509.Name([]), datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1)).sign(key, None)
    with pytest.raises(UnfitCertificateError, match="expected RSA or EC on a NIST curve"):
        KeyElsewhere(made.public_bytes(Encoding.DER))
    with pytest.raises(UnfitCertificateError, match="cannot be read"):
        KeyElsewhere(b"0")


def test_authority_over_http_stamps_signature_and_archive(house: SigningHouse) -> None:
    with serving(honest(house.tsa)) as server:
        remote = RemoteTimeStamper(server.url, clock=house.authority.clock, patience=Patience(pauses=()))
        waiting = prepare_signature(canonical_pdf(), request(house), token_size=token_bound(remote))
        signed = complete_signature(waiting, house.teacher.key.sign(waiting.to_be_signed), time_stamper=remote)
        archived = archive(signed, time_stamper=remote, validation=house.evidence)
    assert [field.name for field in archive_stamps(Document.parse(archived))] == ["Archive-1"]
