"""Attack classes 23 to 29: CMS signatures that a careless verifier takes for good. Layout, chain and time stamp are sound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from pki.structures import cms as c
from pki.structures.algorithms import RSA_SHA256, Digest
from tests.corpus.case import GoodFiles, case
from tests.corpus.cms import content_type, ess, ess_v1, message_digest, over, sound, with_certificates, with_signer, with_signers
from tests.corpus.edit import Name
from tests.corpus.stranger import Cms, signed, stranger
from tests.support.chain_cases import Node

ATTRIBUTES = "RFC 5652 5.3, 11.1, 11.2: each once, with one value"
ESS = "EN 319 142-1 6.3; RFC 5035 5.4.1.1"
ALGORITHMS = "ETSI TS 119 312"
FORMAT = "TOTAL-FAILED/FORMAT_FAILURE "
BROKEN = "TOTAL-FAILED/SIG_CRYPTO_FAILURE SIGNATURE_VALUE"
WEAK = "INDETERMINATE/CRYPTO_CONSTRAINTS_FAILURE ALGORITHM_NOT_ACCEPTED"
SHA1_RSA = bytes.fromhex("300d06092a864886f70d0101050500")
SHA1 = bytes.fromhex("300906052b0e03021a0500")
MD5 = bytes.fromhex("300c06082a864886f70d02050500")
MD5_RSA = bytes.fromhex("300d06092a864886f70d0101040500")
PSS_SHA256 = bytes.fromhex(
    "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120"
)


def attributes(make: Callable[[bytes], list[c.Attribute]], **changes: Any) -> Cms:
    """Signed honestly over the wrong attributes."""

    def build(content: bytes) -> c.SignedData:
        house = stranger()
        return over(sound(content, house.signer, house.ca), house.signer, make(content), **changes)

    return build


def changed(change: Callable[[c.SignedData], c.SignedData | bytes]) -> Cms:
    """A sound signature, changed afterwards."""
    return lambda content: change(sound(content, stranger().signer, stranger().ca))


@case("23-honest", 23, clause="EN 319 142-1", reason="the same file without an attack", verdict="TOTAL-PASSED")
def honest(good: GoodFiles) -> bytes:
    return signed()


@case("23-digest-mismatch", 23, clause=ATTRIBUTES, reason="signed over other octets", verdict="TOTAL-FAILED/HASH_FAILURE DIGEST_MISMATCH")
def digest_mismatch(good: GoodFiles) -> bytes:
    return signed(cms=attributes(lambda content: [content_type(), message_digest(b"other octets"), ess(stranger().signer)]))


@case("23-digest-empty", 23, clause=ATTRIBUTES, reason="an empty digest", verdict="TOTAL-FAILED/HASH_FAILURE DIGEST_MISMATCH")
def digest_empty(good: GoodFiles) -> bytes:
    empty = c.attribute(c.MESSAGE_DIGEST, c.octet_string(b""))
    return signed(cms=attributes(lambda content: [content_type(), empty, ess(stranger().signer)]))


@case("23-digest-twice", 23, clause=ATTRIBUTES, reason="two digests, one of them right", verdict=FORMAT + "CMS_MESSAGE_DIGEST")
def digest_twice(good: GoodFiles) -> bytes:
    return signed(cms=attributes(lambda content: [content_type(), message_digest(content), message_digest(b"x"), ess(stranger().signer)]))


@case("23-digest-two-values", 23, clause=ATTRIBUTES, reason="one attribute with two digests", verdict=FORMAT + "CMS_MESSAGE_DIGEST")
def digest_two_values(good: GoodFiles) -> bytes:
    def make(content: bytes) -> list[c.Attribute]:
        both = c.attribute(c.MESSAGE_DIGEST, *(c.octet_string(Digest.SHA256.of(one)) for one in (content, b"x")))
        return [content_type(), both, ess(stranger().signer)]

    return signed(cms=attributes(make))


@case("23-digest-absent", 23, clause=ATTRIBUTES, reason="no digest at all", verdict=FORMAT + "CMS_MESSAGE_DIGEST")
def digest_absent(good: GoodFiles) -> bytes:
    return signed(cms=attributes(lambda content: [content_type(), ess(stranger().signer)]))


@case("23-content-type", 23, clause=ATTRIBUTES, reason="says that it signs a time stamp", verdict=FORMAT + "CMS_CONTENT_TYPE")
def wrong_content_type(good: GoodFiles) -> bytes:
    return signed(cms=attributes(lambda content: [content_type(c.TST_INFO), message_digest(content), ess(stranger().signer)]))


@case("23-content-type-absent", 23, clause=ATTRIBUTES, reason="does not say what it signs", verdict=FORMAT + "CMS_CONTENT_TYPE")
def no_content_type(good: GoodFiles) -> bytes:
    return signed(cms=attributes(lambda content: [message_digest(content), ess(stranger().signer)]))


@case(
    "23-attributes-unsorted",
    23,
    clause="X.690 10.3: DER sorts a SET OF",
    reason="two orders, two signatures",
    verdict=FORMAT + "CMS_MALFORMED",
)
def attributes_unsorted(good: GoodFiles) -> bytes:
    def unsorted(content: bytes) -> bytes:
        der = c.content_info_der(sound(content, stranger().signer, stranger().ca))
        first, second = sorted([asn1.encode_der(content_type()), asn1.encode_der(message_digest(content))])
        assert der.count(first + second) == 1
        return der.replace(first + second, second + first)

    return signed(cms=unsorted)


@case("23-trailing-octets", 23, "CONTENTS_NOT_DER", clause="EN 319 142-1 6.3", reason="octets after the CMS, in the room kept for it")
def trailing_octets(good: GoodFiles) -> bytes:
    return signed(cms=lambda content: c.content_info_der(sound(content, stranger().signer, stranger().ca)) + b"\0MORE")


@case("24-digest-algorithm", 24, clause="RFC 5652 5.3, 5.4", reason="another digest than the signature's", verdict=WEAK)
def digest_algorithm(good: GoodFiles) -> bytes:
    other = c.tlv(Digest.SHA512.identifier_der)
    make = attributes(
        lambda content: [content_type(), message_digest(content, Digest.SHA512), ess(stranger().signer)], digest_algorithm=other
    )
    return signed(cms=make)


@case("24-rsa-over-ec-key", 24, clause=ALGORITHMS, reason="an RSA signature by an EC key", verdict=WEAK)
def rsa_over_ec_key(good: GoodFiles) -> bytes:
    return signed(cms=changed(lambda data: with_signer(data, signature_algorithm=c.tlv(RSA_SHA256.identifier_der))))


@case(
    "24-pss-over-pkcs1",
    24,
    clause="RFC 4055 3.1",
    reason="says PSS, is PKCS#1 v1.5",
    verdict=BROKEN,
)
def pss_over_pkcs1(good: GoodFiles) -> bytes:
    signer = stranger().ca.issue("RSA Signer", subject_key=rsa.generate_private_key(65537, 2048))
    say = c.tlv(PSS_SHA256)
    return signed(signer, cms=lambda content: with_signer(sound(content, signer, stranger().ca), signature_algorithm=say))


def _pss(identifier: bytes, *, hashed: hashes.HashAlgorithm, salt: int) -> bytes:
    """A file signed with RSASSA-PSS; what it says of itself may be another matter."""
    key = rsa.generate_private_key(65537, 2048)
    signer = stranger().ca.issue("PSS Signer", subject_key=key)

    def made(content: bytes) -> c.SignedData:
        frame = sound(content, signer, stranger().ca)
        (info,) = frame.signer_infos.as_list()
        assert info.signed_attrs is not None
        pad = padding.PSS(mgf=padding.MGF1(hashed), salt_length=salt)
        value = key.sign(c.signed_attributes_der(info.signed_attrs), pad, hashed)
        return with_signer(frame, signature_algorithm=c.tlv(identifier), signature=value)

    return signed(signer, cms=made)


@case("24-pss", 24, clause="RFC 4056", reason="honest: RSASSA-PSS with SHA-256", verdict="TOTAL-PASSED")
def pss(good: GoodFiles) -> bytes:
    return _pss(PSS_SHA256, hashed=hashes.SHA256(), salt=32)


@case("24-pss-other-salt", 24, clause="RFC 4055 3.1", reason="another length of salt than it says", verdict=BROKEN)
def pss_other_salt(good: GoodFiles) -> bytes:
    return _pss(PSS_SHA256, hashed=hashes.SHA256(), salt=20)


@case("24-pss-other-digest", 24, clause="RFC 4056 3", reason="PSS with SHA-512, the digest SHA-256", verdict=WEAK)
def pss_other_digest(good: GoodFiles) -> bytes:
    other = PSS_SHA256.replace(bytes.fromhex("0609608648016503040201"), bytes.fromhex("0609608648016503040203"))
    return _pss(other, hashed=hashes.SHA512(), salt=32)


@case("24-pss-default-parameters", 24, clause="ETSI TS 119 312", reason="PSS without parameters, which means SHA-1", verdict=WEAK)
def pss_default_parameters(good: GoodFiles) -> bytes:
    return _pss(bytes.fromhex("300d06092a864886f70d01010a3000"), hashed=hashes.SHA1(), salt=20)


@case(
    "25-no-signed-attributes",
    25,
    clause="EN 319 122-1 4.3",
    reason="the octets signed directly",
    verdict=FORMAT + "CMS_NO_SIGNED_ATTRIBUTES",
)
def no_signed_attributes(good: GoodFiles) -> bytes:
    def direct(content: bytes) -> c.SignedData:
        signature = stranger().signer.key.sign(content, ec.ECDSA(hashes.SHA256()))
        return with_signer(sound(content, stranger().signer, stranger().ca), signed_attrs=None, signature=signature)

    return signed(cms=direct)


@case(
    "25-attributes-as-content",
    25,
    clause="RFC 5652 5.4; the attack of Strenzke, 2023",
    reason="signed attributes of another document, enclosed as if they were what is signed",
    verdict=FORMAT + "CMS_ENCLOSED_CONTENT",
)
def attributes_as_content(good: GoodFiles) -> bytes:
    def replayed(content: bytes) -> c.SignedData:
        elsewhere = sound(b"another document", stranger().signer)
        (signer,) = elsewhere.signer_infos.as_list()
        assert signer.signed_attrs is not None
        enclosing = sound(content, stranger().signer, stranger().ca, encapsulated=c.signed_attributes_der(signer.signed_attrs))
        return with_signer(enclosing, signed_attrs=None, signature=signer.signature)

    return signed(cms=replayed)


@case("26-ess-missing", 26, clause=ESS, reason="no attribute says whose certificate it is", verdict=FORMAT + "ESS_MISSING")
def ess_missing(good: GoodFiles) -> bytes:
    return signed(cms=attributes(lambda content: [content_type(), message_digest(content)]))


@case(
    "26-ess-other",
    26,
    clause=ESS,
    reason="the attribute names another certificate",
    verdict="INDETERMINATE/NO_SIGNING_CERTIFICATE_FOUND SIGNER_CERTIFICATE_MISMATCH",
)
def ess_other(good: GoodFiles) -> bytes:
    return signed(cms=attributes(lambda content: [content_type(), message_digest(content), ess(stranger().ca)]))


@case("26-ess-twice", 26, clause=ESS, reason="two attributes, two certificates", verdict=FORMAT + "CMS_SIGNING_CERTIFICATE_V2")
def ess_twice(good: GoodFiles) -> bytes:
    house = stranger()
    return signed(cms=attributes(lambda content: [content_type(), message_digest(content), ess(house.signer), ess(house.ca)]))


@case("26-ess-empty", 26, clause=ESS, reason="the attribute names nobody", verdict=FORMAT + "ESS_MALFORMED")
def ess_empty(good: GoodFiles) -> bytes:
    nobody = c.attribute(c.SIGNING_CERTIFICATE_V2, bytes.fromhex("30023000"))
    return signed(cms=attributes(lambda content: [content_type(), message_digest(content), nobody]))


@case("26-ess-v1-only", 26, clause=ESS, reason="names its certificate by SHA-1 alone", verdict=FORMAT + "ESS_MISSING")
def ess_v1_only(good: GoodFiles) -> bytes:
    return signed(cms=attributes(lambda content: [content_type(), message_digest(content), ess_v1(stranger().signer)]))


@case("27-no-signer-info", 27, clause="EN 319 142-1 6.3: one", reason="signed by nobody", verdict=FORMAT + "CMS_MALFORMED")
def no_signer_info(good: GoodFiles) -> bytes:
    return signed(cms=changed(lambda data: with_signers(data, [])))


@case("27-two-signer-infos", 27, clause="EN 319 142-1 6.3: one", reason="two signers in one field", verdict=FORMAT + "CMS_MALFORMED")
def two_signer_infos(good: GoodFiles) -> bytes:
    def two(content: bytes) -> c.SignedData:
        first, second = (sound(content, node, stranger().ca) for node in (stranger().signer, stranger().ca.issue("Second Signer")))
        return with_signers(first, [*first.signer_infos.as_list(), *second.signer_infos.as_list()])

    return signed(cms=two)


@case(
    "27-enclosed-content", 27, clause="ISO 32000-2 12.8.3.3: detached", reason="content of its own", verdict=FORMAT + "CMS_ENCLOSED_CONTENT"
)
def enclosed_content(good: GoodFiles) -> bytes:
    return signed(cms=lambda content: sound(content, stranger().signer, stranger().ca, encapsulated=b"other content"))


def _impostor(node: Node) -> Node:
    """Another key under the same issuer, serial number and subject; the CA's name, not its signature."""
    forged = ec.generate_private_key(ec.SECP256R1())
    certificate = node.certificate
    return stranger().ca.issue(serial=certificate.serial_number, subject=certificate.subject, signing_key=forged)


