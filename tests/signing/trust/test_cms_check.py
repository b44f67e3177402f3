"""One CMS signature by itself: what a verifier must refuse (attack classes 23 to 29)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import SetOf
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pki.keys.softkey import SoftwareKey
from pki.structures import cms as c
from pki.structures.algorithms import RSA_SHA256, Digest
from signing.failure import CheckFailedError
from signing.trust.carried import carried
from signing.trust.cms_check import check, check_detached, read
from signing.verdict import SubIndication
from tests.support.authority import MOMENT
from tests.support.verify_cases import standing_house

CONTENT = b"the signed bytes of a document"
OTHER_CONTENT = b"other bytes"


def self_signed(key: SoftwareKey, *, serial: int = 7, name: str = "Signer") -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), serial, MOMENT, MOMENT.replace(year=2030))
    return builder.sign(key.private_key, hashes.SHA256()).public_bytes(Encoding.DER)


KEY = SoftwareKey.generate()
CERTIFICATE = self_signed(KEY)
MALLORY = SoftwareKey.generate()
FORGED = self_signed(MALLORY)  # same issuer and serial number, another key


def built(**changes: Any) -> c.SignedData:
    given: dict[str, Any] = {
        "content_type": c.DATA,
        "content_digest": Digest.SHA256.of(CONTENT),
        "encapsulated": None,
        "certificate_der": CERTIFICATE,
        "key": KEY,
        "certificates": [CERTIFICATE],
    }
    return c.build_signed_data(**{**given, **changes})


def with_signer(data: c.SignedData, **changes: Any) -> c.SignedData:
    (old,) = data.signer_infos.as_list()
    members = ("version", "sid", "digest_algorithm", "signed_attrs", "signature_algorithm", "signature", "unsigned_attrs")
    signer = c.SignerInfo(**{**{name: getattr(old, name) for name in members}, **changes})
    return with_signers(data, [signer])


def with_signers(data: c.SignedData, signers: list[c.SignerInfo]) -> c.SignedData:
    return c.SignedData(
        version=data.version,
        digest_algorithms=data.digest_algorithms,
        encap_content_info=data.encap_content_info,
        certificates=data.certificates,
        crls=data.crls,
        signer_infos=SetOf(signers),
    )


def resigned(attributes: list[c.Attribute], *, key: SoftwareKey = KEY, **changes: Any) -> c.SignedData:
    """A signature over exactly these signed attributes: what a forger with a key of his own can make."""
    attrs: SetOf[c.Attribute] = SetOf(attributes)
    return with_signer(built(), signed_attrs=attrs, signature=key.sign(c.signed_attributes_der(attrs)), **changes)


CONTENT_TYPE = c.attribute(c.CONTENT_TYPE, asn1.encode_der(c.DATA))
DIGEST = c.attribute(c.MESSAGE_DIGEST, c.octet_string(Digest.SHA256.of(CONTENT)))
ESS = c.signing_certificate_v2(CERTIFICATE)


def judge(data: c.SignedData | bytes, content: bytes = CONTENT, **options: Any) -> Any:
    der = data if isinstance(data, bytes) else c.content_info_der(data)
    return check_detached(der, lambda digest: digest.of(content), **options)


def refused(data: c.SignedData | bytes, content: bytes = CONTENT, **options: Any) -> tuple[SubIndication, str]:
    with pytest.raises(CheckFailedError) as caught:
        judge(data, content, **options)
    return caught.value.sub_indication, caught.value.code


def test_honest_signature_names_its_signer() -> None:
    assert judge(built()).signer.der == CERTIFICATE


def test_altered_content_is_a_hash_failure() -> None:
    assert refused(built(), OTHER_CONTENT) == (SubIndication.HASH_FAILURE, "DIGEST_MISMATCH")


def test_empty_message_digest_is_a_hash_failure() -> None:
    empty = c.attribute(c.MESSAGE_DIGEST, c.octet_string(b""))
    assert refused(resigned([CONTENT_TYPE, empty, ESS])) == (SubIndication.HASH_FAILURE, "DIGEST_MISMATCH")


MALFORMED: dict[str, tuple[Callable[[], c.SignedData | bytes], str]] = {
    "message digest twice": (lambda: resigned([CONTENT_TYPE, DIGEST, DIGEST, ESS]), "CMS_MESSAGE_DIGEST"),
    "message digest with two values": (
        lambda: resigned([CONTENT_TYPE, c.attribute(c.MESSAGE_DIGEST, c.octet_string(b"x"), c.octet_string(b"y")), ESS]),
        "CMS_MESSAGE_DIGEST",
    ),
    "no message digest": (lambda: resigned([CONTENT_TYPE, ESS]), "CMS_MESSAGE_DIGEST"),
    "message digest that is no octet string": (
        lambda: resigned([CONTENT_TYPE, c.attribute(c.MESSAGE_DIGEST, asn1.encode_der(5)), ESS]),
        "CMS_MESSAGE_DIGEST",
    ),
    "wrong content type": (
        lambda: resigned([c.attribute(c.CONTENT_TYPE, asn1.encode_der(c.TST_INFO)), DIGEST, ESS]),
        "CMS_CONTENT_TYPE",
    ),
    "no content type": (lambda: resigned([DIGEST, ESS]), "CMS_CONTENT_TYPE"),
    "content type of a time stamp": (lambda: built(content_type=c.TST_INFO), "CMS_CONTENT_TYPE"),
    "no ESS attribute": (lambda: resigned([CONTENT_TYPE, DIGEST]), "ESS_MISSING"),
    "ESS attribute twice": (lambda: resigned([CONTENT_TYPE, DIGEST, ESS, ESS]), "CMS_SIGNING_CERTIFICATE_V2"),
    "ESS attribute that is none": (
        lambda: resigned([CONTENT_TYPE, DIGEST, c.attribute(c.SIGNING_CERTIFICATE_V2, asn1.encode_der(1))]),
        "ESS_MALFORMED",
    ),
    "ESS attribute naming nobody": (
        lambda: resigned([CONTENT_TYPE, DIGEST, c.attribute(c.SIGNING_CERTIFICATE_V2, bytes.fromhex("30023000"))]),
        "ESS_MALFORMED",
    ),
    "enclosed content": (lambda: built(encapsulated=CONTENT), "CMS_ENCLOSED_CONTENT"),
    "no SignerInfo": (lambda: with_signers(built(), []), "CMS_MALFORMED"),
    "two SignerInfos": (
        lambda: with_signers(built(), [*built().signer_infos.as_list(), *with_signer(built(), version=3).signer_infos.as_list()]),
        "CMS_MALFORMED",
    ),
    "trailing octet": (lambda: c.content_info_der(built()) + b"\0", "CMS_MALFORMED"),
    "not DER": (lambda: b"0\x80\x00\x00", "CMS_MALFORMED"),
    "nothing": (lambda: b"", "CMS_MALFORMED"),
    "no signed attributes": (
        lambda: with_signer(built(), signed_attrs=None, signature=KEY.sign(CONTENT)),
        "CMS_NO_SIGNED_ATTRIBUTES",
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_signature_is_a_format_failure(case: str) -> None:
    build, code = MALFORMED[case]
    assert refused(build()) == (SubIndication.FORMAT_FAILURE, code)


def test_signed_attributes_replayed_as_content_are_refused() -> None:
    honest = built()
    (signer,) = honest.signer_infos.as_list()
    replayed = c.signed_attributes_der(signer.signed_attrs)
    stripped = with_signer(honest, signed_attrs=None)
    assert refused(stripped, replayed) == (SubIndication.FORMAT_FAILURE, "CMS_NO_SIGNED_ATTRIBUTES")


def test_unsorted_signed_attributes_are_refused() -> None:
    der = c.content_info_der(built())
    first, second = (asn1.encode_der(item) for item in sorted([CONTENT_TYPE, DIGEST], key=asn1.encode_der))
    assert der.count(first + second) == 1
    assert refused(der.replace(first + second, second + first)) == (SubIndication.FORMAT_FAILURE, "CMS_MALFORMED")


def test_certificate_that_signer_info_does_not_name_is_not_taken() -> None:
    other = self_signed(KEY, serial=8)
    assert refused(built(certificates=[other])) == (SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "SIGNER_CERTIFICATE_MISSING")


def test_ess_attribute_naming_another_certificate_is_refused() -> None:
    other = c.signing_certificate_v2(self_signed(KEY, serial=8))
    assert refused(resigned([CONTENT_TYPE, DIGEST, other])) == (SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "SIGNER_CERTIFICATE_MISMATCH")


def test_forged_certificate_with_the_same_issuer_and_serial_does_not_stand_in() -> None:
    assert refused(built(certificates=[FORGED])) == (SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "SIGNER_CERTIFICATE_MISMATCH")


def test_ess_attribute_chooses_between_certificates_of_the_same_issuer_and_serial() -> None:
    assert judge(built(certificates=[FORGED, CERTIFICATE])).signer.der == CERTIFICATE


ESS_V1 = c.attribute(
    c.SIGNING_CERTIFICATE, bytes.fromhex("301a30183016" + "0414") + hashlib.sha1(CERTIFICATE, usedforsecurity=False).digest()
)


def judge_token(data: c.SignedData) -> Any:
    """As a time stamp's CMS is looked at."""
    cms = read(c.content_info_der(data))
    return check(cms, content_type=c.DATA, content_digest=lambda digest: digest.of(CONTENT), ess_v1=True)


