"""Names, strings and integers from their spelling (ISO 32000-2 clauses 7.3.3 to 7.3.5)."""

from __future__ import annotations

import re
from functools import lru_cache

from signing.errors import LimitError, PdfError
from signing.pdf.limits import MAX_INTEGER_CHARACTERS, MAX_NAME_LENGTH
from signing.pdf.objects import Name, PdfString

_HASH = re.compile(rb"#([0-9A-Fa-f]{2})?")
_LITERAL_STOP = re.compile(rb"[()\\\r]")
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"(": b"(", b")": b")", b"\\": b"\\"}
_OCTAL = re.compile(rb"[0-7]{1,3}")


def literal(data: bytes, position: int) -> tuple[PdfString, int]:
    """A literal string whose opening parenthesis is just before `position` (ISO 32000-2 7.3.4.2)."""
    opening, depth, parts = position - 1, 1, []
    while True:
        stop = _LITERAL_STOP.search(data, position)
        if stop is None:
            raise PdfError(f"the string at offset {opening} has no end")
        parts.append(data[position : stop.start()])
        character, position = stop[0], stop.end()
        if character == b"\\":
            part, position = _escape(data, position)
            parts.append(part)
        elif character == b"\r":
            position += data[position : position + 1] == b"\n"
            parts.append(b"\n")
        else:
            depth += 1 if character == b"(" else -1
            if not depth:
                return PdfString(b"".join(parts)), position
            parts.append(character)


def _escape(data: bytes, position: int) -> tuple[bytes, int]:
    if octal := _OCTAL.match(data, position):
        return bytes([int(octal[0], 8) & 0xFF]), octal.end()
    character = data[position : position + 1]
    if character == b"\r":
        return b"", position + 1 + (data[position + 1 : position + 2] == b"\n")
    if character == b"\n":
        return b"", position + 1
    return _ESCAPES.get(character, character), position + 1


def integer(digits: bytes, start: int) -> int:
    if len(digits) > MAX_INTEGER_CHARACTERS:
        raise LimitError(f"an integer of {len(digits)} characters at offset {start}")
    return int(digits)


@lru_cache(maxsize=4_096)  # documents use a few hundred names, over and over
def name(token: bytes) -> Name:
    """The name that `token`, slash included, spells."""
    if len(token) > MAX_NAME_LENGTH:
        raise LimitError(f"a name of {len(token)} octets")

    def octet(match: re.Match[bytes]) -> bytes:
        if match[1] is None or match[1] == b"00":
            raise PdfError(f"name {token[:32]!r} has # without two hexadecimal digits, or #00")
        return bytes.fromhex(match[1].decode("ascii"))

    return Name(_HASH.sub(octet, token[1:]).decode("latin-1"))