@case(
    "28-forged-twin",
    28,
    clause="EN 319 102-1 5.2.3",
    reason="a forged certificate of the same issuer and serial number, signing for itself",
    verdict="INDETERMINATE/NO_CERTIFICATE_CHAIN_FOUND CHAIN_SIGNATURE",
)
def forged_twin(good: GoodFiles) -> bytes:
    return signed(_impostor(stranger().signer))


@case(
    "28-twin-for-the-signer",
    28,
    clause="EN 319 102-1 5.2.3; ESS names it by its digest",
    reason="the forged twin in the place of the signer's certificate",
    verdict="INDETERMINATE/NO_SIGNING_CERTIFICATE_FOUND SIGNER_CERTIFICATE_MISMATCH",
)
def twin_for_the_signer(good: GoodFiles) -> bytes:
    twin = _impostor(stranger().signer)
    return signed(cms=changed(lambda data: with_certificates(data, [twin.der, stranger().ca.der])))


@case(
    "28-twin-beside",
    28,
    clause="ESS names the true one",
    reason="a forged twin beside the certificate: pyHanko looks at the last alone, and what one verifier refuses does not pass",
    verdict="INDETERMINATE/NO_SIGNING_CERTIFICATE_FOUND SECOND_OPINION_DISAGREES",
)
def twin_beside(good: GoodFiles) -> bytes:
    house = stranger()
    twin = next(one for one in iter(lambda: _impostor(house.signer), None) if one.der > house.signer.der)  # DER sorts a SET OF
    return signed(cms=changed(lambda data: with_certificates(data, [twin.der, house.signer.der, house.ca.der])))