def test_first_ess_attribute_names_the_certificate_of_a_time_stamp() -> None:
    assert judge_token(resigned([CONTENT_TYPE, DIGEST, ESS_V1])).signer.der == CERTIFICATE


def test_first_ess_attribute_does_not_do_for_a_document() -> None:
    assert refused(resigned([CONTENT_TYPE, DIGEST, ESS_V1])) == (SubIndication.FORMAT_FAILURE, "ESS_MISSING")


def test_first_ess_attribute_naming_another_certificate_is_refused() -> None:
    with pytest.raises(CheckFailedError, match="names another certificate"):
        judge_token(replace_certificates(resigned([CONTENT_TYPE, DIGEST, ESS_V1]), [FORGED]))


def test_second_ess_attribute_counts_where_there_are_both() -> None:
    other = c.signing_certificate_v2(self_signed(KEY, serial=8))
    with pytest.raises(CheckFailedError, match="names another certificate"):
        judge_token(resigned([CONTENT_TYPE, DIGEST, ESS_V1, other]))


@pytest.mark.parametrize("value", ["0500", "3000", "30023000"])
def test_first_ess_attribute_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(CheckFailedError, match="is not valid DER"):
        judge_token(resigned([CONTENT_TYPE, DIGEST, c.attribute(c.SIGNING_CERTIFICATE, bytes.fromhex(value))]))


