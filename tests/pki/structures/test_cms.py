from __future__ import annotations

import contextlib
import hashlib

import pytest
from asn1crypto import cms as reference
from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import SetOf
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings

from pki.errors import EncodingError, PkiError, SignatureError
from pki.keys.softkey import SoftwareKey
from pki.structures.algorithms import RSA_SHA256, Digest
from pki.structures.cms import (
    CONTENT_TYPE,
    DATA,
    MAX_SIGNED_DATA,
    MESSAGE_DIGEST,
    SIGNATURE_TIME_STAMP,
    SIGNING_CERTIFICATE_V2,
    ContentInfo,
    SignedData,
    attribute,
    build_signed_data,
    content_info_der,
    octet_string,
    parse_signed_data,
    with_unsigned_attributes,
)
from pki.structures.tsp import parse_time_stamp_token
from tests.support.mutation import FUZZ, Damage, damages
from tests.support.status_house import House, Party

DIGEST = hashlib.sha256(b"document").digest()


def signed(party: Party, *, certificates: tuple[bytes, ...] | None = None) -> SignedData:
    return build_signed_data(
        content_type=DATA,
        content_digest=DIGEST,
        encapsulated=None,
        certificate_der=party.der,
        key=party.key,
        certificates=(party.der,) if certificates is None else certificates,
    )


def test_openssl_verifies_a_detached_signature(house: House) -> None:
    signature = house.file("signature", content_info_der(signed(house.teacher, certificates=(house.teacher.der, house.issuing.der))))
    done = house.openssl(
        *("cms", "-verify", "-inform", "DER", "-in", signature, "-content", house.file("content", b"document"), "-binary"),
        *("-CAfile", house.pem(house.root), "-purpose", "any", *house.attime, "-out", "out"),
    )
    assert "CMS Verification successful" in done.stderr


def test_parsing_gives_back_what_was_built(house: House) -> None:
    parsed = parse_signed_data(content_info_der(signed(house.teacher)))
    assert (parsed.content_type, parsed.encapsulated, parsed.digest) == (DATA, None, Digest.SHA256)
    assert parsed.certificates == (house.teacher.der,)
    assert parsed.serial_number == house.teacher.serial
    assert parsed.issuer_der == house.teacher.certificate.issuer.public_bytes()
    assert parsed.signed_values(MESSAGE_DIGEST) == (octet_string(DIGEST),)
    assert parsed.signed_values(CONTENT_TYPE) == (asn1.encode_der(DATA),)
    assert len(parsed.signed_values(SIGNING_CERTIFICATE_V2)) == 1
    parsed.verify(house.teacher.certificate.public_key())


def test_another_implementation_reads_the_same(house: House) -> None:
    info = reference.ContentInfo.load(content_info_der(signed(house.teacher)), strict=True)
    (signer,) = info["content"]["signer_infos"]
    assert signer["sid"].chosen["serial_number"].native == house.teacher.serial
    assert info["content"]["encap_content_info"]["content"].native is None
    assert info.dump(force=True) == content_info_der(parse_back(info.dump()))


def parse_back(der: bytes) -> SignedData:
    return asn1.decode_der(ContentInfo, der).content


def test_certificates_are_left_out_where_there_are_none(house: House) -> None:
    built = signed(house.teacher, certificates=())
    assert built.certificates is None
    assert parse_signed_data(content_info_der(built)).certificates == ()


def test_unsigned_attributes_do_not_change_the_signature(house: House) -> None:
    stamp = attribute(SIGNATURE_TIME_STAMP, house.tsa().stamp(DIGEST))
    parsed = parse_signed_data(content_info_der(with_unsigned_attributes(signed(house.teacher), [stamp])))
    parsed.verify(house.teacher.certificate.public_key())
    assert parse_time_stamp_token(parsed.unsigned_values(SIGNATURE_TIME_STAMP)[0]).imprint == DIGEST


def test_another_key_does_not_verify(house: House) -> None:
    with pytest.raises(SignatureError, match="ecdsa-with-SHA256 signature does not verify"):
        parse_signed_data(content_info_der(signed(house.teacher))).verify(house.issuing.certificate.public_key())


def test_an_rsa_signature_verifies(house: House) -> None:
    key = SoftwareKey(rsa.generate_private_key(65537, 2048))
    certificate = x509.load_der_x509_certificate(house.teacher.der)
    parsed = parse_signed_data(content_info_der(signed(Party(certificate.public_bytes(Encoding.DER), key))))
    assert parsed.signature_identifier_der == RSA_SHA256.identifier_der
    parsed.verify(key.public_key())


@pytest.mark.parametrize("count", [0, 2])
def test_any_number_of_signers_but_one_is_refused(house: House, count: int) -> None:
    one = signed(house.teacher)
    signers = one.signer_infos.as_list() + signed(house.teacher).signer_infos.as_list()
    changed = SignedData(
        version=one.version,
        digest_algorithms=one.digest_algorithms,
        encap_content_info=one.encap_content_info,
        certificates=one.certificates,
        crls=None,
        signer_infos=SetOf(signers[:count]),
    )
    with pytest.raises(EncodingError, match=f"{count} SignerInfos, expected exactly one"):
        parse_signed_data(content_info_der(changed))


def test_trailing_octets_are_refused(house: House) -> None:
    with pytest.raises(EncodingError, match="not valid DER SignedData"):
        parse_signed_data(content_info_der(signed(house.teacher)) + b"\x00")


def test_unsorted_signed_attributes_are_refused(house: House) -> None:
    der = content_info_der(signed(house.teacher))
    first = asn1.encode_der(attribute(CONTENT_TYPE, asn1.encode_der(DATA)))
    second = asn1.encode_der(attribute(MESSAGE_DIGEST, octet_string(DIGEST)))
    swapped = der.replace(first + second, second + first)
    assert swapped != der
    with pytest.raises(EncodingError, match="not valid DER SignedData"):
        parse_signed_data(swapped)


def test_another_content_type_is_refused(house: House) -> None:
    der = asn1.encode_der(ContentInfo(content_type=DATA, content=signed(house.teacher)))
    with pytest.raises(EncodingError, match=r"type is 1.2.840.113549.1.7.1, expected SignedData"):
        parse_signed_data(der)


def test_more_octets_than_are_read_are_refused() -> None:
    with pytest.raises(EncodingError, match="more than the"):
        parse_signed_data(bytes(MAX_SIGNED_DATA + 1))


def test_a_signature_is_not_a_time_stamp(house: House) -> None:
    with pytest.raises(EncodingError, match="expected an enclosed TSTInfo"):
        parse_time_stamp_token(content_info_der(signed(house.teacher)))


@settings(FUZZ, max_examples=2000)
@given(damage=damages)
def test_damaged_tokens_are_read_or_refused(house: House, damage: Damage) -> None:
    with contextlib.suppress(PkiError):
        token = parse_time_stamp_token(damage.to(house.tsa().stamp(DIGEST)))
        token.cms.verify(house.tsa_party.certificate.public_key())
