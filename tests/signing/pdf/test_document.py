"""Reading documents: revisions, both kinds of cross-references, and agreement with qpdf on every object of sound files."""

from __future__ import annotations

import io
from collections.abc import Callable

import pikepdf
import pytest
from hypothesis import given, settings

from signing.coverage.structure import read_structure
from signing.errors import EncryptedPdfError, LimitError, PdfError
from signing.pdf.document import Document
from signing.pdf.fields import read_form
from signing.pdf.limits import Limits
from signing.pdf.objects import Name, PdfObject, PdfString, Ref, Stream
from tests.corpus.edit import root_number, update
from tests.corpus.good import good_files
from tests.support.mutation import FUZZ, Damage, damages
from tests.support.signing_cases import canonical_pdf, foreign_pdf


def plain(value: object, document: pikepdf.Pdf) -> object:
    """A pikepdf object as one of ours."""
    if isinstance(value, pikepdf.Object):
        if value.is_indirect:
            return Ref(*value.objgen)
        return _direct(value, document)
    return float(value) if type(value).__name__ == "Decimal" else value


def _direct(value: pikepdf.Object, document: pikepdf.Pdf) -> object:
    if isinstance(value, pikepdf.Stream):
        entries = {key[1:]: plain(item, document) for key, item in value.stream_dict.items()}
        return Stream(entries, value.read_raw_bytes())  # type: ignore[arg-type]
    if isinstance(value, pikepdf.Dictionary):
        return {key[1:]: plain(item, document) for key, item in value.items()}
    if isinstance(value, pikepdf.Array):
        return [plain(item, document) for item in value]
    if isinstance(value, pikepdf.Name):
        return Name(str(value)[1:])
    if isinstance(value, pikepdf.String):
        return PdfString(bytes(value))
    return value


def saved(**options: object) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(canonical_pdf())) as pdf:
        pdf.save(out, **options)  # type: ignore[arg-type]
    return out.getvalue()


SOUND: dict[str, Callable[[], bytes]] = {
    "canonical": canonical_pdf,
    "archived": lambda: good_files().archived,
    "foreign": foreign_pdf,
    "object streams": lambda: saved(object_stream_mode=pikepdf.ObjectStreamMode.generate),
    "foreign object streams": lambda: foreign_pdf(object_streams=True, form="indirect"),
    "linearised": lambda: foreign_pdf(linearize=True),
    "linearised, object streams": lambda: foreign_pdf(object_streams=True, linearize=True),
}


@pytest.mark.parametrize("name", SOUND)
def test_every_object_agrees_with_qpdf(name: str) -> None:
    data = SOUND[name]()
    document = Document.parse(data)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        compared = 0
        for number in document.numbers():
            entry = document.entry(number)
            assert entry is not None
            theirs = pdf.get_object(number, entry.generation)
            ours = document.get(Ref(number, entry.generation))
            if isinstance(ours, Stream) and ours.dictionary.get("Type") in ("XRef", "ObjStm"):
                continue  # qpdf resolves these away
            assert ours == _direct(theirs, pdf) if isinstance(theirs, pikepdf.Object) else ours == plain(theirs, pdf)
            if isinstance(ours, Stream) and ours.dictionary.get("Filter") == "FlateDecode":
                assert document.stream_data(ours) == theirs.read_bytes()
            compared += 1
        assert compared > 3


def test_revisions_tile_the_file() -> None:
    data = good_files().archived
    revisions = Document.parse(data).revisions
    assert [revision.start for revision in revisions] == [0, *(revision.end for revision in revisions[:-1])]
    assert revisions[-1].end == len(data)
    assert [revision.end for revision in revisions[1:-1]] == [len(stage) for stage in good_files().stages]


def test_object_is_seen_as_of_each_revision() -> None:
    document = Document.parse(good_files().archived)
    form = document.get(document.catalog(0)["AcroForm"], revision=0)
    assert isinstance(form, dict)
    fields = form["Fields"]
    assert isinstance(fields, list)
    values = [document.get(fields[0], revision=revision) for revision in range(len(document.revisions))]
    assert ["V" in value for value in values if isinstance(value, dict)] == [False, True, True, True, True]


