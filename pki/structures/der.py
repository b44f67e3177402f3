"""Puts a signed X.509 structure together from its to-be-signed octets, and takes one apart (X.690; RFC 5280 sections 4.1 and 5.1).

Certificates, CRLs and BasicOCSPResponses have one shape: SEQUENCE { to-be-signed, AlgorithmIdentifier, BIT STRING, ... }. The key
that signs may live in an HSM, which sees only octets, so the structure is closed here around a signature made elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import TLV, BitString

from pki.errors import EncodingError

SEQUENCE = 0x30
BIT_STRING = 0x03
OCTET_STRING = 0x04
SET = 0x31

MAX_SIGNED = 16 * 1024 * 1024  # octets; a full CRL shard of 300,000 entries fits


def element(tag: int, content: bytes) -> bytes:
    """One DER element with a definite, minimal length (X.690 section 10.1)."""
    return _header(tag, len(content)) + content


def _header(tag: int, size: int) -> bytes:
    if size < 0x80:
        return bytes((tag, size))
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets


def opening(size: int, layers: Sequence[tuple[int, bytes]]) -> bytes:
    """How `size` octets begin that are one DER element, whose content begins with some octets and is one element besides, and so on.

    `layers` has the tag of each and the octets that its content begins with, outermost first. There is no other way to begin: a length has
    one form in DER. Raises ValueError where no elements are of such a size.
    """
    made = b""
    for tag, beginning in layers:
        left = size - len(made)
        header = next((found for taken in range(2, 6) if left >= taken and len(found := _header(tag, left - taken)) == taken), None)
        if header is None:
            raise ValueError(f"DER: no element has {left} octets in all")
        made += header + beginning
    return made


def opened(der: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """Where the content of the element at `at` starts and ends, which has this `tag`, less than 65,536 octets, and ends by `end`.

    Raises ValueError or IndexError where it is another element than that, or its length is not as DER has it.
    """
    size, start, least = der[at + 1], at + 2, 0
    if size == 0x82:
        size, start, least = der[at + 2] << 8 | der[at + 3], at + 4, 0x100
    elif size == 0x81:
        size, start, least = der[at + 2], at + 3, 0x80
    elif size >= 0x80:
        raise ValueError(f"DER: no length that is read here at {at}")
    if der[at] != tag or size < least or start + size > end:
        raise ValueError(f"DER: no element with tag {tag:#x} at {at} that ends by {end}")
    return start, start + size


def signed_structure(tbs_der: bytes, algorithm_der: bytes, signature: bytes, *, trailer_der: bytes = b"") -> bytes:
    """DER of SEQUENCE { tbs, algorithm, BIT STRING signature, trailer }.

    `algorithm_der` is a whole AlgorithmIdentifier; `trailer_der` is a whole element that follows the signature, such as the
    `certs [0]` of a BasicOCSPResponse.
    """
    return element(SEQUENCE, tbs_der + algorithm_der + element(BIT_STRING, b"\x00" + signature) + trailer_der)


@asn1.sequence
class _Signed:
    tbs: TLV
    algorithm: TLV
    signature: BitString


@dataclass(frozen=True)
class SignedParts:
    """The three parts of a certificate or CRL: two DER elements and the signature octets."""

    tbs_der: bytes
    algorithm_der: bytes
    signature: bytes


def split_signed(der: bytes) -> SignedParts:
    """Takes a certificate or CRL apart without understanding it; raises :class:`pki.errors.EncodingError` where it is not DER."""
    if len(der) > MAX_SIGNED:
        raise EncodingError(f"signed structure: {len(der)} octets, more than the {MAX_SIGNED} that are read")
    try:
        parts = asn1.decode_der(_Signed, der)
    except ValueError as exc:
        raise EncodingError(f"signed structure: not DER SEQUENCE of to-be-signed, algorithm, signature ({exc})") from exc
    if parts.signature.padding_bits():
        raise EncodingError("signed structure: the signature is not a whole number of octets")
    return SignedParts(
        tbs_der=asn1.encode_der(parts.tbs),
        algorithm_der=asn1.encode_der(parts.algorithm),
        signature=parts.signature.as_bytes(),
    )
