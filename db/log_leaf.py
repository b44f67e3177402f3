"""What stands in the log's tree for an entry: SHA-256 over a salt and the entry, so that a leaf says nothing until both are shown.

The canonical entry is JSON with sorted keys and no white space:

    {"at":"2026-06-01T08:00:00.000000Z","details":{…},"index":7,"kind":"certificate.issued","subject":"…"}

A leaf never changes, and so neither does this form: migrations use it too.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime

from db.types import canonical_json

SALT_OCTETS = 32  # nobody guesses 256 bits, however few entries are thinkable


def new_salt() -> bytes:
    return secrets.token_bytes(SALT_OCTETS)


def canonical_entry(*, position: int, kind: str, subject: str, at: datetime, details_json: str) -> bytes:
    """The octets that are hashed; `details_json` is what :func:`db.types.canonical_json` makes, taken as it is."""
    when = at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    fixed = f'"index":{position},"kind":{canonical_json(kind)},"subject":{canonical_json(subject)}'
    return f'{{"at":"{when}","details":{details_json},{fixed}}}'.encode()


def leaf_of(salt: bytes, entry: bytes) -> bytes:
    """Leaf data, 32 octets; `entry` as :func:`canonical_entry` gives it."""
    return hashlib.sha256(salt + entry).digest()
