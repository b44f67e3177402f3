"""Attack classes 1 to 5: what /Contents holds and what /ByteRange covers."""

from __future__ import annotations

from signing.pdf.document import Document
from tests.corpus.case import GoodFiles, case
from tests.corpus.edit import PdfString, Ref, body, contents_span, overwrite, rewrite_range, signature, update

SEAL = "Signature-Seal"
CONTENTS = "ISO 32000-2 12.8.1, table 255"
RANGE = "ISO 32000-2 12.8.1; EN 319 142-1 6.3"


def _contents(good: GoodFiles, text: bytes) -> bytes:
    """The seal's /Contents with `text` at the front of its room, inside the brackets, zeros after it."""
    start, end = contents_span(good.sealed, SEAL)
    return overwrite(good.sealed, start, b"<" + text.ljust(end - start - 2, b"0") + b">")


def _value(good: GoodFiles, replacement: bytes) -> bytes:
    """The seal's /Contents, brackets and all, replaced in the same room."""
    start, end = contents_span(good.sealed, SEAL)
    return overwrite(good.sealed, start, replacement.ljust(end - start))


@case("01-contents-absent", 1, "CONTENTS_MISSING", "BYTE_RANGE_GAP", clause=CONTENTS, reason="nothing signs the document")
def contents_absent(good: GoodFiles) -> bytes:
    start, end = contents_span(good.sealed, SEAL)
    key = good.sealed.rindex(b"/Contents", 0, start)
    return overwrite(good.sealed, key, b" " * (end - key))


@case("01-contents-null", 1, "CONTENTS_MISSING", clause=CONTENTS, reason="a null value counts as absent")
def contents_null(good: GoodFiles) -> bytes:
    return _value(good, b"null")


@case("01-contents-empty", 1, "CONTENTS_NOT_DER", clause=CONTENTS, reason="an empty string is no CMS")
def contents_empty(good: GoodFiles) -> bytes:
    return _value(good, b"<>")


@case("01-contents-00", 1, "CONTENTS_NOT_DER", clause=CONTENTS, reason="one zero octet is no CMS")
def contents_00(good: GoodFiles) -> bytes:
    return _value(good, b"<00>")


@case("01-contents-zeros", 1, "CONTENTS_NOT_DER", clause=CONTENTS, reason="padding alone is no CMS")
def contents_zeros(good: GoodFiles) -> bytes:
    return _contents(good, b"")


@case("01-contents-garbage", 1, "CONTENTS_NOT_DER", clause=CONTENTS, reason="random octets are no CMS")
def contents_garbage(good: GoodFiles) -> bytes:
    return _contents(good, b"DEADBEEF" * 64)


@case(
    "01-contents-indirect",
    1,
    "CONTENTS_MALFORMED",
    clause="ISO 32000-2 table 255: a direct object",
    reason="a value elsewhere may be signed or not",
)
def contents_indirect(good: GoodFiles) -> bytes:
    return _value(good, b"1 0 R")


@case(
    "01-contents-tail",
    1,
    "CONTENTS_NOT_DER",
    clause="EN 319 142-1 6.3: DER and padding zeros",
    reason="octets after the CMS are not accounted for",
)
def contents_tail(good: GoodFiles) -> bytes:
    _, end = contents_span(good.sealed, SEAL)
    return overwrite(good.sealed, end - 9, b"41414141")


@case("01-contents-cut", 1, "CONTENTS_NOT_DER", clause="X.690 10.1", reason="the length says more than there is")
def contents_cut(good: GoodFiles) -> bytes:
    return _contents(good, b"3084FFFFFFFF02")


@case("02-byte-range-absent", 2, "BYTE_RANGE_MISSING", clause=RANGE, reason="it is not known what is signed")
def range_absent(good: GoodFiles) -> bytes:
    return rewrite_range(good.sealed, SEAL, b"")


@case("02-byte-range-null", 2, "BYTE_RANGE_MISSING", clause=RANGE, reason="null counts as absent")
def range_null(good: GoodFiles) -> bytes:
    return rewrite_range(good.sealed, SEAL, b"/ByteRange null")