def test_without_ess_two_certificates_of_the_same_name_are_ambiguous() -> None:
    signature = resigned([CONTENT_TYPE, DIGEST])
    both = replace_certificates(signature, [CERTIFICATE, FORGED])
    assert refused(both, ess_required=False) == (SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "SIGNER_CERTIFICATE_AMBIGUOUS")


def test_without_ess_a_single_certificate_will_do_where_it_is_not_required() -> None:
    assert judge(resigned([CONTENT_TYPE, DIGEST]), ess_required=False).signer.der == CERTIFICATE


@pytest.mark.parametrize(
    "signature", [b"\x00", b"\x01", b"", bytes(64), bytes.fromhex("3006020100020100"), bytes.fromhex("3006020101020101")]
)
def test_degenerate_signature_value_is_a_crypto_failure(signature: bytes) -> None:
    assert refused(with_signer(built(), signature=signature)) == (SubIndication.SIG_CRYPTO_FAILURE, "SIGNATURE_VALUE")


def test_signature_of_another_key_is_a_crypto_failure() -> None:
    assert refused(resigned([CONTENT_TYPE, DIGEST, ESS], key=MALLORY)) == (SubIndication.SIG_CRYPTO_FAILURE, "SIGNATURE_VALUE")


SHA1 = "300906052b0e03021a0500"
MD5 = "300c06082a864886f70d02050500"
SHA1_RSA = "300d06092a864886f70d0101050500"
PSS = "300b06092a864886f70d01010a"


