"""Distinguished names and general names, brought to a form in which equal names are equal values (RFC 5280 sections 4.2.1.6 and 7)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import IntEnum

from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import TLV

from pki.errors import EncodingError
from pki.structures.x509_asn1 import AttributeTypeAndValue, members, read

MAX_GENERAL_NAMES = 1024  # names in one extension; bounds work on hostile input

EMAIL_ADDRESS = "1.2.840.113549.1.9.1"

_SEQUENCE_TAG = b"\x30"
_SET_TAG = b"\x31"
# X.690 tag of each character string type, and the codec that reads it; T61 is read as Latin-1, as everybody does
_CODECS = {
    b"\x0c": "utf-8",
    b"\x12": "ascii",
    b"\x13": "ascii",
    b"\x14": "latin-1",
    b"\x16": "ascii",
    b"\x1a": "ascii",
    b"\x1c": "utf-32-be",
    b"\x1e": "utf-16-be",
}

Attribute = tuple[str, str | bytes]
"""Type as a dotted OID; value as comparable text, or as whole DER where it is no character string."""
DistinguishedName = tuple[frozenset[Attribute], ...]
"""Relative distinguished names in order, each a set: two names match exactly when these values are equal."""


class GeneralNameKind(IntEnum):
    """The context tag of each GeneralName alternative."""

    OTHER = 0
    EMAIL = 1
    DNS = 2
    X400 = 3
    DIRECTORY = 4
    EDI_PARTY = 5
    URI = 6
    IP = 7
    REGISTERED_ID = 8


@dataclass(frozen=True)
class GeneralName:
    """`value` is text for e-mail, DNS and URI, a DistinguishedName for a directory name, octets for an address, else the content octets."""

    kind: GeneralNameKind
    value: str | bytes | DistinguishedName


def comparable(text: str) -> str:
    """`text` prepared for comparison: NFKC, case folded, white space trimmed and runs of it made one (RFC 4518 section 2, RFC 5280 7.1)."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def distinguished_name(der: bytes) -> DistinguishedName:
    """Reads a DER Name; raises :class:`pki.errors.EncodingError`."""
    outer = read(TLV, der, "Name")
    if outer.tag_bytes != _SEQUENCE_TAG:
        raise EncodingError(f"Name: tag {outer.tag_bytes.hex()}, expected a SEQUENCE")
    return tuple(_relative_name(rdn) for rdn in members(bytes(outer.data), "Name"))


def relative_name(content: bytes) -> frozenset[Attribute]:
    """The attributes of a RelativeDistinguishedName, given its content octets."""
    return frozenset(_attribute(item) for item in members(content, "RelativeDistinguishedName"))


def _relative_name(rdn: TLV) -> frozenset[Attribute]:
    if rdn.tag_bytes != _SET_TAG:
        raise EncodingError(f"RelativeDistinguishedName: tag {rdn.tag_bytes.hex()}, expected a SET")
    return relative_name(bytes(rdn.data))


def _attribute(item: TLV) -> Attribute:
    pair = read(AttributeTypeAndValue, asn1.encode_der(item), "AttributeTypeAndValue")
    return pair.type.dotted_string, _attribute_value(pair.value)


def _attribute_value(value: TLV) -> str | bytes:
    codec = _CODECS.get(value.tag_bytes)
    if codec is None:
        return asn1.encode_der(value)
    try:
        return comparable(bytes(value.data).decode(codec))
    except UnicodeDecodeError:
        return asn1.encode_der(value)


def email_addresses(name: DistinguishedName) -> tuple[str, ...]:
    """The emailAddress attributes of `name`, as comparable text."""
    return tuple(value for rdn in name for kind, value in rdn if kind == EMAIL_ADDRESS and isinstance(value, str))


def within(name: DistinguishedName, subtree: DistinguishedName) -> bool:
    """Whether `name` lies in the subtree: its first relative names are the subtree's (RFC 5280 section 7.1)."""
    return name[: len(subtree)] == subtree


def general_name(item: TLV) -> GeneralName:
    """Reads one GeneralName; raises :class:`pki.errors.EncodingError`."""
    tag, content = item.tag_bytes, bytes(item.data)
    number = tag[0] & 0x1F
    if len(tag) != 1 or tag[0] & 0xC0 != 0x80 or number > GeneralNameKind.REGISTERED_ID:
        raise EncodingError(f"GeneralName: tag {tag.hex()}, expected [0] to [8]")
    kind = GeneralNameKind(number)
    if kind is GeneralNameKind.DIRECTORY:
        return GeneralName(kind, distinguished_name(content))
    if kind in (GeneralNameKind.EMAIL, GeneralNameKind.DNS, GeneralNameKind.URI):
        try:
            return GeneralName(kind, content.decode("ascii"))
        except UnicodeDecodeError as exc:
            raise EncodingError(f"GeneralName: {kind.name} holds octets outside IA5String") from exc
    return GeneralName(kind, content)


def general_names(items: list[TLV], what: str) -> tuple[GeneralName, ...]:
    """Reads GeneralNames; raises :class:`pki.errors.EncodingError`, naming `what`, for more than MAX_GENERAL_NAMES."""
    if len(items) > MAX_GENERAL_NAMES:
        raise EncodingError(f"{what}: {len(items)} names, more than the {MAX_GENERAL_NAMES} that are read")
    return tuple(general_name(item) for item in items)
