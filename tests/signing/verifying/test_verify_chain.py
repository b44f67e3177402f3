"""Signers whose certificate a careless verifier would take: each refused by the whole verdict (attack classes 28, 31 and 32)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from pki.keys.softkey import SoftwareKey
from signing.applying.sign import sign
from signing.verdict import Entitlement, Indication, SubIndication
from tests.support.verify_cases import RecordHouse, codes, exported, make_record_house

Extensions = list[tuple[x509.ExtensionType, bool]]
USAGE = x509.KeyUsage(
    digital_signature=False,
    content_commitment=True,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
TEACHER = x509.CertificatePolicies([x509.PolicyInformation(ObjectIdentifier("1.3.6.1.4.1.32473.1.1.1"), None)])
UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.32473.9.9"), b"\x05\x00")


def certified(house: RecordHouse, issuer_der: bytes, issuer_key: SoftwareKey, extensions: Extensions) -> tuple[bytes, SoftwareKey]:
    """A certificate that no profile of ours makes, but with a true signature."""
    key, issuer = SoftwareKey.generate(), x509.load_der_x509_certificate(issuer_der)
    builder = x509.CertificateBuilder(
        issuer_name=issuer.subject,
        subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mallory")]),
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=house.now - timedelta(days=1),
        not_valid_after=house.now + timedelta(days=365),
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical=critical)
    algorithm = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384()}[issuer_key.algorithm.digest.value]
    return builder.sign(issuer_key.private_key, algorithm).public_bytes(Encoding.DER), key


def server_certificate(house: RecordHouse) -> tuple[bytes, SoftwareKey, tuple[bytes, ...]]:
    eku = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    authority = house.house.authority
    der, key = certified(house, authority.issuing_der, authority.issuing_key, [(USAGE, True), (eku, False), (TEACHER, False)])
    return der, key, (authority.issuing_der,)


def unknown_critical(house: RecordHouse) -> tuple[bytes, SoftwareKey, tuple[bytes, ...]]:
    authority = house.house.authority
    der, key = certified(house, authority.issuing_der, authority.issuing_key, [(USAGE, True), (TEACHER, False), (UNKNOWN, True)])
    return der, key, (authority.issuing_der,)


def issued_by_a_teacher(house: RecordHouse) -> tuple[bytes, SoftwareKey, tuple[bytes, ...]]:
    teacher = house.house.teacher
    der, key = certified(house, teacher.certificate_der, teacher.key, [(USAGE, True), (TEACHER, False)])
    return der, key, (teacher.certificate_der, house.house.authority.issuing_der)


def self_issued(house: RecordHouse) -> tuple[bytes, SoftwareKey, tuple[bytes, ...]]:
    """Bears the issuing CA's name as its issuer's, and nobody's signature but its own maker's."""
    authority, mallory = house.house.authority, SoftwareKey.generate("P-384")
    der, key = certified(house, authority.issuing_der, mallory, [(USAGE, True), (TEACHER, False)])
    return der, key, (authority.issuing_der,)


MALLORY: dict[str, tuple[Callable[[RecordHouse], tuple[bytes, SoftwareKey, tuple[bytes, ...]]], SubIndication]] = {
    "for servers only": (server_certificate, SubIndication.CHAIN_CONSTRAINTS_FAILURE),
    "unknown critical extension": (unknown_critical, SubIndication.CHAIN_CONSTRAINTS_FAILURE),
    "issued by a teacher": (issued_by_a_teacher, SubIndication.CHAIN_CONSTRAINTS_FAILURE),
    "issuer's name without its signature": (self_issued, SubIndication.NO_CERTIFICATE_CHAIN_FOUND),
}


@pytest.mark.parametrize("case", MALLORY)
def test_signer_without_a_valid_chain_does_not_pass(case: str) -> None:
    make, sub_indication = MALLORY[case]
    house = make_record_house()
    der, key, chain = make(house)
    request = replace(house.house.request("homeroom"), certificate_der=der, key=key, chain=chain)
    verdict = house.judge(sign(exported(), request, time_stamper=None))
    assert (verdict.indication, verdict.sub_indication) == (Indication.INDETERMINATE, sub_indication)
    assert verdict.entitlement is Entitlement.UNKNOWN
    assert verdict.signatures[0].signer is not None
    assert verdict.signatures[0].signer.role is None
    assert any(code.startswith("CHAIN_") for code in codes(verdict))
