"""Variants of a signed record, wrong and right: damaged octets, redefined objects, validation data added in any order and any spelling."""

from __future__ import annotations

import random
from collections.abc import Callable

from signing.coverage.structure import read_structure
from signing.pdf.document import Document
from signing.pdf.objects import PdfObject, Ref, Stream
from signing.pdf.serialize import serialize
from tests.corpus.edit import update

BLANKS = (b" ", b" ", b" ", b"  ", b"\n", b"\r\n", b"\t", b"\x00", b"\x0c", b" " * 40, b"%c\n", b" % 3 0 R\n", b"%\r")
Variant = Callable[[bytes, random.Random], bytes]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """One change to the octets, anywhere."""
    place, size = chance.randrange(len(data)), chance.choice((1, 1, 2, 30, 800))
    kind = chance.randrange(5)
    if kind == 0:
        return data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :]
    if kind == 1:
        return data[:place] + data[place + size :]
    if kind == 2:
        return data[:place] + chance.randbytes(size) + data[place:]
    if kind == 3:
        other = chance.randrange(len(data))
        return data[:place] + data[other : other + size] + data[place + size :]
    return data[:place]


def respelled_stamp(data: bytes, chance: random.Random) -> bytes:
    """Another spelling of the outermost time stamp's own digits, which nothing signs; now and then another digit."""
    span = read_structure(Document.parse(data)).signed[-1].contents_span
    assert span is not None
    start, end = span
    digits = bytearray(data[start:end])
    for _ in range(chance.randrange(1, 20)):
        place = chance.randrange(1, len(digits) - 1)
        digits[place] = ord(chr(digits[place]).upper())
    if not chance.randrange(4):
        digits[chance.randrange(1, len(digits) - 1)] = chance.choice(b"0123456789abcdef \n%")
    return data[:start] + bytes(digits) + data[end:]


def redefined(data: bytes, chance: random.Random) -> bytes:
    """An update that brings any object again: as it was, in another order of its entries, or with one entry changed or gone."""
    document = Document.parse(data)
    number = chance.choice(list(document.numbers()))
    value = document.get(Ref(number))
    entries = value.dictionary if isinstance(value, Stream) else value
    if isinstance(entries, dict) and entries:
        items = list(entries.items())
        chance.shuffle(items)
        kind = chance.randrange(4)
        if kind == 0:
            items.pop()
        elif kind == 1:
            items[0] = (items[0][0], chance.choice((None, 0, [], items[-1][1])))
        changed: dict[str, PdfObject] = dict(items)
        value = Stream(changed, value.raw) if isinstance(value, Stream) else changed
    return update(data, {number: value})


def more_validation_data(data: bytes, chance: random.Random) -> bytes:
    """Validation data added after the last signature, as anybody may: objects in any order, references in any spelling."""
    document = Document.parse(data)
    store = document.root["DSS"]
    assert isinstance(store, Ref)
    found = document.get(store)
    assert isinstance(found, dict)
    existing = [(key, ref) for key in ("Certs", "CRLs", "OCSPs") if isinstance(refs := found.get(key), list) for ref in refs]
    first = document.size
    grown, streams = dict(found), {}
    for number in range(first, first + chance.randrange(1, 4)):
        key, source = chance.choice(existing)
        streams[number] = document.get(source)
        if not chance.randrange(8):
            key = chance.choice(existing)[0]  # now and then a certificate among the CRLs, and the like
        refs = grown[key]
        assert isinstance(refs, list)
        grown[key] = [*refs, Ref(number)] if chance.randrange(20) else [Ref(number), *refs]
    if not chance.randrange(6):
        grown[chance.choice(("Type", "Foo", "VRI"))] = chance.choice((None, {}, [Ref(first)]))
    objects: list[tuple[int, PdfObject | bytes]] = [*streams.items(), (store.number, spelled(grown, chance))]
    chance.shuffle(objects)
    return update(data, dict(objects), between=chance.choice((b"", b"", b"\n", b" \r\n", b"%\n", b"1 0 R ")))


def spelled(value: PdfObject, chance: random.Random) -> bytes:
    """`value` in octets, some of its references with other white space or comments in them."""
    if isinstance(value, Ref) and not chance.randrange(20):
        return b"%d" % value.number + chance.choice(BLANKS) + b"%d" % value.generation + chance.choice(BLANKS) + b"R"
    if isinstance(value, list):
        return b"[" + chance.choice(BLANKS[:8]).join(spelled(item, chance) for item in value) + b"]"
    if isinstance(value, dict):
        return b"<<" + b" ".join(b"/" + key.encode("latin-1") + b" " + spelled(item, chance) for key, item in value.items()) + b">>"
    return serialize(value)


VARIANTS: tuple[Variant, ...] = (damaged, respelled_stamp, redefined, more_validation_data)