def _rsa(bits: int, digest: hashes.HashAlgorithm, digest_der: bytes, signature_der: bytes, size: int) -> bytes:
    """A file signed with RSA and any digest, as the algorithms' identifiers say."""
    key = rsa.generate_private_key(65537, max(bits, 1024))
    signer = stranger().ca.issue("RSA Signer", subject_key=key)

    def weak(content: bytes) -> c.SignedData:
        hasher = hashes.Hash(digest)
        hasher.update(content)
        stated = c.attribute(c.MESSAGE_DIGEST, c.octet_string(hasher.finalize()))
        attrs: Any = asn1.SetOf([content_type(), stated, ess(signer)])
        frame = with_certificates(sound(content, stranger().signer), [signer.der, stranger().ca.der])
        return with_signer(
            frame,
            sid=c.issuer_and_serial(signer.der),
            digest_algorithm=c.tlv(digest_der),
            signature_algorithm=c.tlv(signature_der),
            signed_attrs=attrs,
            signature=key.sign(c.signed_attributes_der(attrs), padding.PKCS1v15(), digest),
        )

    return signed(signer, cms=weak)


@case("29-rsa-2048", 29, clause=ALGORITHMS, reason="honest: RSA of 2048 bits and SHA-256", verdict="TOTAL-PASSED")
def rsa_2048(good: GoodFiles) -> bytes:
    return _rsa(2048, hashes.SHA256(), Digest.SHA256.identifier_der, RSA_SHA256.identifier_der, 256)


