"""Attack classes 16, 18 and 19: what a certification (DocMDP), its entry in the catalog and a field's lock (FieldMDP) forbid.

A stranger certifies a document, or locks fields with a signature; somebody then changes it. Under both policies nothing but signing empty
fields is ever permitted after a signature, so that even P=3, which would allow annotations, does not help an annotation.
"""

from __future__ import annotations

from collections.abc import Mapping

from signing.pdf.document import Document
from signing.pdf.objects import PdfObject
from tests.corpus.case import GoodFiles, case
from tests.corpus.edit import Name, PdfString, Ref, body, number_of, root_number, stamp_annotation, update
from tests.corpus.stranger import signed, stranger
from tests.support.signing_cases import foreign_pdf

MDP = "ISO 32000-2 12.8.2.2, table 257"
LOCK = "ISO 32000-2 12.8.2.4, table 259"
EMPTY = "Second"  # a field that stands empty when the first signature is made


def reference(method: str, parameters: Mapping[str, PdfObject]) -> PdfObject:
    given: dict[str, PdfObject] = {"Type": Name("TransformParams"), "V": Name("1.2"), **parameters}
    return {"Type": Name("SigRef"), "TransformMethod": Name(method), "TransformParams": given}


def certified(permissions: int, *, document: bytes | None = None) -> bytes:
    """Certified by the stranger with /P as given."""
    return signed(
        document=document,
        entries={"Reference": [reference("DocMDP", {"P": permissions})]},
        catalog=lambda value: {"Perms": {"DocMDP": value}},
    )


def with_empty_field() -> bytes:
    """The foreign document with one empty signature field."""
    document = Document.parse(foreign_pdf())
    root, page, fresh = root_number(document), number_of(document, "Page"), document.size
    empty: PdfObject = {
        **{"Type": Name("Annot"), "Subtype": Name("Widget"), "FT": Name("Sig"), "T": PdfString(EMPTY.encode())},
        **{"F": 132, "Rect": [0, 0, 0, 0], "P": Ref(page)},
    }
    form: PdfObject = {"Fields": [Ref(fresh)], "SigFlags": 3}
    shown: PdfObject = {**body(document, page), "Annots": [Ref(fresh)]}
    return update(foreign_pdf(), {root: {**body(document, root), "AcroForm": form}, page: shown, fresh: empty})


def locked(action: str, *fields: str) -> bytes:
    """Signed by the stranger, locking fields; one field stands empty."""
    names: dict[str, PdfObject] = {"Fields": [PdfString(one.encode()) for one in fields]} if fields else {}
    lock = reference("FieldMDP", {"Action": Name(action), **names})
    return signed(document=with_empty_field(), entries={"Reference": [lock]})


def annotated(data: bytes, kind: str) -> bytes:
    """One more annotation on the first page."""
    document = Document.parse(data)
    page, fresh = number_of(document, "Page"), document.size
    found = document.get(body(document, page).get("Annots", []))
    assert isinstance(found, list)
    note = {**stamp_annotation(Ref(page)), "Subtype": Name(kind)}
    return update(data, {page: {**body(document, page), "Annots": [*found, Ref(fresh)]}, fresh: note})


def _register(kind: str, permissions: int) -> None:
    @case(
        f"16-{kind.lower()}-p{permissions}",
        16,
        "ANNOTATION_ADDED",
        *(("DOCMDP_VIOLATED",) if permissions < 3 else ()),
        clause=MDP if permissions < 3 else "the policies permit no annotations, whatever the signer did",
        reason=f"a {kind} annotation over what was certified with P={permissions}",
    )
    def build(good: GoodFiles) -> bytes:
        return annotated(certified(permissions), kind)


for _kind in ("FreeText", "Stamp", "Redact"):
    for _permissions in (1, 2, 3):
        _register(_kind, _permissions)


@case("16-certified", 16, clause=MDP, reason="honest: the same file without an annotation", verdict="TOTAL-PASSED")
def honest(good: GoodFiles) -> bytes:
    return certified(1)


@case("18-perms-removed", 18, "CATALOG_CHANGED", clause="ISO 32000-2 12.8.6", reason="the certification's entry in the catalog was removed")
def perms_removed(good: GoodFiles) -> bytes:
    data = certified(1)
    document = Document.parse(data)
    root = root_number(document)
    return update(data, {root: {key: value for key, value in body(document, root).items() if key != "Perms"}})


@case("18-signed-after-p1", 18, "DOCMDP_VIOLATED", clause=MDP, reason="an empty field signed after a certification with P=1")
def signed_after_p1(good: GoodFiles) -> bytes:
    return signed(stranger().ca.issue("Second Signer"), document=certified(1, document=with_empty_field()), name=EMPTY)


@case("18-certified-second", 18, "CERTIFICATION_NOT_FIRST", clause="ISO 32000-2 12.8.2.2.1", reason="certified after another had signed")
def certified_second(good: GoodFiles) -> bytes:
    first = signed(document=with_empty_field())
    return signed(stranger().ca.issue("Second Signer"), document=first, name=EMPTY, entries={"Reference": [reference("DocMDP", {"P": 2})]})


@case("18-signed-after-p2", 18, clause=MDP, reason="honest: an empty field signed after a certification with P=2", verdict="TOTAL-PASSED")
def signed_after_p2(good: GoodFiles) -> bytes:
    return signed(stranger().ca.issue("Second Signer"), document=certified(2, document=with_empty_field()), name=EMPTY)


@case("19-include-violated", 19, "FIELDMDP_VIOLATED", clause=LOCK, reason="a field that was locked by name is signed")
def include_violated(good: GoodFiles) -> bytes:
    return _second(locked("Include", EMPTY))


@case("19-all-violated", 19, "FIELDMDP_VIOLATED", clause=LOCK, reason="every field was locked, and one is signed")
def all_violated(good: GoodFiles) -> bytes:
    return _second(locked("All"))


@case("19-exclude-violated", 19, "FIELDMDP_VIOLATED", clause=LOCK, reason="every field but another was locked, and this one is signed")
def exclude_violated(good: GoodFiles) -> bytes:
    return _second(locked("Exclude", "Third"))


@case(
    "19-record-after-seal", 19, "FIELDMDP_VIOLATED", "DOCMDP_VIOLATED", clause=LOCK, reason="a record's field signed after its closing seal"
)
def record_after_seal(good: GoodFiles) -> bytes:
    teacher, _, seal = good.stages
    assert seal.startswith(teacher)
    return signed(document=good.sealed, name="Signature-Later", stamper=False)


@case("19-exclude-kept", 19, clause=LOCK, reason="honest: every field but this one was locked", verdict="TOTAL-PASSED")
def exclude_kept(good: GoodFiles) -> bytes:
    return _second(locked("Exclude", EMPTY))


def _second(data: bytes) -> bytes:
    return signed(stranger().ca.issue("Second Signer"), document=data, name=EMPTY)