@pytest.mark.parametrize(
    "changes",
    [
        {"digest_algorithm": SHA1},
        {"digest_algorithm": MD5},
        {"signature_algorithm": SHA1_RSA},
        {"signature_algorithm": PSS},
        {"signature_algorithm": RSA_SHA256.identifier_der.hex()},
    ],
    ids=["SHA-1", "MD5", "SHA-1 with RSA", "PSS", "RSA over an EC key"],
)
def test_weak_or_mismatched_algorithm_is_refused(changes: dict[str, str]) -> None:
    wire = {name: c.tlv(bytes.fromhex(value)) for name, value in changes.items()}
    assert refused(with_signer(built(), **wire)) == (SubIndication.CRYPTO_CONSTRAINTS_FAILURE, "ALGORITHM_NOT_ACCEPTED")


def test_digest_algorithm_that_the_signature_algorithm_does_not_share_is_refused() -> None:
    digest = c.attribute(c.MESSAGE_DIGEST, c.octet_string(Digest.SHA512.of(CONTENT)))
    mixed = resigned([CONTENT_TYPE, digest, ESS], digest_algorithm=c.tlv(Digest.SHA512.identifier_der))
    assert refused(mixed) == (SubIndication.CRYPTO_CONSTRAINTS_FAILURE, "ALGORITHM_NOT_ACCEPTED")


@pytest.mark.parametrize(
    "private_key",
    [rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP192R1())],
    ids=["RSA-1024", "P-192"],
)
def test_short_key_is_refused(private_key: Any) -> None:
    key = SoftwareKey(rsa.generate_private_key(65537, 2048)) if isinstance(private_key, rsa.RSAPrivateKey) else SoftwareKey.generate()
    weak = replace_key(key, private_key)
    certificate = self_signed(weak)
    signature = built(certificate_der=certificate, key=weak, certificates=[certificate])
    assert refused(signature) == (SubIndication.CRYPTO_CONSTRAINTS_FAILURE, "ALGORITHM_NOT_ACCEPTED")


def test_too_many_certificates_are_refused() -> None:
    crowd = [self_signed(KEY, serial=number) for number in range(1, 70)]
    assert refused(built(certificates=crowd)) == (SubIndication.FORMAT_FAILURE, "CMS_TOO_MANY_CERTIFICATES")


def replace_certificates(data: c.SignedData, certificates: list[bytes]) -> c.SignedData:
    return c.SignedData(
        version=data.version,
        digest_algorithms=data.digest_algorithms,
        encap_content_info=data.encap_content_info,
        certificates=SetOf([c.tlv(der) for der in certificates]),
        crls=None,
        signer_infos=data.signer_infos,
    )


class _WeakKey(SoftwareKey):
    """A key that the house itself would never make."""

    def __init__(self, like: SoftwareKey, private_key: Any) -> None:
        super().__init__(like.private_key)
        self._private_key = private_key
        self._public_key = private_key.public_key()


def replace_key(like: SoftwareKey, private_key: Any) -> SoftwareKey:
    return _WeakKey(like, private_key)


def test_certificate_whose_names_hold_what_names_do_not_is_left_out() -> None:
    der = standing_house().house.teacher.certificate_der
    issuer = der.index(bytes.fromhex("550403"))  # commonName, the issuer's first
    assert der[issuer + 3] == 0x0C
    assert carried(der) is not None
    assert carried(der[: issuer + 3] + b"\x03" + der[issuer + 4 :]) is None  # a BIT STRING: `cryptography` raises TypeError
