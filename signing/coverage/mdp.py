"""What a signature forbids to happen after it: DocMDP, FieldMDP and field locks (ISO 32000-2 clauses 12.7.5.5 and 12.8.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from signing.pdf.document import Document
from signing.pdf.objects import Name, PdfObject, Ref
from signing.pdf.text import text
from signing.verdict import Changes, Message

MAX_REFERENCES = 32  # signature reference dictionaries read in one signature
MAX_LOCKED = 1_000  # names in one lock

# ISO 32000-2 table 257; DSS and document time stamps stay permitted at every level (12.8.2.2.2).
_PERMITTED = {1: Changes.LTA, 2: Changes.FORM_FILLING, 3: Changes.ANNOTATION}


@dataclass(frozen=True)
class FieldLock:
    """Fields that may not change: all, those listed, or all but those listed. A name covers the fields below it."""

    action: Literal["All", "Include", "Exclude"]
    fields: tuple[str, ...] = ()

    def covers(self, name: str) -> bool:
        if self.action == "All":
            return True
        listed = name in self.fields or name.startswith(self._below)
        return listed == (self.action == "Include")

    @cached_property
    def _below(self) -> tuple[str, ...]:
        return tuple(f"{field}." for field in self.fields)


@dataclass(frozen=True)
class Mdp:
    """One signature's rules for what follows it. The empty one forbids nothing."""

    permissions: int | None = None
    """P of DocMDP or of the lock: 1 no changes, 2 form filling and signing, 3 annotations too."""
    locks: tuple[FieldLock, ...] = ()
    certifies: bool = False
    """Whether the signature is a certification signature (a DocMDP reference of its own)."""

    @property
    def permitted(self) -> Changes:
        return Changes.ANNOTATION if self.permissions is None else _PERMITTED[self.permissions]

    def locked(self, name: str) -> bool:
        return any(lock.covers(name) for lock in self.locks)


def read_mdp(
    document: Document, field: dict[str, PdfObject], signature: dict[str, PdfObject], revision: int, findings: list[Message]
) -> Mdp:
    """The rules in a signature's /Reference and its field's /Lock; what cannot be read counts as the strictest, with a finding."""
    permissions: list[int] = []
    locks: list[FieldLock] = []
    certifies = False

    def get(value: PdfObject) -> PdfObject:
        return document.get(value, revision=revision) if isinstance(value, Ref) else value

    lock = get(field.get("Lock"))
    rules: list[tuple[str, PdfObject]] = [] if lock is None else [("FieldMDP", lock)]
    listed = get(signature.get("Reference"))
    for item in listed[: MAX_REFERENCES + 1] if isinstance(listed, list) else [] if listed is None else [listed]:
        reference = get(item)
        method = get(reference.get("TransformMethod")) if isinstance(reference, dict) else None
        rules.append((str(method), get(reference.get("TransformParams")) if isinstance(reference, dict) else None))
    for kind, parameters in rules[:MAX_REFERENCES]:
        if kind not in ("DocMDP", "FieldMDP"):
            continue
        values: dict[str, PdfObject] = {"P": None}
        if isinstance(parameters, dict):
            values = {key: get(value) for key, value in parameters.items()}
        if kind == "DocMDP":
            certifies = True
        else:
            locks.append(_lock(document, values, revision, findings))
        if kind == "DocMDP" or "P" in values:
            permissions.append(_permission(values.get("P", 2), findings))  # table 257: 2 where it is absent
    if len(rules) > MAX_REFERENCES:
        permissions.append(1)
        findings.append(Message("LOCK_MALFORMED", f"the signature has more than {MAX_REFERENCES} references"))
    return Mdp(min(permissions, default=None), tuple(dict.fromkeys(locks)), certifies)


def _permission(value: PdfObject, findings: list[Message]) -> int:
    if type(value) is int and value in _PERMITTED:
        return value
    findings.append(Message("LOCK_MALFORMED", "/P of a signature's rules is not 1, 2 or 3; read as 1"))
    return 1


def _lock(document: Document, values: dict[str, PdfObject], revision: int, findings: list[Message]) -> FieldLock:
    action, listed = values.get("Action"), values.get("Fields")
    if action == "All":
        return FieldLock("All")
    if isinstance(action, Name) and action in ("Include", "Exclude") and isinstance(listed, list) and len(listed) <= MAX_LOCKED:
        names = tuple(text(document.get(item, revision=revision)) for item in listed)
        return FieldLock("Include" if action == "Include" else "Exclude", names)
    findings.append(Message("LOCK_MALFORMED", "a field lock is not All, Include or Exclude with an array of names; read as All"))
    return FieldLock("All")