@case("02-byte-range-negative", 2, "BYTE_RANGE_MALFORMED", clause=RANGE, reason="a negative length hides what is covered")
def range_negative(good: GoodFiles) -> bytes:
    return rewrite_range(good.sealed, SEAL, b"/ByteRange [0 -10 20 30]")


@case("02-byte-range-one", 2, "BYTE_RANGE_MALFORMED", clause=RANGE, reason="one integer is no range")
def range_one(good: GoodFiles) -> bytes:
    return rewrite_range(good.sealed, SEAL, b"/ByteRange [0]")


@case("02-byte-range-three", 2, "BYTE_RANGE_MALFORMED", clause=RANGE, reason="three integers are no two ranges")
def range_three(good: GoodFiles) -> bytes:
    return rewrite_range(good.sealed, SEAL, b"/ByteRange [0 10 20]")


@case("02-byte-range-six", 2, "BYTE_RANGE_MALFORMED", clause=RANGE, reason="a third range makes a second gap")
def range_six(good: GoodFiles) -> bytes:
    return rewrite_range(good.sealed, SEAL, b"/ByteRange [0 9 20 9 40 9]")


@case("02-byte-range-real", 2, "BYTE_RANGE_MALFORMED", clause=RANGE, reason="offsets are integers")
def range_real(good: GoodFiles) -> bytes:
    return rewrite_range(good.sealed, SEAL, b"/ByteRange [0.0 10 20 30]")


@case("02-byte-range-string", 2, "BYTE_RANGE_MALFORMED", clause=RANGE, reason="offsets are integers")
def range_string(good: GoodFiles) -> bytes:
    return rewrite_range(good.sealed, SEAL, b"/ByteRange [(0) 10 20 30]")


@case("02-byte-range-huge", 2, "BYTE_RANGE_OUTSIDE", "BYTE_RANGE_GAP", clause=RANGE, reason="the range ends beyond the file")
def range_huge(good: GoodFiles) -> bytes:
    return rewrite_range(good.sealed, SEAL, b"/ByteRange [0 10 20 99999999999999]")


@case("02-byte-range-indirect", 2, "BYTE_RANGE_MALFORMED", clause=RANGE, reason="a value elsewhere may be changed")
def range_indirect(good: GoodFiles) -> bytes:
    return rewrite_range(good.sealed, SEAL, b"/ByteRange 1 0 R")


@case("02-byte-range-overlap", 2, "BYTE_RANGE_GAP", clause=RANGE, reason="overlapping ranges leave no gap for the signature")
def range_overlap(good: GoodFiles) -> bytes:
    start, _ = contents_span(good.sealed, SEAL)
    return rewrite_range(good.sealed, SEAL, b"/ByteRange [0 %d %d %d]" % (start, start - 5, len(good.sealed) - start + 5))


@case(
    "02-byte-range-twice",
    2,
    "PDF_BROKEN",
    clause="ISO 32000-2 7.3.7: a key stands once",
    reason="two readers may take two ranges",
    refusal="has a key twice",
)
def range_twice(good: GoodFiles) -> bytes:
    return rewrite_range(good.sealed, SEAL, b"/ByteRange [0]/ByteRange [1]")


@case("03-wide-gap", 3, "BYTE_RANGE_GAP", clause=RANGE, reason="the gap is wider than /Contents and holds octets that nobody signed")
def wide_gap(good: GoodFiles) -> bytes:
    start, end = contents_span(good.sealed, SEAL)
    return rewrite_range(good.sealed, SEAL, b"/ByteRange [0 %d %d %d]" % (start - 10, end, len(good.sealed) - end))


@case("03-uncovered-tail", 3, "BYTE_RANGE_END", clause=RANGE, reason="the last octets of the revision are not signed")
def uncovered_tail(good: GoodFiles) -> bytes:
    start, end = contents_span(good.sealed, SEAL)
    return rewrite_range(good.sealed, SEAL, b"/ByteRange [0 %d %d %d]" % (start, end, len(good.sealed) - end - 60))


