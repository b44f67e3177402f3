"""Whom a certificate names: one frozen value for people, schools and the authority's own services (EN 319 412-2 and -3).

>>> from pki.identity.subject import Subject
>>> Subject(country="VN", common_name="Trần Thị Hoa", given_name="Thị Hoa", surname="Trần").display
'Trần Thị Hoa'
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Self

from cryptography import x509
from cryptography.x509.oid import NameOID

from pki.errors import PkiError
from pki.identity.countries import COUNTRIES
from pki.identity.identifiers import IdentifierError, check_organization_identifier, check_person_identifier

# X.520 and RFC 5280 appendix A count characters, not octets: 33 letters "Ư" are 33, although they take 66 octets in UTF-8.
MAX_CHARACTERS = {
    "country": 2,
    "common_name": 64,
    "given_name": 64,
    "surname": 64,
    "pseudonym": 128,
    "serial_number": 64,
    "organization": 64,
    "organization_identifier": 64,
}

OIDS = {
    "country": NameOID.COUNTRY_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organization_identifier": NameOID.ORGANIZATION_IDENTIFIER,
    "surname": NameOID.SURNAME,
    "given_name": NameOID.GIVEN_NAME,
    "pseudonym": NameOID.PSEUDONYM,
    "serial_number": NameOID.SERIAL_NUMBER,
    "common_name": NameOID.COMMON_NAME,
}
"""Attribute types in the order in which a name lists them."""

_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,\-./:=?]+")  # X.680 PrintableString
PRINTABLE_ATTRIBUTES = ("country", "serial_number")
_UNSEEN = (
    "Cc",
    "Cf",
    "Cs",
    "Co",
    "Cn",
    "Zl",
    "Zp",
)  # controls, bidirectional overrides, surrogates, unassigned: one name that looks like another
_PERSONAL = ("given_name", "surname", "pseudonym")


class SubjectError(PkiError):
    """A name cannot stand in a certificate; the message names the attribute, never its value."""


@dataclass(frozen=True)
class Subject:
    """The attributes of a subject name; None where absent. Texts are NFC, without controls, within X.520's limits.

    `serial_number` is an identifier in the form of EN 319 412-1 clause 5.1.3 (see :mod:`pki.identity.codes`) and stays out of repr.
    Raises :class:`SubjectError`.
    """

    country: str
    common_name: str
    organization: str | None = None
    organization_identifier: str | None = None
    given_name: str | None = None
    surname: str | None = None
    pseudonym: str | None = None
    serial_number: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name, value in self.items():
            _check_text(name, value)
        if self.country not in COUNTRIES:
            raise SubjectError(f"country: got {self.country!r}, expected a two-letter ISO 3166-1 code such as VN")
        try:
            if self.serial_number is not None:
                check_person_identifier(self.serial_number)
            if self.organization_identifier is not None:
                check_organization_identifier(self.organization_identifier)
        except IdentifierError as exc:
            raise SubjectError(str(exc)) from None
        if self.organization is not None and self.organization == self.organization_identifier:
            # EN 319 412-3 LEG-4.2.1-6
            raise SubjectError("organization_identifier: must differ from the organization's name")

    def items(self) -> tuple[tuple[str, str], ...]:
        """(attribute name, value) of all that are present, in the order of :data:`OIDS`."""
        found = ((name, getattr(self, name)) for name in OIDS)
        return tuple((name, value) for name, value in found if value is not None)

    @property
    def display(self) -> str:
        """What a reader is shown: the common name."""
        return self.common_name

    def x509_name(self) -> x509.Name:
        """One attribute to each RDN: country and serialNumber as PrintableString, the others as UTF8String."""
        return self._x509_name

    @cached_property
    def _x509_name(self) -> x509.Name:
        # _validate=False: `cryptography` limits commonName to 64 octets where X.520 says 64 characters; _check_text has counted them
        return x509.Name([x509.NameAttribute(OIDS[name], value, _validate=False) for name, value in self.items()])

    @classmethod
    def from_x509(cls, name: x509.Name) -> Self:
        """The subject of an existing certificate; raises :class:`SubjectError` for an attribute unknown here or given twice."""
        by_oid = {oid: attribute for attribute, oid in OIDS.items()}
        found: dict[str, str] = {}
        for part in name:
            attribute = by_oid.get(part.oid)
            if attribute is None or attribute in found or not isinstance(part.value, str):
                raise SubjectError(f"name attribute {part.oid.dotted_string} is unknown here or stands twice")
            found[attribute] = part.value
        if "country" not in found or "common_name" not in found:
            raise SubjectError("name lacks a country or a common name")
        return cls(**found)


def _check_text(name: str, value: str) -> None:
    if not value or value != value.strip():
        raise SubjectError(f"{name}: empty, or with white space at its ends")
    if len(value) > MAX_CHARACTERS[name]:
        hint = "; give the school's official short name" if name in ("organization", "common_name") else ""
        raise SubjectError(f"{name}: {len(value)} characters, X.520 allows {MAX_CHARACTERS[name]}{hint}")
    if not unicodedata.is_normalized("NFC", value):
        raise SubjectError(f"{name}: not in Unicode normal form C; see pki.identity.subject.tidy")
    # what can be printed is none of _UNSEEN: the characters are looked at one by one only where there is a doubt
    if not value.isprintable() and any(unicodedata.category(character) in _UNSEEN for character in value):
        raise SubjectError(f"{name}: holds a control or invisible character")
    if name in PRINTABLE_ATTRIBUTES and not _PRINTABLE.fullmatch(value):
        raise SubjectError(f"{name}: holds a character outside PrintableString")


def tidy(text: str) -> str:
    """`text` in normal form C, white space trimmed and each run of it one space: what a roster's cell needs before it becomes a name."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def person(
    *,
    country: str,
    given_name: str,
    surname: str,
    identifier: str,
    organization: str | None = None,
    organization_identifier: str | None = None,
    common_name: str | None = None,
) -> Subject:
    """A person named plainly. The common name is by default surname then given name, as in Vietnam and China."""
    return Subject(
        country=country,
        common_name=tidy(common_name or f"{surname} {given_name}"),
        given_name=tidy(given_name),
        surname=tidy(surname),
        serial_number=identifier,
        organization=tidy(organization) if organization else None,
        organization_identifier=organization_identifier,
    )


def pseudonymous(*, country: str, identifier: str, pseudonym: str | None = None) -> Subject:
    """A person under a pseudonym, which is also the common name (EN 319 412-2 NAT-4.2.4-6).

    By default it is "Student" and the first 40 bits of the commitment in `identifier`: enough to tell pupils of a school apart,
    nothing about who they are.
    """
    shown = tidy(pseudonym) if pseudonym else f"Student {identifier[6:10]}-{identifier[10:14]}"
    return Subject(country=country, common_name=shown, pseudonym=shown, serial_number=identifier)


def legal_person(*, country: str, name: str, identifier: str, common_name: str | None = None) -> Subject:
    """A school, or the authority's own organisation. `identifier` as in EN 319 412-1 clause 5.1.4, such as NTRVN-0100109106."""
    return Subject(country=country, common_name=tidy(common_name or name), organization=tidy(name), organization_identifier=identifier)


def is_personal(subject: Subject) -> bool:
    """Whether the name is a natural person's."""
    return any(getattr(subject, part.name) is not None for part in fields(subject) if part.name in _PERSONAL)
