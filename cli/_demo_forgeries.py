"""The demonstration's forgeries: what people try in order to get a better mark, made with our own tools."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from cli._demo_school import Cast
from cli._demo_signing import VERIFY_URL, better_mark
from config.workflows import load_workflow
from records.export import export_record
from records.record import Record
from signing.applying.archive import archive
from signing.applying.sign import SignatureRequest, sign
from signing.applying.writer import Update
from signing.errors import PdfError
from signing.pdf.document import Document
from signing.pdf.objects import PdfObject, Ref, Stream
from signing.pdf.pages import pages


@dataclass(frozen=True)
class Forgery:
    """A file to be refused, and with which indication, sub-indication and entitlement."""

    name: str
    story: str
    pdf: bytes
    expected: tuple[str, str, str]


def forgeries(cast: Cast, genuine: bytes, record: Record) -> tuple[Forgery, ...]:
    """From `genuine`, a sealed record, and `record`, what it says."""
    return (
        Forgery("altered-in-place.pdf", "one octet of a page changed", altered(genuine), ("TOTAL-FAILED", "HASH_FAILURE", "")),
        Forgery("edited-afterwards.pdf", "a mark painted over after the seal", painted_over(genuine), ("TOTAL-FAILED", "", "")),
        Forgery(
            "signed-by-a-pupil.pdf",
            "better marks, signed three times with a pupil's own valid certificate",
            by_pupil(cast, record),
            ("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "not-entitled"),
        ),
        Forgery(
            "cut-back.pdf",
            "cut back to the homeroom teacher's signature",
            cut_back(genuine),
            ("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "incomplete"),
        ),
    )


def altered(pdf: bytes) -> bytes:
    """One octet inside the first page's content stream is another."""
    document = Document.parse(pdf)
    start, end = document.span(_contents(document).number)
    forged = bytearray(pdf)
    forged[(start + end) // 2] ^= 0x01
    return bytes(forged)


def painted_over(pdf: bytes) -> bytes:
    """One more revision after the seal: a white box with another mark over the first page. The signed octets are untouched."""
    document = Document.parse(pdf)
    update = Update(document)
    reference = _contents(document)
    stream = document.get(reference)
    if not isinstance(stream, Stream):
        raise PdfError(f"object {reference.number} is not a content stream")
    painted = b"q\n" + document.stream_data(stream) + b"\nQ\nq 1 g 300 400 60 18 re f Q\n"
    update.put(reference, Stream({"Length": len(painted)}, painted))
    return bytes(update.close().data)


def by_pupil(cast: Cast, record: Record) -> bytes:
    """The pupil's own copy, with marks of their choice and all three fields filled with their own key."""
    pupil = next(who.holder for who in cast.enrolled if who.commitment and who.holder == record.content.student.id)
    steps = load_workflow("school-record")
    pdf = export_record(replace(record, content=better_mark(record.content)), steps, verify_url=VERIFY_URL)
    with cast.holders.opened(pupil, cast.choose_pin(pupil)) as (held, key):
        for step in steps.steps:
            request = SignatureRequest(
                field=step.field,
                certificate_der=held.certificate_der,
                chain=(cast.house.authority.issuing_der,),
                key=key,
                claimed_time=cast.house.clock(),
            )
            pdf = sign(pdf, request, time_stamper=cast.house.tsa)
    return archive(pdf, time_stamper=cast.house.tsa, validation=cast.house.evidence)


def cut_back(pdf: bytes) -> bytes:
    """The file as it was after its first signature: every octet of it genuine."""
    return pdf[: Document.parse(pdf).revisions[1].end]


def write(found: tuple[Forgery, ...], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for forgery in found:
        (folder / forgery.name).write_bytes(forgery.pdf)


def _contents(document: Document) -> Ref:
    _, page = next(pages(document))
    contents: PdfObject = page.get("Contents")
    if isinstance(contents, list):
        contents = contents[0]
    if not isinstance(contents, Ref):
        raise PdfError("the first page has no content stream of its own")
    return contents
