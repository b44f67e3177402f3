"""Attack class 15: what the signer refuses, one built document each (`tests/corpus/build_class15.py`), and what it lets through."""

from __future__ import annotations

import io
import re

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name, Pdf, String

from records.export import export_record
from signing.applying.batch import BatchItem, BatchSigner, sign_batch
from signing.applying.sign import sign
from signing.errors import EncryptedPdfError, PdfError, RefusedDocumentError
from signing.inspection.inspect import inspect
from signing.inspection.layout import Layout
from signing.inspection.reading import references
from signing.pdf.document import Document
from signing.pdf.objects import Ref
from tests.corpus.build_class15 import CASES, Change, changed, encrypted, javascript_on_opening
from tests.corpus.edit import update
from tests.support.record_cases import make_record
from tests.support.signing_cases import MANIFEST, WORKFLOW, canonical_pdf, foreign_pdf, make_signing_house


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("object_streams", [False, True], ids=["plain", "object streams"])
def test_document_is_refused(case: str, object_streams: bool) -> None:
    expected = CASES[case]
    with pytest.raises(RefusedDocumentError, match=re.escape(expected.text)) as refusal:
        inspect(Document.parse(expected.build(object_streams)))
    assert refusal.value.found == expected.found
    assert str(refusal.value).startswith(f"refused before signing, {expected.found}: ")


def test_encrypted_document_is_refused() -> None:
    with pytest.raises(EncryptedPdfError, match="the document is encrypted"):
        sign(encrypted(), make_signing_house().request("homeroom"), time_stamper=None)


def test_the_signer_refuses_such_a_document() -> None:
    with pytest.raises(RefusedDocumentError, match="JavaScript"):
        sign(changed(javascript_on_opening), make_signing_house().request("homeroom"), time_stamper=None)


def test_a_batch_names_what_was_found_and_signs_the_rest() -> None:
    house = make_signing_house()
    request = house.request("homeroom")
    signer = BatchSigner(request.certificate_der, request.chain, request.key)
    items = [BatchItem(case, CASES[case].build(False), MANIFEST, "homeroom") for case in ("15-xfa", "15-launch")]
    items.append(BatchItem("sound", canonical_pdf(), MANIFEST, "homeroom"))
    results = list(sign_batch(items, signer=signer, time_stamper=house.tsa, clock=house.authority.clock))
    assert [result.error.found if isinstance(result.error, RefusedDocumentError) else None for result in results] == ["xfa", "action", None]


@pytest.mark.parametrize(
    "document",
    [
        canonical_pdf(),
        foreign_pdf(),
        foreign_pdf(object_streams=True, form="indirect"),
        foreign_pdf(linearize=True),
        export_record(make_record(), WORKFLOW, verify_url="https://school.example/verify"),
    ],
    ids=["canonical", "foreign", "object streams", "linearised", "export"],
)
def test_honest_document_is_let_through(document: bytes) -> None:
    inspect(Document.parse(document))


def test_going_to_a_page_on_opening_is_let_through() -> None:
    def go(pdf: Pdf) -> None:
        pdf.Root.OpenAction = Dictionary(S=Name.GoTo, D=Array([pdf.pages[0].obj, Name.Fit]))

    inspect(Document.parse(changed(go)))


def test_layers_that_are_all_on_are_let_through() -> None:
    def layers(pdf: Pdf) -> None:
        layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("Khung")))
        pdf.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(ON=Array([layer])))

    inspect(Document.parse(changed(layers)))


def test_word_obj_inside_a_stream_is_let_through() -> None:
    def content(pdf: Pdf) -> None:
        pdf.pages[0].obj.PieceInfo = Dictionary(Note=pdf.make_stream(b"7 0 obj << /JavaScript >> endobj"))

    inspect(Document.parse(uncompressed(content)))


def uncompressed(change: Change) -> bytes:
    with pikepdf.open(io.BytesIO(canonical_pdf())) as pdf:
        change(pdf)
        out = io.BytesIO()
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable, compress_streams=False, deterministic_id=True)
        return out.getvalue()


def test_what_an_update_replaced_was_shown_once_and_is_let_through() -> None:
    document = Document.parse(canonical_pdf())
    numbers = {number for number in document.numbers() if isinstance(document.get(Ref(number)), dict)}
    page = next(n for n in sorted(numbers) if document.get(Ref(n)).get("Type") == "Page")  # type: ignore[union-attr]
    value = document.get(Ref(page))
    assert isinstance(value, dict)
    inspect(Document.parse(update(canonical_pdf(), {page: {**value, "Resources": {}}})))


def test_a_signed_record_is_let_through_again() -> None:
    house = make_signing_house()
    document = canonical_pdf()
    for step in ("homeroom", "principal", "seal"):
        document = sign(document, house.request(step), time_stamper=house.tsa)
        inspect(Document.parse(document))


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [b"(x)", b"(12 0 R)", b"(\\()", b"(a(b)c)", b"<3132>", b"%c 3 0 R\n", b"/N", b"5", b"7 0 R", b"8  0\tR", b"9 1 R", b"[", b"]"]
        )
    )
)
def test_the_quick_reading_of_references_never_finds_more_than_there_are(parts: list[bytes]) -> None:
    opened = parts.count(b"[") - parts.count(b"]")
    body = b"[ " + b" ".join(parts) + b" ]" * (opened + 1 if opened >= 0 else 1)
    number = Document.parse(canonical_pdf()).size
    document = Document.parse(update(canonical_pdf(), {number: body}))
    try:
        exact = {ref.number for ref in references(document.get(Ref(number))) if not ref.generation}
    except PdfError:
        return
    assert set(Layout.of(document).edges.get(number, [])) == exact
