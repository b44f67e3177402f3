"""The signatures of a document, found without trusting it: which fields are signed, what each signature covers, what was removed.

    structure = read_structure(Document.parse(data))
    for field in structure.signed: ...

Every revision's form is read, so that a signature that an update takes away is reported as removed and never as "unsigned" (attack
class 11). Nothing cryptographic happens here. A finding on a signature means that it must not pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, repeat

from signing.coverage.signature_field import SignatureField, read_signature
from signing.errors import LimitError
from signing.pdf.document import Document
from signing.pdf.fields import Field, Form, read_form, stray_widgets
from signing.pdf.objects import Ref
from signing.verdict import Message

__all__ = ["SignatureField", "Structure", "forms", "read_structure", "signature_fields"]

MAX_SIGNATURES = 200  # bounds work on hostile input; design.md asks for 20


@dataclass(frozen=True)
class Structure:
    """All that was found: `signed` in order of signing, `unsigned` fields, names of `removed` signatures, findings on the document."""

    signed: tuple[SignatureField, ...]
    unsigned: tuple[Field, ...]
    removed: tuple[str, ...]
    findings: tuple[Message, ...]
    forms: tuple[Form, ...] = ()
    """The form as of each revision; change analysis takes them over."""


def signature_fields(document: Document) -> tuple[SignatureField, ...]:
    """The signatures in order of signing; see :func:`read_structure`."""
    return read_structure(document).signed


def read_structure(document: Document) -> Structure:
    """Finds the signature fields of every revision.

    Raises :class:`signing.errors.PdfError` where the form or page tree cannot be read, :class:`LimitError` where there is too much of it.
    """
    every = tuple(forms(document))
    newest = every[-1]
    first_seen: dict[tuple[int, Ref], int] = {}
    names: dict[tuple[int, Ref], str] = {}
    findings: list[Message] = []
    earlier: tuple[Field, ...] = ()
    for index, form in enumerate(every):
        for field, before in zip(form.fields, chain(earlier, repeat(None)), strict=False):
            if field is before:
                continue
            if field.type == "Sig" and field.value is not None:
                key = (field.ref.number, field.value if isinstance(field.value, Ref) else Ref(0))
                first_seen.setdefault(key, index)
                names[key] = field.name
        earlier = form.fields
        if len(first_seen) > MAX_SIGNATURES:
            raise LimitError(f"the document has more than {MAX_SIGNATURES} signatures")
    signed = []
    for field in newest.fields:
        if field.type == "Sig" and field.value is not None:
            key = (field.ref.number, field.value if isinstance(field.value, Ref) else Ref(0))
            signed.append(read_signature(document, field, first_seen.pop(key)))
        elif _looks_signed(document, field):
            findings.append(Message("FIELD_MALFORMED", f"field {field.name!r} holds a signature but is no signature field"))
    removed = tuple(names[key] for key in first_seen)
    for name in removed:
        findings.append(Message("SIGNATURE_REMOVED", f"an earlier revision holds a signature in field {name!r} that is no longer there"))
    for ref in stray_widgets(document, newest):
        widget = document.get(ref) if ref.number else None
        if not isinstance(widget, dict) or widget.get("FT") == "Sig" or "V" in widget:
            findings.append(Message("FIELD_NOT_IN_FORM", f"widget {ref.number} on a page is a form field that the form does not list"))
    if document.trailing:
        findings.append(Message("TRAILING_BYTES", f"{len(document.trailing)} octets follow the last revision and belong to none"))
    unsigned = tuple(field for field in newest.fields if field.type == "Sig" and field.value is None)
    return Structure(_in_order(signed), unsigned, removed, tuple(findings), every)


def forms(document: Document) -> Iterator[Form]:
    """The form as of each revision, oldest first; what a revision does not touch is not read again."""
    form: Form | None = None
    for revision in document.revisions:
        form = read_form(document, revision.index, before=form)
        yield form


def _looks_signed(document: Document, field: Field) -> bool:
    value = document.get(field.value)
    return isinstance(value, dict) and ("ByteRange" in value or "Contents" in value)


def _in_order(signed: list[SignatureField]) -> tuple[SignatureField, ...]:
    """By revision, then by place; with findings that need all signatures at once (attack class 21, ISO 32000-2 12.8.2.2)."""
    ordered = sorted(signed, key=lambda s: (s.revision, s.contents_span or (0, 0)))
    refs = Counter(s.signature_ref for s in ordered)
    values = Counter(s.contents for s in ordered if s.contents)
    revisions = Counter(s.revision for s in ordered)
    names = Counter(s.name for s in ordered)
    found = []
    for position, one in enumerate(ordered):
        more = list(one.findings)
        if refs[one.signature_ref] > 1 or values[one.contents] > 1:
            more.append(Message("SIGNATURE_SHARED", f"the signature in field {one.name!r} stands in another field too"))
        elif revisions[one.revision] > 1:
            more.append(Message("SIGNATURE_SHARED_REVISION", f"revision {one.revision} is said to be closed by more than one signature"))
        if names[one.name] > 1:
            more.append(Message("FIELD_NAME_TWICE", f"two signed fields have the name {one.name!r}"))
        if one.lock.certifies and position:
            more.append(Message("CERTIFICATION_NOT_FIRST", f"the certification signature in field {one.name!r} is not the first signature"))
        found.append(replace(one, findings=tuple(more)) if len(more) > len(one.findings) else one)
    return tuple(found)
