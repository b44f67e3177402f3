"""Cases that pyHanko lets pass (`domain.md`), beside those of other files: one more way each for classes 13, 18, 21 and 23."""

from __future__ import annotations

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from pki.structures import cms as c
from pki.structures.der import element
from signing.pdf.document import Document
from signing.pdf.objects import PdfObject
from tests.corpus.build_certified import EMPTY, with_empty_field
from tests.corpus.case import GoodFiles, case
from tests.corpus.cms import content_type, ess, message_digest, sound, with_signer
from tests.corpus.edit import Name, PdfString, Ref, Stream, body, number_of, root_number, update
from tests.corpus.stranger import signed, stranger
from tests.support.signing_cases import foreign_pdf

SET = 0x31
MARK = "Mark"


def _drawn(text: bytes) -> Stream:
    box: PdfObject = [0, 0, 100, 40]
    return Stream({"Type": Name("XObject"), "Subtype": Name("Form"), "BBox": box}, b"BT /F0 12 Tf 4 12 Td (" + text + b") Tj ET")


def with_open_form() -> bytes:
    """The foreign document with a text field that holds a mark."""
    document = Document.parse(foreign_pdf())
    root, page, field, shown = root_number(document), number_of(document, "Page"), document.size, document.size + 1
    text: PdfObject = {
        **{"Type": Name("Annot"), "Subtype": Name("Widget"), "FT": Name("Tx"), "T": PdfString(MARK.encode()), "V": PdfString(b"4,0")},
        **{"F": 4, "Rect": [10, 60, 110, 100], "P": Ref(page), "DA": PdfString(b"/F0 12 Tf"), "AP": {"N": Ref(shown)}},
    }
    objects: dict[int, PdfObject | bytes] = {
        root: {**body(document, root), "AcroForm": {"Fields": [Ref(field)]}},
        page: {**body(document, page), "Annots": [Ref(field)]},
        field: text,
        shown: _drawn(b"4,0"),
    }
    return update(foreign_pdf(), objects)


@case(
    "13-open-form",
    13,
    "FORM_FIELD_FILLED",
    clause="the shadow attack of 2021: replace; under ades filling a form that the signer left open is permitted, and shown",
    reason="another mark in a form that stood open",
    ades="TOTAL-PASSED",
)
def open_form(good: GoodFiles) -> bytes:
    data = signed(document=with_open_form())
    document = Document.parse(data)
    number = next(n for n in document.numbers() if document.get(Ref(n)) and _is_mark(document.get(Ref(n))))
    fresh = document.size
    filled: PdfObject = {**body(document, number), "V": PdfString(b"10,0"), "AP": {"N": Ref(fresh)}}
    return update(data, {number: filled, fresh: _drawn(b"10,0")})


def _is_mark(value: PdfObject) -> bool:
    return isinstance(value, dict) and value.get("T") == PdfString(MARK.encode())


@case(
    "18-metadata-changed",
    18,
    "METADATA_CHANGED",
    clause="record policy; EN 319 102-1 leaves it to the policy",
    reason="the record's XMP metadata were changed",
    ades="TOTAL-PASSED",
)
def metadata_changed(good: GoodFiles) -> bytes:
    document = Document.parse(good.archived)
    number = number_of(document, "Metadata")
    old = document.get(Ref(number))
    assert isinstance(old, Stream)
    kept = {key: value for key, value in old.dictionary.items() if key not in ("Length", "Filter", "DecodeParms")}
    return update(good.archived, {number: Stream(kept, b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")})


@case(
    "21-two-fields-at-once", 21, "SIGNATURE_SHARED", clause="EN 319 142-1 6.3", reason="two fields point to one signature, from the start"
)
def two_fields_at_once(good: GoodFiles) -> bytes:
    document = Document.parse(with_empty_field())
    number = next(n for n in document.numbers() if _is_empty(document.get(Ref(n))))
    return signed(document=with_empty_field(), others={number: {**body(document, number), "V": Ref(document.size)}})


def _is_empty(value: PdfObject) -> bool:
    return isinstance(value, dict) and value.get("T") == PdfString(EMPTY.encode())


@case(
    "23-attributes-signed-unsorted",
    23,
    clause="RFC 5652 5.3: DER",
    reason="attributes out of order, and signed in that order",
    verdict="TOTAL-FAILED/FORMAT_FAILURE CMS_MALFORMED",
)
def attributes_signed_unsorted(good: GoodFiles) -> bytes:
    def unsorted(content: bytes) -> bytes:
        house = stranger()
        parts = sorted(asn1.encode_der(one) for one in (content_type(), message_digest(content), ess(house.signer)))
        (in_order, out_of_order) = b"".join(parts), b"".join(reversed(parts))
        value = house.signer.key.sign(element(SET, out_of_order), ec.ECDSA(hashes.SHA256()))
        der = c.content_info_der(with_signer(sound(content, house.signer, house.ca), signature=value))
        assert der.count(in_order) == 1
        return der.replace(in_order, out_of_order)

    return signed(cms=unsorted)