def test_missing_and_freed_objects_are_null() -> None:
    data = canonical_pdf()
    document = Document.parse(update(data, {}, free=(5,)))
    assert document.get(Ref(5)) is None
    assert document.get(Ref(5), revision=0) is not None
    assert document.get(Ref(99_999)) is None
    assert document.get(Ref(6, 3)) is None


def test_span_is_that_of_the_object() -> None:
    document = Document.parse(canonical_pdf())
    start, end = document.span(1)
    assert document.data[start:end].startswith(b"1 0 obj")
    assert document.data[start:end].endswith(b"endobj")


def test_size_is_the_next_free_number() -> None:
    document = Document.parse(canonical_pdf())
    assert document.size == max(document.numbers()) + 1
    assert Document.parse(update(document.data, {}, trailer={"Size": 5_000})).size == 5_000


def test_linearised_file_is_one_revision() -> None:
    data = foreign_pdf(linearize=True)
    document = Document.parse(data)
    assert [(r.linearized, r.start, r.end) for r in document.revisions] == [(True, 0, len(data))]
    assert len(Document.parse(update(data, {1: {}})).revisions) == 2


def test_hybrid_base_is_read_where_table_and_stream_agree() -> None:
    data = bytearray(b"%PDF-1.5\n")
    offsets = {}
    for number, text in ((1, b"<</Type/Catalog/Pages 2 0 R/Hidden 4 0 R>>"), (2, b"<</Type/Pages/Kids[]/Count 0>>")):
        offsets[number] = len(data)
        data += b"%d 0 obj\n" % number + text + b"\nendobj\n"
    offsets[5] = len(data)
    data += b"5 0 obj\n<</Type/ObjStm/N 1/First 4/Length 9>>\nstream\n4 0 (hid)\nendstream\nendobj\n"
    offsets[3] = len(data)
    rows = bytes([2, 0, 5, 0]) + bytes([1]) + offsets[5].to_bytes(2, "big") + b"\0"
    head = b"3 0 obj\n<</Type/XRef/Size 6/W[1 2 1]/Index[4 2]/Length %d>>\nstream\n" % len(rows)
    data += head + rows + b"\nendstream\nendobj\n"
    start = len(data)
    table = b"xref\n0 6\n0000000000 65535 f\r\n" + b"".join(
        b"%010d 00000 n\r\n" % offsets[n] if n in (1, 2, 3) else b"0000000000 00000 f\r\n" for n in range(1, 6)
    )
    data += table + b"trailer\n<</Size 6/Root 1 0 R/XRefStm %d>>\nstartxref\n%d\n%%%%EOF\n" % (offsets[3], start)
    document = Document.parse(bytes(data))
    assert document.revisions[0].xref_kind == "hybrid"
    assert document.get(Ref(4)) == b"hid"
    lying = bytes(data).replace(b"%010d 00000 n\r\n" % offsets[2], b"%010d 00000 n\r\n" % offsets[1]).replace(b"[4 2]", b"[2 2]")
    with pytest.raises(PdfError, match="table and stream disagree about object 2"):
        Document.parse(lying)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "does not begin with %PDF-"),
        (b"hello", "does not begin with %PDF-"),
        (b"junk%PDF-1.7\n", "does not begin with %PDF-"),
        (b"%PDF-1.7\n", "no startxref"),
        (b"%PDF-1.7\nstartxref\n9\n%%EOF", "no object at offset 9"),
        (b"%PDF-1.7\nstartxref\n99\n%%EOF", "outside the file"),
        (b"%PDF-1.7\nxref\n0 1\n0000000000 65535 f \nstartxref\n9\n%%EOF", "no trailer after the cross-reference table"),
        (b"%PDF-1.7\nxref\n0 1\n0000000000 65535 x \ntrailer<<>>startxref\n9\n%%EOF", "no cross-reference entry of 20 octets"),
        (b"%PDF-1.7\nxref\n0 0\ntrailer<<>>startxref\n9\n%%EOF", "/Size of the cross-reference at 9"),
        (b"%PDF-1.7\nxref\n0 0\ntrailer<</Size 1/Encrypt 3 0 R>>\nstartxref\n9\n%%EOF", "the document is encrypted"),
        (b"%PDF-1.7\nxref\n0 0\ntrailer<</Size 1/Prev 500>>\nstartxref\n9\n%%EOF", "is not an offset inside the file"),
        (b"%PDF-1.7\nxref\n0 0\ntrailer<</Size 1/Prev 9>>\nstartxref\n9\n%%EOF", "does not point backwards"),
    ],
)
def test_what_is_no_pdf_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(PdfError) as caught:
        Document.parse(data)
    assert message in str(caught.value)


