"""Sole control: what a person agreed to sign, by content, and the check that a file is exactly that (`design.md`, idea 8).

Pure values. Who may authorise, the PIN, and the transaction that marks an item as used with its output are the caller's.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from signing.applying.form import SignatureField, signature_fields
from signing.applying.recheck import recheck
from signing.errors import SigningError
from signing.pdf.document import Document
from signing.pdf.objects import PdfObject, Ref

MAX_ITEMS = 5_000  # one authorisation; a class has 45


class AuthorisationError(SigningError):
    """The authorisation has expired, does not name the document, was used for it, or the document is not what was authorised."""


@dataclass(frozen=True)
class AuthorisedItem:
    """One document to sign: `export_sha256` is of the unsigned export's octets."""

    record_id: str
    version: int
    export_sha256: bytes
    step: str


@dataclass(frozen=True)
class Authorisation:
    """What `holder` (an opaque id) agreed to sign, once each, before `expires_at`. Times are aware UTC."""

    id: str
    holder: str
    granted_at: datetime
    expires_at: datetime
    items: tuple[AuthorisedItem, ...]
    used: frozenset[AuthorisedItem] = frozenset()

    def __post_init__(self) -> None:
        if not 0 < len(self.items) <= MAX_ITEMS:
            raise AuthorisationError(f"an authorisation of {len(self.items)} items, expected 1 to {MAX_ITEMS}")
        if len({(item.record_id, item.version, item.step) for item in self.items}) != len(self.items):
            raise AuthorisationError("an authorisation names the same record, version and step twice")
        if not self.granted_at < self.expires_at:
            raise AuthorisationError("an authorisation expires before it is granted")

    @property
    def unused(self) -> tuple[AuthorisedItem, ...]:
        """What is left to sign: after a crash, this and the PIN finish the rest."""
        return tuple(item for item in self.items if item not in self.used)

    def find(self, record_id: str, version: int, step: str) -> AuthorisedItem:
        """Raises :class:`AuthorisationError` where it is not named."""
        for item in self.items:
            if (item.record_id, item.version, item.step) == (record_id, version, step):
                return item
        raise AuthorisationError(f"step {step} of record {record_id} version {version} was not authorised")

    def use(self, item: AuthorisedItem, *, at: datetime) -> Authorisation:
        """The authorisation after signing `item`; raises :class:`AuthorisationError` where that is not, or no longer, permitted."""
        if item not in self.items:
            raise AuthorisationError(f"step {item.step} of record {item.record_id} version {item.version} was not authorised")
        if item in self.used:
            raise AuthorisationError(f"step {item.step} of record {item.record_id} version {item.version} was signed under it already")
        if not self.granted_at <= at < self.expires_at:
            raise AuthorisationError(f"authorisation {self.id} is not in force: it ran until {self.expires_at:%Y-%m-%d %H:%M:%S} UTC")
        return replace(self, used=self.used | {item})


def check(document: bytes, item: AuthorisedItem) -> None:
    """Raises :class:`AuthorisationError` unless `document` is the authorised export, followed by signatures in its own fields only."""
    parsed = Document.parse(document)
    first = parsed.revisions[0]
    if hashlib.sha256(document[: first.end]).digest() != item.export_sha256 or parsed.trailing:
        raise AuthorisationError(f"record {item.record_id} version {item.version}: the document is not the export that was authorised")
    fields = {field.ref.number: field for field in signature_fields(parsed)}
    for index in range(1, len(parsed.revisions)):
        _check_revision(parsed, index, fields, item)


def _check_revision(document: Document, index: int, fields: dict[int, SignatureField], item: AuthorisedItem) -> None:
    """Of the objects that stood before, revision `index` changes one signature field, and of that only its value and appearance.

    The first signature may certify, and then enters itself in the catalog's /Perms.
    """
    revision, before = document.revisions[index], index - 1
    changed = [number for number in revision.entries if document.entry(number, before) is not None]
    root = document.trailer.get("Root")
    if index == 1 and isinstance(root, Ref) and root.number in changed and _only_certified(document):
        changed.remove(root.number)
    field = fields.get(changed[0]) if len(changed) == 1 else None
    if field is None or any(other.trailer.get("Root") != root for other in document.revisions):
        raise AuthorisationError(f"record {item.record_id} version {item.version}: revision {index} is more than one signature")
    old, new = document.get(field.ref, revision=before), document.get(field.ref, revision=index)
    if not isinstance(old, dict) or not isinstance(new, dict) or _without_value(old) != _without_value(new) or old.get("V") is not None:
        raise AuthorisationError(f"record {item.record_id} version {item.version}: revision {index} changes field {field.name!r}")
    recheck(document, field)


def _only_certified(document: Document) -> bool:
    """Whether all that revision 1 did to the catalog is to enter one certification."""
    old, new = document.catalog(0), document.catalog(1)
    permissions = new.get("Perms")
    granted = isinstance(permissions, dict) and permissions.keys() == {"DocMDP"} and isinstance(permissions["DocMDP"], Ref)
    return granted and "Perms" not in old and {key: value for key, value in new.items() if key != "Perms"} == old


def _without_value(field: dict[str, PdfObject]) -> dict[str, PdfObject]:
    return {key: value for key, value in field.items() if key not in ("V", "AP")}