@case("03-late-start", 3, "BYTE_RANGE_LATE_START", clause=RANGE, reason="the first octets of the file are not signed")
def late_start(good: GoodFiles) -> bytes:
    start, end = contents_span(good.sealed, SEAL)
    return rewrite_range(good.sealed, SEAL, b"/ByteRange [9 %d %d %d]" % (start - 9, end, len(good.sealed) - end))


@case(
    "04-wrapping",
    4,
    "BYTE_RANGE_GAP",
    "TRAILING_BYTES",
    "BYTE_RANGE_END",
    clause=RANGE,
    reason="signature wrapping: the second range moved to a copy at the end",
)
def wrapping(good: GoodFiles) -> bytes:
    start, end = contents_span(good.sealed, SEAL)
    tail = good.sealed[end:]
    moved = rewrite_range(good.sealed, SEAL, b"/ByteRange [0 %d %d %d]" % (start, len(good.sealed), len(tail)))
    return moved + tail


@case(
    "04-wrapping-in-gap",
    4,
    "BYTE_RANGE_GAP",
    clause=RANGE,
    reason="signature wrapping: attacker's objects between /Contents and the moved second range",
)
def wrapping_in_gap(good: GoodFiles) -> bytes:
    start, end = contents_span(good.archived, "Archive-1")
    return rewrite_range(good.archived, "Archive-1", b"/ByteRange [0 %d %d %d]" % (start, end + 30, len(good.archived) - end - 30))


@case("05-contents-literal", 5, "CONTENTS_MALFORMED", clause=CONTENTS, reason="a literal string may hide arbitrary octets in the gap")
def contents_literal(good: GoodFiles) -> bytes:
    start, end = contents_span(good.sealed, SEAL)
    return overwrite(good.sealed, start, b"(" + b"\\060" * ((end - start - 2) // 4) + b"0" * ((end - start - 2) % 4) + b")")


@case(
    "05-contents-comment",
    5,
    "UNEXPLAINED_BYTES",
    "CONTENTS_MALFORMED",
    "BYTE_RANGE_GAP",
    clause=CONTENTS,
    reason="a comment and a second string stand in the gap",
)
def contents_comment(good: GoodFiles) -> bytes:
    start, end = contents_span(good.sealed, SEAL)
    half = start + (end - start) // 2
    return overwrite(good.sealed, half, b">" + b"%" * (end - half - 2) + b"\n")


@case(
    "05-contents-white-space",
    5,
    "CONTENTS_MALFORMED",
    clause=CONTENTS,
    reason="white space inside the string makes its octets a matter of taste",
)
def contents_white_space(good: GoodFiles) -> bytes:
    start, _ = contents_span(good.sealed, SEAL)
    return overwrite(good.sealed, start + 21, b"  ")


@case(
    "21-shared-value",
    21,
    "SIGNATURE_SHARED",
    "SIGNATURE_OUT_OF_PLACE",
    clause="ISO 32000-2 12.8.1",
    reason="one signature value in two fields",
)
def shared_value(good: GoodFiles) -> bytes:
    first = good.stages[0]
    document = Document.parse(first)
    taken = signature(first, "Signature-Homeroom")
    widget = next(n for n in document.numbers() if isinstance(v := document.get(Ref(n)), dict) and v.get("T") == PdfString(SEAL.encode()))
    return update(first, {widget: {**body(document, widget), "V": taken.signature_ref}})


@case(
    "21-copied-value",
    21,
    "SIGNATURE_SHARED",
    "BYTE_RANGE_GAP",
    clause="ISO 32000-2 12.8.1",
    reason="a copy of the teacher's signature in the seal's field",
)
def copied_value(good: GoodFiles) -> bytes:
    first = good.stages[0]
    document = Document.parse(first)
    taken = signature(first, "Signature-Homeroom")
    widget = next(n for n in document.numbers() if isinstance(v := document.get(Ref(n)), dict) and v.get("T") == PdfString(SEAL.encode()))
    fresh = document.size
    return update(first, {widget: {**body(document, widget), "V": Ref(fresh)}, fresh: taken.signature})