@case("29-md5", 29, clause=ALGORITHMS, reason="MD5", verdict=WEAK)
def md5(good: GoodFiles) -> bytes:
    return _rsa(2048, hashes.MD5(), MD5, MD5_RSA, 256)


@case("29-sha-1", 29, clause=ALGORITHMS, reason="SHA-1", verdict=WEAK)
def sha_1(good: GoodFiles) -> bytes:
    return _rsa(2048, hashes.SHA1(), SHA1, SHA1_RSA, 256)


@case("29-rsa-1024", 29, clause=ALGORITHMS, reason="a key of 1024 bits", verdict=WEAK)
def rsa_1024(good: GoodFiles) -> bytes:
    return _rsa(1024, hashes.SHA256(), Digest.SHA256.identifier_der, RSA_SHA256.identifier_der, 128)


@case("29-p-192", 29, clause=ALGORITHMS, reason="a curve of 192 bits", verdict=WEAK)
def p_192(good: GoodFiles) -> bytes:
    signer = stranger().ca.issue("Small Signer", subject_key=ec.generate_private_key(ec.SECP192R1()))

    def weak(content: bytes) -> c.SignedData:
        frame = with_certificates(sound(content, stranger().signer), [signer.der, stranger().ca.der])
        attrs: Any = asn1.SetOf([content_type(), message_digest(content), ess(signer)])
        signature = signer.key.sign(c.signed_attributes_der(attrs), ec.ECDSA(hashes.SHA256()))
        return with_signer(frame, sid=c.issuer_and_serial(signer.der), signed_attrs=attrs, signature=signature)

    return signed(signer, cms=weak)


