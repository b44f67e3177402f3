"""SignedData read in one walk: never otherwise than its declaration reads it."""

from __future__ import annotations

import copy
from random import Random

import pytest

from pki.errors import EncodingError
from pki.structures.cms import (
    DATA,
    SIGNATURE_TIME_STAMP,
    _declared_parts,
    attribute,
    build_signed_data,
    content_info_der,
    parse_signed_data,
    with_unsigned_attributes,
)
from pki.structures.cms_plain import _remembered_set, plain_parts
from pki.structures.der import element, opening
from tests.support.status_house import House

MUTANTS = 6_000
_TAGS = (0x00, 0x02, 0x04, 0x05, 0x06, 0x1F, 0x24, 0x30, 0x31, 0x3F, 0x80, 0x81, 0xA0, 0xA1, 0xBF)
_CONTENTS = (b"", b"\0", b"\1", b"\3", b"\x80", b"\xff", b"\0\x80", b"\0\0", b"\x7f" * 20, b"\0" + b"\x80" * 20, b"\x2a" * 130)

# [tag, content: octets or elements]; a third member where its length is to be written longer than needed
Node = list[object]


@pytest.fixture
def messages(house: House) -> tuple[bytes, ...]:
    """A signature with and one without a time stamp, and the time stamp."""
    made = build_signed_data(
        content_type=DATA,
        content_digest=bytes(32),
        encapsulated=None,
        certificate_der=house.teacher.der,
        key=house.teacher.key,
        certificates=(house.teacher.der, house.issuing.der),
    )
    token = house.tsa().stamp(bytes(32))
    return content_info_der(with_unsigned_attributes(made, [attribute(SIGNATURE_TIME_STAMP, token)])), content_info_der(made), token


def _tree(der: bytes) -> list[Node]:
    found: list[Node] = []
    at = 0
    while at < len(der):
        tag, size, start = der[at], der[at + 1], at + 2
        if size >= 0x80:
            start += size & 0x7F
            size = int.from_bytes(der[at + 2 : start], "big")
        at = start + size
        found.append([tag, _tree(der[start:at]) if tag & 0x20 else der[start:at]])
    return found


def _der(nodes: list[Node]) -> bytes:
    return b"".join(_one(*node) for node in nodes)


def _one(tag: object, content: object, *longer: object) -> bytes:
    assert isinstance(tag, int)
    octets = content if isinstance(content, bytes) else _der(content)  # type: ignore[arg-type]  # then it is a list of nodes
    if longer:
        size = len(octets).to_bytes(3, "big")
        return bytes((tag, 0x83)) + size + octets
    return element(tag, octets)


def _places(nodes: list[Node]) -> list[tuple[list[Node], int]]:
    found = [(nodes, place) for place in range(len(nodes))]
    for node in nodes:
        found += _places(node[1]) if isinstance(node[1], list) else []
    return found


def _mutant(message: bytes, random: Random) -> bytes:
    """One element left out, doubled, put elsewhere, given another tag, content or form of length; or one octet changed."""
    nodes = _tree(message)
    places = _places(nodes)
    among, place = random.choice(places)
    node = among[place]
    match random.randrange(7):
        case 0:
            del among[place]
        case 1:
            among.insert(place, copy.deepcopy(random.choice([node, *random.choice(places)[0]])))
        case 2:
            random.shuffle(among)
        case 3:
            node[0] = random.choice(_TAGS)
        case 4:
            node[1] = random.choice(_CONTENTS)
        case 5:
            node.append(True)
        case _:
            octets = bytearray(message)
            octets[random.randrange(len(octets))] = random.randrange(256)
            return bytes(octets)
    return _der(nodes)


def test_messages_of_this_house_are_plain(messages: tuple[bytes, ...]) -> None:
    assert [plain_parts(message) == _declared_parts(message) for message in messages] == [True] * 3


def test_what_is_read_in_one_walk_is_what_the_declaration_reads(messages: tuple[bytes, ...]) -> None:
    random = Random(5)
    plain = 0
    for _ in range(MUTANTS):
        mutant = _mutant(random.choice(messages), random)
        found = plain_parts(mutant)
        if found is not None:
            plain += 1
            assert found == _declared_parts(mutant), mutant.hex()
    assert plain > MUTANTS // 20  # of those whose change does not matter to the form


@pytest.mark.parametrize("cut", [1, 2, 100])
def test_message_cut_short_is_refused_in_the_words_of_its_declaration(messages: tuple[bytes, ...], cut: int) -> None:
    with pytest.raises(EncodingError, match="not valid DER SignedData"):
        parse_signed_data(messages[0][:-cut])


@pytest.mark.parametrize("content", [0, 1, 125, 126, 127, 128, 255, 256, 300, 70_000])
def test_opening_is_what_an_element_of_that_size_begins_with(content: int) -> None:
    inner = element(0x31, bytes(content))
    made = element(0x30, b"\x05\x00" + inner)
    assert opening(len(made), ((0x30, b"\x05\x00"), (0x31, b""))) == made[: len(made) - content]


@pytest.mark.parametrize("size", [0, 1, 130])
def test_no_element_opens_what_has_no_size_of_an_element(size: int) -> None:
    with pytest.raises(ValueError, match=f"no element has {size} octets"):
        opening(size, ((0x30, b""),))


def test_many_certificates_are_read_and_never_kept(house: House) -> None:
    certificates = sorted(element(0x30, bytes([n]) * 300) for n in range(1, 60))
    made = build_signed_data(
        content_type=DATA,
        content_digest=bytes(32),
        encapsulated=None,
        certificate_der=house.teacher.der,
        key=house.teacher.key,
        certificates=certificates,
    )
    before = _remembered_set.cache_info().misses
    found = plain_parts(content_info_der(made))
    assert found is not None
    assert found == _declared_parts(content_info_der(made))
    assert _remembered_set.cache_info().misses == before
