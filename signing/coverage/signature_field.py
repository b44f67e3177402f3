"""One signature field with its signature, as it stands in the file: range, contents, form, rules, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from signing.coverage.byterange import closed_revision, read_byte_range, read_contents
from signing.coverage.mdp import Mdp, read_mdp
from signing.pdf.document import Document
from signing.pdf.fields import Field
from signing.pdf.objects import PdfObject, Ref
from signing.pdf.text import pdf_date, text
from signing.verdict import Coverage, Message

LEGACY_SUBFILTER = "adbe.pkcs7.detached"
TIMESTAMP_SUBFILTER = "ETSI.RFC3161"
SUBFILTERS = frozenset({"ETSI.CAdES.detached", LEGACY_SUBFILTER, TIMESTAMP_SUBFILTER})
WEAK_SUBFILTERS = frozenset({"adbe.pkcs7.sha1", "adbe.x509.rsa_sha1"})


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


def read_signature(document: Document, field: Field, first_seen: int) -> SignatureField:
    findings: list[Message] = []
    ref = field.value if isinstance(field.value, Ref) else Ref(0)
    span: tuple[int, int] | None = None
    entry = document.entry(ref.number)
    if entry is not None and entry.kind == "offset":
        span = document.contents_span(ref.number)
    found = document.get(field.value)
    signature = found if isinstance(found, dict) else {}
    if not isinstance(found, dict):
        findings.append(Message("SIGNATURE_MISSING", f"/V of field {field.name!r} is not a signature dictionary"))
    elif entry is None or entry.kind != "offset":
        findings.append(Message("SIGNATURE_NOT_DIRECT", "the signature dictionary does not stand in the file as an object of its own"))
    byte_range = read_byte_range(signature.get("ByteRange"), findings)
    indefinite = signature.get("SubFilter") == LEGACY_SUBFILTER
    contents = read_contents(document.data, span, signature.get("Contents"), findings, indefinite=indefinite)
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
