"""SignedData as this house and many others write it, read in one walk over its octets (RFC 5652 section 5).

:func:`pki.structures.cms.parse_signed_data` asks here first. What is accepted here, the declarations there accept too and read the same, at
several times the cost. All else is left to them: other shapes, and saying what is wrong with what is no SignedData.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from pki.structures.algorithms import Digest
from pki.structures.der import OCTET_STRING, SEQUENCE, SET, element, opened, opening

Attributes = tuple[tuple[bytes, tuple[bytes, ...]], ...]
"""(DER of the type, DER of each value), in the order in which they stand."""

MAX_PLAIN = 32 * 1024  # octets; with certificates and a time stamp a signature has some five thousand
MAX_REMEMBERED = 256  # sets of certificates, and signers' names
MAX_SET = 8 * 1024  # octets of certificates that are remembered as a set; four honest ones
MAX_ISSUER = 1_024  # octets of a signer's name and number that are read here

_INTEGER, _CONTEXT_0, _CONTEXT_1 = 0x02, 0xA0, 0xA1
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_DATA = bytes.fromhex("06092a864886f70d010701")
_TST_INFO = bytes.fromhex("060b2a864886f70d0109100104")
_CONTENT_TYPE = bytes.fromhex("06092a864886f70d010903")
_MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010904")
_SIGNING_CERTIFICATE_V2 = bytes.fromhex("060b2a864886f70d010910022f")
_SIGNATURE_TIME_STAMP = bytes.fromhex("060b2a864886f70d010910020e")
_VERSIONS = (b"\x02\x01\x01", b"\x02\x01\x03")
_MAX_SERIAL = 20  # octets: RFC 5280 section 4.1.2.2

# What a message begins with, as far as its size alone says it: see :func:`pki.structures.der.opening`.
_MESSAGE = ((SEQUENCE, _SIGNED_DATA), (_CONTEXT_0, b""), (SEQUENCE, b""))
_ENCLOSED = ((SEQUENCE, _TST_INFO), (_CONTEXT_0, b""), (OCTET_STRING, b""))
_ONE_SIGNER = ((SET, b""), (SEQUENCE, b""))
_STAMPED = ((_CONTEXT_1, b""), (SEQUENCE, _SIGNATURE_TIME_STAMP), (SET, b""))
_TOKEN = ((SEQUENCE, b""),)
_opening = lru_cache(maxsize=4_096)(opening)

_SHA256 = Digest.SHA256.identifier_der
_BEGINNINGS = tuple(version + element(SET, _SHA256) for version in _VERSIONS)
_DETACHED = element(SEQUENCE, _DATA)
_HASH = bytes(Digest.SHA256.size)
_ESS = element(SEQUENCE, element(SEQUENCE, element(SEQUENCE, element(OCTET_STRING, _HASH))))


def _attribute(kind: bytes, value: bytes) -> bytes:
    return element(SEQUENCE, kind + element(SET, value))


def _before_hashes(content_type: bytes) -> tuple[bytes, bytes]:
    """What stands before each of the two hashes that vary in a SignerInfo, from its digest algorithm on to the end of signed attributes:

    content-type; message-digest; signing-certificate-v2, which names one certificate by its hash and in no other way.
    """
    digest, certificate = _attribute(_MESSAGE_DIGEST, element(OCTET_STRING, _HASH)), _attribute(_SIGNING_CERTIFICATE_V2, _ESS)
    attributes = element(_CONTEXT_0, _attribute(_CONTENT_TYPE, content_type) + digest + certificate)
    return _SHA256 + attributes[: -len(certificate) - len(_HASH)], certificate[: -len(_HASH)]


_BEFORE_HASHES = {kind: _before_hashes(kind) for kind in (_DATA, _TST_INFO)}


class SignedDataParts(NamedTuple):
    """What a verifier needs of one SignedData with exactly one SignerInfo, all values as DER or octets."""

    content_type_der: bytes
    encapsulated: bytes | None
    certificates: tuple[bytes, ...]
    issuer_der: bytes | None
    serial_number: int | None
    subject_key_identifier: bytes | None
    digest_identifier_der: bytes
    signature_identifier_der: bytes
    signature: bytes
    signed_attributes: Attributes | None
    signed_attributes_der: bytes | None
    unsigned_attributes: Attributes


def plain_parts(der: bytes) -> SignedDataParts | None:
    """None where `der` is anything but SignedData of this shape, in DER and with no octet to spare:

    version 1 or 3, SHA-256 alone, content outside or a TSTInfo, certificates and no CRLs; one SignerInfo, which names its certificate by
    issuer and serial number, has the three signed attributes above, and no unsigned attribute but one time stamp.
    """
    end = len(der)
    if end > MAX_PLAIN:
        return None
    try:
        before = _opening(end, _MESSAGE)
        at = len(before) + len(_BEGINNINGS[0])
        if not der.startswith(before) or not der.startswith(_BEGINNINGS, len(before)):
            return None
        content_type, content, at = _content(der, at, end)
        start, at = opened(der, at, end, _CONTEXT_0)
        held = der[start:at]
        certificates = _remembered_set(held) if len(held) <= MAX_SET else _sorted_set(held)
        return SignedDataParts(content_type, content, certificates, *_signer(der, at, end, content_type))
    except (ValueError, IndexError):
        return None


def _content(der: bytes, at: int, end: int) -> tuple[bytes, bytes | None, int]:
    """The type of the content and the content, and where what follows begins."""
    if der.startswith(_DETACHED, at):
        return _DATA, None, at + len(_DETACHED)
    _, close = opened(der, at, end, SEQUENCE)
    before = _opening(close - at, _ENCLOSED)
    if not der.startswith(before, at):
        raise ValueError("CMS: other content than a TSTInfo")
    return _TST_INFO, der[at + len(before) : close], close


def _sorted_set(octets: bytes) -> tuple[bytes, ...]:
    """SEQUENCEs in the order in which DER has them in a SET, none of them twice."""
    found, at = [], 0
    while at < len(octets):
        start, at = at, opened(octets, at, len(octets), SEQUENCE)[1]
        found.append(octets[start:at])
    if any(one >= other for one, other in pairwise(found)):
        raise ValueError("CMS: a SET OF is not sorted")
    return tuple(found)


_remembered_set = lru_cache(maxsize=MAX_REMEMBERED)(_sorted_set)


def _signer(
    der: bytes, at: int, end: int, content_type: bytes
) -> tuple[bytes, int, None, bytes, bytes, bytes, Attributes, bytes, Attributes]:
    before = _opening(end - at, _ONE_SIGNER)
    at += len(before)
    if not der.startswith(before, at - len(before)) or not der.startswith(_VERSIONS, at):
        raise ValueError("CMS: more than one SignerInfo, or another version")
    start, at = opened(der, at + 3, end, SEQUENCE)
    issuer, serial_number = _issuer_and_serial(der[start:at])
    before_digest, before_certificate = _BEFORE_HASHES[content_type]
    digest_at = at + len(before_digest)
    certificate_at = digest_at + len(_HASH) + len(before_certificate)
    if not der.startswith(before_digest, at) or not der.startswith(before_certificate, digest_at + len(_HASH)):
        raise ValueError("CMS: other algorithms or signed attributes")
    attributes = (
        (_CONTENT_TYPE, (content_type,)),
        (_MESSAGE_DIGEST, (der[digest_at - 2 : digest_at + len(_HASH)],)),
        (_SIGNING_CERTIFICATE_V2, (der[certificate_at + len(_HASH) - len(_ESS) : certificate_at + len(_HASH)],)),
    )
    # RFC 5652 section 5.4: the SET OF tag, not the [0] of the message
    attributes_der = b"\x31" + der[at + len(_SHA256) + 1 : certificate_at + len(_HASH)]
    start = certificate_at + len(_HASH)
    _, at = opened(der, start, end, SEQUENCE)
    algorithm = der[start:at]
    start, at = opened(der, at, end, OCTET_STRING)
    unsigned = _time_stamp(der, at, end) if at < end else ()
    return issuer, serial_number, None, _SHA256, algorithm, der[start:at], attributes, attributes_der, unsigned


@lru_cache(maxsize=MAX_REMEMBERED)
def _issuer_and_serial(octets: bytes) -> tuple[bytes, int]:
    _, at = opened(octets, 0, len(octets), SEQUENCE)
    start, end = opened(octets, at, len(octets), _INTEGER)
    number = octets[start:end]
    if end != len(octets) or end > MAX_ISSUER:
        raise ValueError("CMS: a signer's name that is longer than is read here")
    if not 0 < len(number) <= _MAX_SERIAL or number[0] >= 0x80 or (not number[0] and number[1:2] < b"\x80"):
        raise ValueError("CMS: a serial number that is not positive, or longer than needed")
    return octets[:at], int.from_bytes(number, "big")


def _time_stamp(der: bytes, at: int, end: int) -> Attributes:
    before = _opening(end - at, _STAMPED)
    start = at + len(before)
    if not der.startswith(before, at) or not der.startswith(_opening(end - start, _TOKEN), start):
        raise ValueError("CMS: another unsigned attribute, or more than one")
    return ((_SIGNATURE_TIME_STAMP, (der[start:end],)),)
