"""Attack classes 17, 22, 41 and 44: sound signatures by the wrong person, under a false name, or under an authority planted beside it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signing.pdf.document import Document
from signing.pdf.objects import PdfObject
from tests.corpus.case import GoodFiles, case
from tests.corpus.edit import Name, PdfString, Ref, Stream
from tests.corpus.good import record_house
from tests.corpus.stranger import signed
from tests.support.authority import Credential
from tests.support.chain_cases import Node, certificate
from tests.support.verify_cases import RecordHouse, make_record_house

SHOWN = "domain.md, class 22: the certificate's subject alone is shown"
ENTITLED = "design.md, idea 11: who signed matters as much as that it verifies"
NAMED = "design.md, idea 9: trust comes only from what the caller names"
NOT_ENTITLED = "INDETERMINATE/SIG_CONSTRAINTS_FAILURE "
SPOOF: Mapping[str, PdfObject] = {
    "Name": PdfString(b"Le Van Minh, Principal"),
    "Reason": PdfString(b"Signed by the Ministry of Education"),
    "ContactInfo": PdfString(b"minister@ministry.example"),
}


def _picture(data: bytes) -> tuple[Mapping[str, PdfObject], Mapping[int, PdfObject | bytes]]:
    """A field that covers the page and shows other marks: its entries, and the objects that it needs."""
    number = Document.parse(data).size + 2
    drawn = Stream(
        {"Type": Name("XObject"), "Subtype": Name("Form"), "BBox": [0, 0, 400, 300]}, b"1 g 0 0 400 300 re f 0 g 20 200 200 40 re f"
    )
    return {"Rect": [0, 0, 400, 300], "AP": {"N": Ref(number)}}, {number: drawn}


def _own(common_name: str) -> Node:
    return certificate(common_name, issuer=None)


@case(
    "17-self-signed-field",
    17,
    "SIGNATURE_FIELD_ADDED",
    ades="TOTAL-FAILED/FORMAT_FAILURE FIELDMDP_VIOLATED",
    clause="ISO 32000-2 12.7.5.5",
    reason="a field signed by oneself covers the record's page",
)
def self_signed_field(good: GoodFiles) -> bytes:
    field, others = _picture(good.archived)
    return signed(_own("Mallory"), document=good.archived, name="Cover", stamper=False, crls=(), field=field, others=others)


@case(
    "17-self-signed-before",
    17,
    clause="EN 319 102-1 5.2.6",
    reason="a document that only its forger signed, whose field covers the page",
    verdict="INDETERMINATE/NO_CERTIFICATE_CHAIN_FOUND CHAIN_NOT_FOUND",
)
def self_signed_before(good: GoodFiles) -> bytes:
    return signed(_own("Lê Văn Minh"), crls=(), stamper=False)


@case("22-name-spoofed", 22, clause=SHOWN, reason="name, reason and contact say otherwise", verdict="TOTAL-PASSED", signer="Honest Signer")
def name_spoofed(good: GoodFiles) -> bytes:
    return signed(entries=SPOOF)


@case(
    "22-name-spoofed-untrusted",
    22,
    clause=SHOWN,
    reason="a stranger under the principal's name",
    verdict="INDETERMINATE/NO_CERTIFICATE_CHAIN_FOUND CHAIN_NOT_FOUND",
    signer="Mallory",
)
def name_spoofed_untrusted(good: GoodFiles) -> bytes:
    return signed(_own("Mallory"), entries=SPOOF, crls=(), stamper=False)


# --- 41: a valid certificate of the wrong person


@cache
def _people() -> dict[str, Credential]:
    authority = record_house().house.authority
    return {
        "pupil": authority.issue_student(),
        "elsewhere": authority.issue_teacher("Phạm Thị Lan", school="Trường khác", school_identifier="NTRVN-0199999999"),
        "seal": authority.issue_seal("Trường khác", "NTRVN-0199999999"),
    }


def _record(good: GoodFiles, **by: str) -> bytes:
    """A record whose steps are signed by those who ought to, but for `by`."""
    house, signed_so_far = record_house(), good.unsigned
    for step in ("homeroom", "principal", "seal"):
        signed_so_far = house.sign(signed_so_far, step, by=_people()[by[step]] if step in by else None)
    return house.archive(signed_so_far)


@case(
    "41-pupil-as-teacher",
    41,
    clause=ENTITLED,
    reason="a pupil signs for the teacher",
    verdict=NOT_ENTITLED + "ROLE_MISMATCH",
    ades="TOTAL-PASSED",
)
def pupil_as_teacher(good: GoodFiles) -> bytes:
    return _record(good, homeroom="pupil")


@case(
    "41-pupil-everywhere",
    41,
    clause=ENTITLED,
    reason="a pupil signs every step",
    verdict=NOT_ENTITLED + "ROLE_MISMATCH",
    ades="TOTAL-PASSED",
)
def pupil_everywhere(good: GoodFiles) -> bytes:
    return _record(good, homeroom="pupil", principal="pupil", seal="pupil")


@case(
    "41-teacher-of-another-school",
    41,
    clause=ENTITLED,
    reason="a teacher of another school",
    verdict=NOT_ENTITLED + "SCHOOL_MISMATCH",
    ades="TOTAL-PASSED",
)
def teacher_of_another_school(good: GoodFiles) -> bytes:
    return _record(good, homeroom="elsewhere")


@case(
    "41-seal-of-another-school",
    41,
    clause=ENTITLED,
    reason="another school's seal closes the record",
    verdict=NOT_ENTITLED + "SCHOOL_MISMATCH",
    ades="TOTAL-PASSED",
)
def seal_of_another_school(good: GoodFiles) -> bytes:
    return _record(good, seal="seal")


@case(
    "41-teacher-as-principal",
    41,
    clause=ENTITLED,
    reason="a teacher signs for the principal",
    verdict=NOT_ENTITLED + "ROLE_MISMATCH",
    ades="TOTAL-PASSED",
)
def teacher_as_principal(good: GoodFiles) -> bytes:
    return _record(good, principal="elsewhere")


@case("41-record", 41, clause=ENTITLED, reason="honest: all who ought to sign did", verdict="TOTAL-PASSED")
def whole_record(good: GoodFiles) -> bytes:
    return _record(good)


# --- 44: a trust anchor planted beside the file


@cache
def _rogue() -> RecordHouse:
    """An authority of the very names of the house, run by somebody else."""
    return make_record_house()


def _planted() -> Mapping[str, bytes]:
    root = x509.load_der_x509_certificate(_rogue().house.authority.root_der).public_bytes(Encoding.PEM)
    return {"var/ca/root.pem": root, "var/ca/issuing.pem": root, "ca/root.pem": root, "root.pem": root, "trust.pem": root}


@case(
    "44-anchor-beside",
    44,
    clause=NAMED,
    reason="a whole record of a rogue authority, whose root lies in a var/ beside it",
    verdict="INDETERMINATE/NO_CERTIFICATE_CHAIN_FOUND CHAIN_SIGNATURE",
    beside=_planted,
)
def anchor_beside(good: GoodFiles) -> bytes:
    return _rogue().record()
