"""Hostile documents without end, made from the corpus: octets, tokens, objects, CMS and validation data changed, two documents spliced."""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable

from signing.errors import PdfError
from signing.pdf.document import Document
from signing.pdf.objects import Name, PdfObject, PdfString, Ref, Stream
from tests.corpus.edit import update
from tests.support.variants import damaged

MAX_SEED = 400_000  # octets of a seed: larger ones only slow the search
_HOSTILE_NUMBERS = (
    b"0",
    b"-1",
    b"1",
    b"2147483647",
    b"2147483648",
    b"4294967296",
    b"99999999999999999999",
    b"1e9",
    b"0.0",
    b"-0",
    b"+",
    b".",
)
_HOSTILE_TOKENS = (
    *(b"<<", b">>", b"[", b"]", b"(", b")", b"<", b">", b"R", b"obj", b"endobj", b"stream", b"endstream", b"xref", b"trailer", b"null"),
    *(b"startxref", b"%%EOF", b"%", b"/", b"/#00", b"/#", b"true", b"\x00", b"\xff\xfe", b"<" + b"0" * 7 + b">", b"[" * 70, b"<</A" * 70),
)
_NAMES = (
    *("Sig", "Type", "ByteRange", "Contents", "Kids", "Parent", "Fields", "FT", "T", "V", "Prev", "XRefStm", "Size", "Root", "Length"),
    *("Filter", "FlateDecode", "DecodeParms", "Predictor", "Columns", "W", "Index", "First", "N", "DSS", "Certs", "CRLs", "OCSPs", "Lock"),
    *(
        "Reference",
        "TransformParams",
        "P",
        "Action",
        "Fields",
        "Perms",
        "AcroForm",
        "Annots",
        "Names",
        "EmbeddedFiles",
        "EF",
        "F",
        "Encrypt",
    ),
)
Mutation = Callable[[bytes, bytes, random.Random], bytes]
"""From a seed, another seed and a source of chance to a document."""


def octets(seed: bytes, other: bytes, chance: random.Random) -> bytes:
    """A few changes anywhere."""
    for _ in range(chance.choice((1, 1, 1, 3, 10))):
        seed = damaged(seed, chance) or b"%"
    return seed


def tokens(seed: bytes, other: bytes, chance: random.Random) -> bytes:
    """A number, name or keyword in place of another, offsets left wrong."""
    found = list(re.finditer(rb"(?<=[ \n\[<])\d+(?=[ \n\]>/])|/[A-Za-z]+|\b(?:obj|endobj|R|stream|xref|trailer)\b", seed))
    for match in sorted(chance.sample(found, min(len(found), chance.choice((1, 1, 2, 5)))), key=lambda one: -one.start()):
        fresh = chance.choice((chance.choice(_HOSTILE_NUMBERS), chance.choice(_HOSTILE_TOKENS), b"/" + chance.choice(_NAMES).encode()))
        if chance.randrange(2):
            fresh = fresh[: len(match[0])].ljust(len(match[0]))  # offsets stay right
        seed = seed[: match.start()] + fresh + seed[match.end() :]
    return seed


def values(seed: bytes, other: bytes, chance: random.Random) -> bytes:
    """One more revision, well-formed, in which any objects hold anything."""
    try:
        document = Document.parse(seed)
        numbers = list(document.numbers())
        objects: dict[int, PdfObject | bytes] = {}
        for number in chance.sample(numbers, min(len(numbers), chance.randrange(1, 4))):
            objects[number] = _twisted(document.get(Ref(number)), chance, number)
        trailer: dict[str, PdfObject] = {chance.choice(_NAMES): _anything(chance, 1)} if not chance.randrange(3) else {}
        return update(seed, objects, trailer=trailer)
    except (PdfError, ValueError, RecursionError):  # of a seed that is hostile already
        return octets(seed, other, chance)


def digits(seed: bytes, other: bytes, chance: random.Random) -> bytes:
    """Changes inside a long hexadecimal string, such as a CMS: pairs of digits stay pairs."""
    spans = [match.span(1) for match in re.finditer(rb"<([0-9a-fA-F]{200,})>", seed)]
    if not spans:
        return octets(seed, other, chance)
    start, end = chance.choice(spans)
    inner = bytearray(bytes.fromhex(seed[start : end - (end - start) % 2].decode()))
    used = max(len(inner.rstrip(b"\0")), 1)
    for _ in range(chance.choice((1, 1, 2, 8))):
        place = chance.randrange(used)
        kind = chance.randrange(4)
        if kind == 0:
            inner[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            inner[place] = chance.choice((0x00, 0x01, 0x30, 0x31, 0x80, 0x84, 0xA0, 0xFF))
        elif kind == 2:
            size = chance.randrange(1, 12)
            inner[place : place + size] = inner[place + size : place + 2 * size].ljust(size, b"\0")[:size]
        else:
            inner[place : place + 4] = chance.randbytes(4)
    spelled = bytes(inner).hex().encode()[: end - start].ljust(end - start, b"0")
    return seed[:start] + spelled + seed[end:]


def spliced(seed: bytes, other: bytes, chance: random.Random) -> bytes:
    """The front of one document and the end of another."""
    return seed[: chance.randrange(len(seed) + 1)] + other[chance.randrange(len(other) + 1) :]


MUTATIONS: tuple[Mutation, ...] = (octets, tokens, values, values, digits, digits, spliced)


def _twisted(value: PdfObject, chance: random.Random, number: int) -> PdfObject:
    entries = value.dictionary if isinstance(value, Stream) else value
    if not isinstance(entries, dict) or not chance.randrange(6):
        return _anything(chance, number)
    changed = dict(entries)
    for _ in range(chance.randrange(1, 3)):
        key = chance.choice([*changed, *_NAMES]) if changed else chance.choice(_NAMES)
        changed[key] = _anything(chance, number)
    if not isinstance(value, Stream):
        return changed
    raw = damaged(value.raw, chance) if value.raw and chance.randrange(2) else value.raw
    return Stream({**changed, "Length": len(raw)}, raw)


def _anything(chance: random.Random, number: int, depth: int = 0) -> PdfObject:
    simple: tuple[PdfObject, ...] = (
        *(None, True, 0, -1, 2**31, 10**15, 1.5, Name(chance.choice(_NAMES)), PdfString(chance.randbytes(chance.randrange(40)))),
        *(Ref(number), Ref(8_388_607), Ref(chance.randrange(1, 40)), Ref(1, 65_535), [], {}),
    )
    if depth < 3 and not chance.randrange(3):
        inside = [_anything(chance, number, depth + 1) for _ in range(chance.randrange(4))]
        return inside if chance.randrange(2) else {chance.choice(_NAMES): one for one in inside}
    return chance.choice(simple)


def archive_of(seed: bytes, chance: random.Random) -> bytes:
    """A ZIP archive that holds `seed`, damaged."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        archive.writestr("a/record.pdf", seed[:5_000])
        archive.writestr("b.pdf", b"%PDF-1.7")
    whole = out.getvalue()
    return b"PK\x03\x04" + damaged(whole, chance)[4:] if chance.randrange(4) else whole
