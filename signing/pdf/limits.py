"""What reading a PDF may cost: every bound in one place, each a named value with its reason.

A document that asks for more raises :class:`signing.errors.LimitError`; nothing here depends on the machine or the clock.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_OBJECT_NUMBER = 8_388_607  # ISO 32000-1 annex C.2: implementations keep 23 bits
MAX_GENERATION = 65_535  # ISO 32000-2 7.5.4
MAX_INTEGER_CHARACTERS = 20  # enough for 64 bits; int() of long digit strings is quadratic
MAX_REAL_CHARACTERS = 64
MAX_HEX = 4 * 1024 * 1024  # characters of a hexadecimal string: a signature of 1 MiB, twice; bounds the search for its end
MAX_NAME_LENGTH = 1_024  # ISO 32000-1 annex C.2 asks for 127 only


@dataclass(frozen=True)
class Limits:
    """Bounds for one document. The defaults keep a verifier within 256 MiB + 3 × the file's size (`design.md`, Limits)."""

    file_size: int = 256 * 1024 * 1024
    depth: int = 64
    """Nested arrays and dictionaries in one object."""
    tokens: int = 1_000_000
    """Tokens in one object."""
    revisions: int = 256
    """A record with 20 signatures has at most 60; 20,000 updates are attack class 38."""
    entries: int = 500_000
    """Cross-reference entries over all revisions."""
    filters: int = 2
    """Filters on one stream."""
    stream: int = 32 * 1024 * 1024
    """Decoded octets of one stream."""
    decoded: int = 96 * 1024 * 1024
    """Decoded octets over all streams read in one document."""
    fields: int = 1_000
    """Form fields and widgets looked at in one revision (attack class 40: 5,000 signature fields)."""
    pages: int = 20_000
    """Page tree nodes looked at in one revision."""
    tree_depth: int = 64
    """Levels of the page tree and of the field tree."""
    changed_objects: int = 10_000
    """Objects one update may bring."""


LIMITS = Limits()
