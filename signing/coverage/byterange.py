"""What a signature covers: /ByteRange, the gap, and the octets of /Contents (ISO 32000-2 clause 12.8.1; attack classes 1 to 5 and 7).

The rule, which leaves nothing to a reader's taste: two ranges; the first begins at 0 and ends at the `<` of /Contents; the second begins
after its `>` and ends at the end of a revision; between the two brackets stand hexadecimal digits alone: one DER value, then zeros.
"""

from __future__ import annotations

from pki.errors import EncodingError
from pki.structures.ber import definite
from signing.pdf.document import Document
from signing.pdf.lexer import WHITE
from signing.pdf.objects import PdfObject, PdfString, Ref
from signing.verdict import Coverage, Message

MAX_CONTENTS = 1024 * 1024  # octets of one CMS; a B-LTA signature with its chain has about 8,000


def read_byte_range(value: PdfObject, findings: list[Message]) -> tuple[int, int, int, int] | None:
    """The four integers, or None and a finding."""
    if value is None:
        findings.append(Message("BYTE_RANGE_MISSING", "the signature has no /ByteRange; expected four integers"))
        return None
    if isinstance(value, Ref):
        findings.append(Message("BYTE_RANGE_MALFORMED", "/ByteRange is an indirect reference; expected a direct array of four integers"))
        return None
    numbers = [item for item in value if type(item) is int and item >= 0] if isinstance(value, list) else []
    if not isinstance(value, list) or len(value) != 4 or len(numbers) != 4:
        findings.append(Message("BYTE_RANGE_MALFORMED", "/ByteRange is not an array of four non-negative integers"))
        return None
    return numbers[0], numbers[1], numbers[2], numbers[3]


def read_contents(
    data: bytes, span: tuple[int, int] | None, value: PdfObject, findings: list[Message], *, indefinite: bool = False
) -> bytes:
    """The DER value in /Contents without its padding; b"" and a finding where there is none. `span` is the value's place in the file.

    `indefinite` lengths are read too, and made definite: what PAdES forbids, some signers of its forerunner write
    (:mod:`pki.structures.ber`).
    """
    if value is None or span is None:
        findings.append(Message("CONTENTS_MISSING", "the signature has no /Contents"))
        return b""
    start, end = span
    if end - start > 2 * MAX_CONTENTS + 2:
        findings.append(Message("CONTENTS_MALFORMED", f"/Contents is longer than {MAX_CONTENTS} octets"))
        return b""
    octets = value if isinstance(value, PdfString) else b""
    spelled = data[start + 1 : end - 1]
    # the lexer has read hexadecimal digits and white space; alone and in pairs, digits are twice as many as the octets and all there is
    if not data.startswith(b"<", start) or len(spelled) != 2 * len(octets) or any(map(spelled.__contains__, WHITE)):
        findings.append(Message("CONTENTS_MALFORMED", "/Contents is not a direct string of hexadecimal digit pairs alone"))
        return b""
    der, length = _definite(octets) if indefinite and octets[:2] == b"\x30\x80" else (octets, _der_length(octets))
    if length is None:
        findings.append(Message("CONTENTS_NOT_DER", "/Contents does not hold one DER-encoded SEQUENCE"))
        return b""
    if octets[length:] != bytes(len(octets) - length):
        findings.append(Message("CONTENTS_NOT_DER", "/Contents holds something else than zeros after the DER value"))
        return b""
    return der if der is not octets else octets[:length]


def _definite(octets: bytes) -> tuple[bytes, int | None]:
    try:
        return definite(octets)
    except EncodingError:
        return b"", None


def _der_length(octets: bytes) -> int | None:
    """The length of the DER SEQUENCE at the front, header included; None where there is none or it is cut off (X.690 clause 10.1)."""
    if len(octets) < 4 or octets[0] != 0x30:
        return None
    first = octets[1]
    if first < 0x80:
        length = 2 + first
    else:
        count = first & 0x7F
        if not 1 <= count <= 4 or octets[2] == 0:
            return None
        value = int.from_bytes(octets[2 : 2 + count], "big")
        if value < 0x80:
            return None
        length = 2 + count + value
    return length if 4 <= length <= len(octets) else None


def closed_revision(
    document: Document, byte_range: tuple[int, int, int, int], span: tuple[int, int], findings: list[Message]
) -> tuple[int | None, Coverage]:
    """(index of the revision whose end the range meets, or None; how much is covered), with findings where the rule above is broken."""
    first, length, second, tail = byte_range
    if first != 0:
        findings.append(Message("BYTE_RANGE_LATE_START", f"the signed bytes begin at {first}; expected 0"))
    if (first + length, second) != span:
        text = f"the signed bytes leave out {first + length} to {second}; expected exactly /Contents, {span[0]} to {span[1]}"
        findings.append(Message("BYTE_RANGE_GAP", text))
    end, size = second + tail, len(document.data)
    if end > size:
        findings.append(Message("BYTE_RANGE_OUTSIDE", f"the signed bytes end at {end}, beyond the file of {size} octets"))
        return None, Coverage.PARTIAL
    revision = next((r.index for r in document.revisions if r.eof <= end <= r.end), None)
    if revision is None:
        findings.append(Message("BYTE_RANGE_END", f"the signed bytes end at {end}, which is not the end of a revision"))
        return None, Coverage.PARTIAL
    sound = first == 0 and (first + length, second) == span
    if revision == len(document.revisions) - 1 and end < size:
        findings.append(Message("TRAILING_BYTES", f"{size - end} octets follow the signed bytes and belong to no revision"))
        return revision, Coverage.ENTIRE_REVISION if sound else Coverage.PARTIAL
    if not sound:
        return revision, Coverage.PARTIAL
    return revision, Coverage.ENTIRE_FILE if end == size else Coverage.ENTIRE_REVISION
