"""B-LTA: validation data and, over it, a document time stamp (ETSI EN 319 142-1 clauses 5.4 and 5.5), in one revision.

    sealed = archive(document, time_stamper=tsa, validation=evidence)

The time stamp covers the validation data beside it, so one revision does what two would. The same call renews a document whose last
time stamp grows old: gather anew, stamp again.
"""

from __future__ import annotations

from pki.ports import TimeStamper
from signing.container import rounded, token_bound
from signing.dss import ValidationData, certificates_of, put_validation_data
from signing.form import add_field, signature_fields
from signing.gap import byte_range_digest, fill_gap, write_with_gap
from signing.pdf.document import Document
from signing.pdf.objects import Name, PdfObject
from signing.ports import ValidationDataSource
from signing.writer import Update

FIELD_PREFIX = "Archive-"


def archive(document: bytes, *, time_stamper: TimeStamper, validation: ValidationDataSource) -> bytes:
    """`document` with one more revision: revocation data for every certificate of its signatures and of `time_stamper`, then a time stamp.

    Raises :class:`signing.errors.PdfError`, :class:`signing.dss.EvidenceError`, and what `validation` and `time_stamper` raise.
    """
    source = Document.parse(document)
    update = Update(source)
    evidence = ValidationData.gather(validation, (*certificates_of(source), *time_stamper.certificates))
    put_validation_data(update, evidence)
    return _stamp(update, time_stamper)


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
    data, gap = write_with_gap(update, signature, entries, rounded(token_bound(time_stamper)))
    return fill_gap(data, gap, time_stamper.stamp(byte_range_digest(data, gap, "sha256")))


def _free_name(document: Document) -> str:
    taken = {field.name for field in signature_fields(document)}
    return next(name for number in range(1, len(taken) + 2) if (name := f"{FIELD_PREFIX}{number}") not in taken)
