"""The signatures of a document, found without trusting it: which fields are signed, what each signature covers, what was removed.

    structure = read_structure(Document.parse(data))
    for field in structure.signed: ...

Every revision's form is read, so that a signature that an update takes away is reported as removed and never as "unsigned" (attack
class 11). Nothing cryptographic happens here. A finding on a signature means that it must not pass.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone

from signing.byterange import closed_revision, read_byte_range, read_contents
from signing.errors import LimitError
from signing.mdp import Mdp, read_mdp
from signing.pdf.document import Document
from signing.pdf.fields import Field, Form, read_form, stray_widgets, text
from signing.pdf.objects import PdfObject, Ref
from signing.verdict import Coverage, Message

MAX_SIGNATURES = 200  # bounds work on hostile input; design.md asks for 20
TIMESTAMP_SUBFILTER = "ETSI.RFC3161"
SUBFILTERS = frozenset({"ETSI.CAdES.detached", "adbe.pkcs7.detached", TIMESTAMP_SUBFILTER})
WEAK_SUBFILTERS = frozenset({"adbe.pkcs7.sha1", "adbe.x509.rsa_sha1"})
_DATE = re.compile(r"D:(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:(Z)(?:00'?00'?)?|([+-])(\d\d)'?(\d\d)'?)?")


@dataclass(frozen=True)
class SignatureField:
    """One signature. Offsets and lengths are octets of the file."""

    name: str
    ref: Ref
    dictionary: dict[str, PdfObject]
    signature: dict[str, PdfObject]
    signature_ref: Ref
    byte_range: tuple[int, int, int, int] | None
    contents: bytes
    """The CMS or time-stamp token in DER without padding; b"" where it could not be read (there is a finding then)."""
    contents_span: tuple[int, int] | None
    """From `<` to just after `>`."""
    revision: int
    """Index of the revision it closes; where its byte range closes none, of the revision that brought it."""
    coverage: Coverage
    subfilter: str
    claimed_time: datetime | None
    """/M; a claim by the signer's machine and no more."""
    is_timestamp: bool
    lock: Mdp
    findings: tuple[Message, ...] = ()

    def signed_parts(self, data: bytes) -> tuple[memoryview, memoryview]:
        """The signed octets before and after the gap; two empty views where there is no sound byte range."""
        first, length, second, tail = self.byte_range or (0, 0, 0, 0)
        view = memoryview(data)
        return view[first : first + length], view[second : second + tail]


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
    for index, form in enumerate(every):
        for field in form.fields:
            if field.type == "Sig" and field.value is not None:
                key = (field.ref.number, field.value if isinstance(field.value, Ref) else Ref(0))
                first_seen.setdefault(key, index)
                names[key] = field.name
        if len(first_seen) > MAX_SIGNATURES:
            raise LimitError(f"the document has more than {MAX_SIGNATURES} signatures")
    signed = []
    for field in newest.fields:
        if field.type == "Sig" and field.value is not None:
            key = (field.ref.number, field.value if isinstance(field.value, Ref) else Ref(0))
            signed.append(_signature(document, field, first_seen.pop(key)))
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
    """The form as of each revision, oldest first; read again only where a revision touches an object that it hangs on."""
    form: Form | None = None
    depends: set[int] = set()
    root: PdfObject = None
    for revision in document.revisions:
        if form is None or revision.trailer.get("Root") != root or not depends.isdisjoint(revision.entries):
            form, root = read_form(document, revision.index), revision.trailer.get("Root")
            held = (document.entry(number, revision.index) for number in form.visited)
            depends = set(form.visited) | {entry.stream_number for entry in held if entry is not None}
        yield form


def _looks_signed(document: Document, field: Field) -> bool:
    value = document.get(field.value)
    return isinstance(value, dict) and ("ByteRange" in value or "Contents" in value)


def _signature(document: Document, field: Field, first_seen: int) -> SignatureField:
    findings: list[Message] = []
    ref = field.value if isinstance(field.value, Ref) else Ref(0)
    found = document.get(field.value)
    signature = found if isinstance(found, dict) else {}
    span: tuple[int, int] | None = None
    entry = document.entry(ref.number)
    if not isinstance(found, dict):
        findings.append(Message("SIGNATURE_MISSING", f"/V of field {field.name!r} is not a signature dictionary"))
    elif entry is None or entry.kind != "offset":
        findings.append(Message("SIGNATURE_NOT_DIRECT", "the signature dictionary does not stand in the file as an object of its own"))
    else:
        span = document.entry_spans(ref.number).get("Contents")
    byte_range = read_byte_range(signature.get("ByteRange"), findings)
    contents = read_contents(document.data, span, signature.get("Contents"), findings)
    revision, coverage = first_seen, Coverage.PARTIAL
    if byte_range and span:
        closed, coverage = closed_revision(document, byte_range, span, findings)
        revision = first_seen if closed is None else closed
        bounds = document.revisions[revision]
        if closed is not None and (closed != first_seen or not bounds.start <= span[0] < bounds.xref_offset):
            findings.append(
                Message("SIGNATURE_OUT_OF_PLACE", f"the signature closes revision {closed} but came with revision {first_seen}")
            )
    subfilter = _kind(document, signature, findings)
    return SignatureField(
        name=field.name,
        ref=field.ref,
        dictionary=field.dictionary,
        signature=signature,
        signature_ref=ref,
        byte_range=byte_range,
        contents=contents,
        contents_span=span,
        revision=revision,
        coverage=coverage,
        subfilter=subfilter,
        claimed_time=pdf_date(text(document.get(signature.get("M")))),
        is_timestamp=subfilter == TIMESTAMP_SUBFILTER,
        lock=read_mdp(document, field.dictionary, signature, revision, findings),
        findings=tuple(findings),
    )


def _kind(document: Document, signature: dict[str, PdfObject], findings: list[Message]) -> str:
    """The /SubFilter, with a finding where it is not one that is verified here, or /Type does not fit it."""
    subfilter = str(document.get(signature.get("SubFilter")) or "")[:64]
    if subfilter in WEAK_SUBFILTERS:
        findings.append(Message("SUBFILTER_REFUSED", f"a signature of the form {subfilter} rests on SHA-1"))
    elif subfilter not in SUBFILTERS:
        findings.append(Message("SUBFILTER_UNKNOWN", f"signature form {subfilter!r}; expected one of {', '.join(sorted(SUBFILTERS))}"))
    expected = "DocTimeStamp" if subfilter == TIMESTAMP_SUBFILTER else "Sig"
    kind = document.get(signature.get("Type"))  # table 255: optional for signatures, required for time stamps
    if kind != expected and (kind is not None or expected != "Sig"):
        findings.append(Message("SIGNATURE_TYPE", f"the signature dictionary's /Type does not fit {subfilter}; expected {expected}"))
    return subfilter


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
        found.append(replace(one, findings=tuple(more)))
    return tuple(found)


def pdf_date(value: str) -> datetime | None:
    """A PDF date (ISO 32000-2 7.9.4) in UTC; None where it is none. Without a zone it counts as UTC."""
    match = _DATE.fullmatch(value)
    if match is None:
        return None
    hours, minutes = int(match[9] or 0), int(match[10] or 0)
    if hours > 23 or minutes > 59:
        return None
    offset = timedelta(hours=hours, minutes=minutes) * (-1 if match[8] == "-" else 1)
    try:
        return datetime(*(int(part) for part in match.groups()[:6]), tzinfo=timezone(offset)).astimezone(UTC)  # type: ignore[misc,arg-type]
    except (ValueError, OverflowError):
        return None