def test_encrypted_document_is_its_own_error() -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(canonical_pdf())) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="o", user="u"))
    with pytest.raises(EncryptedPdfError, match="encrypted; expected one without a password"):
        Document.parse(out.getvalue())


def test_object_where_the_cross_reference_does_not_say_is_refused() -> None:
    data = canonical_pdf()
    offset = Document.parse(data).entry(7)
    assert offset is not None
    moved = data.replace(b"%010d 00000 n" % offset.offset, b"%010d 00000 n" % (offset.offset + 1))
    with pytest.raises(PdfError, match=r"object 7 is at .*, which is not where it stands"):
        Document.parse(moved)


def test_object_stream_that_holds_another_object_is_refused() -> None:
    data = foreign_pdf(object_streams=True)
    document = Document.parse(data)
    number, holder = next((n, e) for n in document.numbers() if (e := document.entry(n)) and e.kind == "compressed")
    lying = update_stream_document(document, holder.stream_number, number)
    with pytest.raises(PdfError, match="does not hold object"):
        lying.get(Ref(number))


def update_stream_document(document: Document, holder: int, number: int) -> Document:
    """The object stream redefined with its members' numbers changed."""
    stream = document.get(Ref(holder))
    assert isinstance(stream, Stream)
    first = stream.dictionary["First"]
    assert isinstance(first, int)
    decoded = document.stream_data(stream)
    header = decoded[:first].replace(b"%d " % number, b"%d " % (number + 500), 1)
    entries: dict[str, PdfObject] = {"Type": Name("ObjStm"), "N": stream.dictionary["N"], "First": len(header)}
    return Document.parse(update(document.data, {holder: Stream(entries, header + decoded[first:])}))


def test_limits_are_those_of_the_caller() -> None:
    data = good_files().archived
    with pytest.raises(LimitError, match="more than 2 revisions"):
        Document.parse(data, limits=Limits(revisions=2))
    with pytest.raises(LimitError, match=r"the file has .* more than the 1000"):
        Document.parse(data, limits=Limits(file_size=1_000))


def test_streams_share_one_budget() -> None:
    data = update(canonical_pdf(), {900: Stream({}, b"x" * 600)})
    document = Document.parse(data, limits=Limits(decoded=1_000))
    stream = document.get(Ref(900))
    assert isinstance(stream, Stream)
    document.stream_data(stream)
    with pytest.raises(LimitError, match="streams decode to more than 1000"):
        document.stream_data(stream)


def test_indirect_length_is_resolved_as_of_the_revision() -> None:
    base = update(canonical_pdf(), {900: b"<</Length 901 0 R>>\nstream\nabcdef\nendstream", 901: 6})
    document = Document.parse(update(base, {901: 5}))
    found = document.get(Ref(900), revision=1)
    assert isinstance(found, Stream)
    assert found.raw == b"abcdef"
    with pytest.raises(PdfError, match="not followed by endstream"):
        document.get(Ref(900))


def test_reference_to_a_reference_is_refused() -> None:
    document = Document.parse(update(canonical_pdf(), {900: Ref(1)}))
    with pytest.raises(PdfError, match="object 900 is only a reference to object 1"):
        document.get(Ref(900))


def test_chain_of_object_streams_is_refused_without_recursion() -> None:
    links = 400
    data = canonical_pdf()
    objects: dict[int, PdfObject | bytes] = {1000 + i: b"<</Length %d 0 R>>\nstream\nx\nendstream" % (1001 + i) for i in range(links)}
    with pytest.raises(PdfError, match="depends on itself"):
        Document.parse(update(data, objects)).get(Ref(1000))


def read_all(data: bytes) -> str | None:
    """Reads everything a verifier reads. The first refusal's text; raises nothing but PdfError on the way."""
    refusal = None
    try:
        document = Document.parse(data)
        read_structure(document)
    except PdfError as exc:
        return str(exc)
    for number in document.numbers():
        try:
            found = document.get(Ref(number))
            if isinstance(found, Stream):
                document.stream_data(found)
        except PdfError as exc:
            refusal = str(exc)
    return refusal


