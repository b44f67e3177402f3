"""B-LTA: validation data and, over it, a document time stamp (ETSI EN 319 142-1 clauses 5.4 and 5.5), in one revision.

    sealed = archive(document, time_stamper=tsa, validation=evidence)

The time stamp covers the validation data beside it, so one revision does what two would (ADR 7). :func:`renew` adds the next one before
the last one's certificate expires or its algorithm is retired; :mod:`signing.applying.renewal` says when that is.
"""

from __future__ import annotations

from pki.ports import TimeStamper
from signing.applying.container import rounded, token_bound
from signing.applying.dss import EvidenceError, ValidationData, certificates_of, put_validation_data
from signing.applying.form import SignatureField, add_field, signature_fields
from signing.applying.gap import write_with_gap
from signing.applying.writer import Update
from signing.pdf.document import Document
from signing.pdf.objects import Name, PdfObject
from signing.ports import ValidationDataSource

FIELD_PREFIX = "Archive-"


def archive(document: bytes, *, time_stamper: TimeStamper, validation: ValidationDataSource) -> bytes:
    """`document` with one more revision: revocation data for every certificate of its signatures and of `time_stamper`, then a time stamp.

    Raises :class:`signing.errors.PdfError`, :class:`signing.applying.dss.EvidenceError`, and what `validation` and `time_stamper` raise.
    """
    source = Document.parse(document)
    update = Update(source)
    evidence = ValidationData.gather(validation, (*certificates_of(source), *time_stamper.certificates))
    put_validation_data(update, evidence)
    return _stamp(update, time_stamper)


def renew(document: bytes, *, time_stamper: TimeStamper, validation: ValidationDataSource) -> bytes:
    """`document` with one more archive time stamp, and revocation data for the outermost one it had and for `time_stamper`.

    Of everything further in the document holds its data already, proven by the time stamp that is renewed; it is not asked for again, for
    a signer may have left and been revoked since. Raises as :func:`archive` does, and :class:`signing.applying.dss.EvidenceError` where
    there is no archive time stamp.
    """
    source = Document.parse(document)
    outermost = archive_stamps(source)[-1:]
    if not outermost:
        raise EvidenceError("the document has no archive time stamp to renew")
    update = Update(source)
    wanted = (*certificates_of(source, outermost), *time_stamper.certificates)
    put_validation_data(update, ValidationData.gather(validation, wanted))
    return _stamp(update, time_stamper)


def archive_stamps(document: Document) -> tuple[SignatureField, ...]:
    """The fields that hold a document time stamp, in the order of what they cover."""
    found: list[tuple[int, SignatureField]] = []
    for field in signature_fields(document):
        value = document.get(field.value.get("V"))
        covered = value.get("ByteRange") if isinstance(value, dict) and value.get("SubFilter") == "ETSI.RFC3161" else None
        if isinstance(covered, list) and len(covered) == 4 and isinstance(covered[2], int) and isinstance(covered[3], int):
            found.append((covered[2] + covered[3], field))
    return tuple(field for _, field in sorted(found, key=lambda each: each[0]))


def time_stamp_document(document: bytes, *, time_stamper: TimeStamper) -> bytes:
    """`document` with a document time stamp alone."""
    return _stamp(Update(Document.parse(document)), time_stamper)


def _stamp(update: Update, time_stamper: TimeStamper) -> bytes:
    signature = update.reserve()
    add_field(update, _free_name(update.document), signature)
    entries: dict[str, PdfObject] = {  # ISO 32000-2 table 255; no /M, no /Reason: EN 319 142-1 clause 5.4.3
        "Type": Name("DocTimeStamp"),
        "Filter": Name("Adobe.PPKLite"),
        "SubFilter": Name("ETSI.RFC3161"),
    }
    gapped = write_with_gap(update, signature, entries, rounded(token_bound(time_stamper)))
    return gapped.filled(time_stamper.stamp(gapped.digest("sha256")))


def _free_name(document: Document) -> str:
    taken = {field.name for field in signature_fields(document)}
    return next(name for number in range(1, len(taken) + 2) if (name := f"{FIELD_PREFIX}{number}") not in taken)