@case(
    "29-pkcs7-sha1", 29, "SUBFILTER_REFUSED", clause="ISO 32000-2 12.8.3.3: deprecated", reason="adbe.pkcs7.sha1, which some readers skip"
)
def pkcs7_sha1(good: GoodFiles) -> bytes:
    return signed(entries={"SubFilter": Name("adbe.pkcs7.sha1")})


@case("29-x509-rsa-sha1", 29, "SUBFILTER_REFUSED", clause="ISO 32000-2 12.8.3.2: deprecated", reason="adbe.x509.rsa_sha1")
def x509_rsa_sha1(good: GoodFiles) -> bytes:
    return signed(entries={"SubFilter": Name("adbe.x509.rsa_sha1")})


@case("29-value-zero", 29, clause="X9.62 5.4", reason="r and s are 0: psychic signatures", verdict=BROKEN)
def value_zero(good: GoodFiles) -> bytes:
    return signed(cms=changed(lambda data: with_signer(data, signature=bytes.fromhex("3006020100020100"))))


@case("29-value-one", 29, clause="X9.62 5.4", reason="r and s are 1", verdict=BROKEN)
def value_one(good: GoodFiles) -> bytes:
    return signed(cms=changed(lambda data: with_signer(data, signature=bytes.fromhex("3006020101020101"))))


@case("29-value-octet", 29, clause="X9.62 5.4", reason="the signature value is a single octet", verdict=BROKEN)
def value_octet(good: GoodFiles) -> bytes:
    return signed(cms=changed(lambda data: with_signer(data, signature=b"\x01")))


@case("29-value-of-another-key", 29, clause="RFC 5652 5.6", reason="signed by somebody else's key", verdict=BROKEN)
def value_of_another_key(good: GoodFiles) -> bytes:
    mallory = stranger().ca.issue("Mallory")

    def other(content: bytes) -> c.SignedData:
        (forged,) = sound(content, mallory).signer_infos.as_list()
        return with_signer(sound(content, stranger().signer, stranger().ca), signature=forged.signature)

    return signed(cms=other)