def _read_damaged(first: Damage, second: Damage) -> None:
    """Damages to the front and to the last octets, where trailer and cross-reference are, of three kinds of files."""
    for base in (good_files().archived, foreign_pdf(object_streams=True, form="indirect"), foreign_pdf(linearize=True)):
        for damaged in (first.to(base), base[:-600] + second.to(base[-600:])):
            refusal = read_all(damaged)
            assert refusal is None or "\n" not in refusal


@settings(FUZZ, max_examples=100)
@given(damages, damages)
def test_damaged_documents_raise_nothing_but_pdf_errors(first: Damage, second: Damage) -> None:
    _read_damaged(first, second)


@pytest.mark.long
@settings(FUZZ, max_examples=10_000)
@given(damages, damages)
def test_many_damaged_documents_raise_nothing_but_pdf_errors(first: Damage, second: Damage) -> None:
    _read_damaged(first, second)


def test_catalog_of_another_type_is_refused() -> None:
    document = Document.parse(update(canonical_pdf(), {root_number(Document.parse(canonical_pdf())): [1]}))
    with pytest.raises(PdfError, match="not a reference to a catalog"):
        _ = document.root


@pytest.mark.parametrize("spelled", [b"7 0 objx", b"7 0 obj1", b"7 0 obj#"])
def test_object_whose_first_line_goes_on_after_obj_is_refused_though_nobody_reads_it(spelled: bytes) -> None:
    data = canonical_pdf()
    assert data.count(b"\n7 0 obj") == 1
    with pytest.raises(PdfError, match=r"object 7 is at .*, which is not where it stands"):
        Document.parse(data.replace(b"\n7 0 obj" + b"\n", b"\n" + spelled))


def _section(number: int, offset: int, rows: dict[int, tuple[int, int]], *, previous: int | None = None) -> bytes:
    """A cross-reference stream, object `number` at `offset`, with `rows` of (type, offset or object stream), and what closes a file."""
    rows = {**rows, number: (1, offset)}
    octets = b"".join(bytes([kind]) + where.to_bytes(3, "big") + b"\0" for kind, where in rows.values())
    index = b" ".join(b"%d 1" % one for one in rows)
    more = b"" if previous is None else b"/Prev %d" % previous
    head = b"%d 0 obj\n<</Type/XRef/Size 60/W[1 3 1]/Index[%b]/Root 1 0 R/Length %d%b>>\nstream\n" % (number, index, len(octets), more)
    return head + octets + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % offset


def _form_read_from_elsewhere() -> bytes:
    """A form whose field stands in an object stream with an indirect /First, which an update moves on to another field."""
    held = b"10 0 %<</FT/Sig/T(later)/X(\n<</FT/Sig/T(first)>>%)>>"
    bodies = {
        1: b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[10 0 R]>>>>",
        2: b"<</Type/Pages/Kids[]/Count 0>>",
        50: b"<</Type/ObjStm/N 1/First 51 0 R/Length %d>>\nstream\n%b\nendstream" % (len(held), held),
        51: b"5",
    }
    data, rows = b"%PDF-1.7\n", {10: (2, 50)}
    for number, body in bodies.items():
        rows[number] = (1, len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    first = len(data)
    data += _section(52, first, rows)
    moved = len(data)
    data += b"51 0 obj\n6\nendobj\n"
    return data + _section(53, len(data), {51: (1, moved)}, previous=first)


def test_object_stream_that_is_told_elsewhere_how_to_be_read_is_read_for_each_revision() -> None:
    document = Document.parse(_form_read_from_elsewhere())
    titles = [document.get(Ref(10), revision=revision)["T"] for revision in (0, 1, None, 0)]  # type: ignore[index, call-overload]
    assert titles == [b"first", b"later", b"later", b"first"]


def test_form_is_read_again_where_what_tells_how_to_read_a_field_is_redefined() -> None:
    document = Document.parse(_form_read_from_elsewhere())
    before = read_form(document, 0)
    after = read_form(document, 1, before=before)
    assert ([field.name for field in before.fields], [field.name for field in after.fields]) == (["first"], ["later"])
