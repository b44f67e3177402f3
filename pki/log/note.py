"""Signed notes (c2sp.org/signed-note): text that one or more Ed25519 keys have signed, and the verifier keys that name them.

>>> from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
>>> signer = NoteSigner("log.school.example", Ed25519PrivateKey.from_private_bytes(bytes(32)))
>>> verifier_key(str(signer.key)).opened(signer.signed("hello\\n"))
'hello\\n'
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pki.errors import PkiError

ED25519 = b"\x01"  # the signature type
MAX_NOTE = 256 * 1024  # octets; 16 post-quantum cosignatures have 80 kB
MAX_SIGNATURES = 100
PUBLIC_OCTETS, ID_OCTETS = 32, 4

_DASH = "\u2014 "
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
_VKEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)")


class NoteError(PkiError):
    """A text is no signed note, or no key that is trusted has signed it."""


@dataclass(frozen=True)
class VerifierKey:
    """Whose signatures are trusted: a name without spaces or plus signs, and a raw Ed25519 public key. `str()` gives the vkey."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """The key ID, 4 octets: a hint, no proof."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:ID_OCTETS]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    def opened(self, note: str) -> str:
        """The text of a note that this key has signed; other keys' signatures are ignored. Raises :class:`NoteError`."""
        text, lines = _parts(note)
        verified = False
        for line in lines:
            name, signature = _signature(line)
            if (name, signature[:ID_OCTETS]) != (self.name, self.id):
                continue
            try:
                Ed25519PublicKey.from_public_bytes(self.public).verify(signature[ID_OCTETS:], text.encode())
            except (InvalidSignature, ValueError):
                raise NoteError(f"note: the signature of {self.name} does not verify") from None
            verified = True
        if not verified:
            raise NoteError(f"note: {self.name} ({self.id.hex()}) has not signed it")
        return text


class NoteSigner:
    """Signs notes under a name."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.key = VerifierKey(name, private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def signed(self, text: str) -> str:
        """A note of `text`, which ends with a newline."""
        if not text.endswith("\n") or _CONTROL.search(text):
            raise NoteError("note: expected text without control characters that ends with a newline")
        signature = base64.b64encode(self.key.id + self._private.sign(text.encode())).decode()
        return f"{text}\n{_DASH}{self.key.name} {signature}\n"


def verifier_key(text: str) -> VerifierKey:
    """Reads a vkey, `name+id+key`; raises :class:`NoteError`."""
    found = _VKEY.fullmatch(text.strip())
    encoded = _decoded(found[3]) if found else None
    if found is None or encoded is None:
        raise NoteError(f"verifier key {text.strip()[:80]!r}: expected name+id+base64")
    if encoded[:1] != ED25519 or len(encoded) != 1 + PUBLIC_OCTETS:
        raise NoteError("verifier key: expected an Ed25519 key (type 1, 32 octets)")
    key = VerifierKey(found[1], encoded[1:])
    if key.id.hex() != found[2]:
        raise NoteError(f"verifier key: its id is {found[2]}, expected {key.id.hex()} for this name and key; a part is mistyped")
    return key


def _parts(note: str) -> tuple[str, list[str]]:
    if len(note) > MAX_NOTE or _CONTROL.search(note):
        raise NoteError(f"note: longer than {MAX_NOTE} characters, or with control characters")
    text, gap, signatures = note.rpartition("\n\n")
    lines = signatures.split("\n")
    if not gap or lines.pop() != "" or not 0 < len(lines) <= MAX_SIGNATURES:
        raise NoteError(f"note: expected text, an empty line, and 1 to {MAX_SIGNATURES} lines of signatures")
    return text + "\n", lines


def _signature(line: str) -> tuple[str, bytes]:
    parts = line.removeprefix(_DASH).split(" ")
    decoded = _decoded(parts[1]) if len(parts) == 2 else None
    if not line.startswith(_DASH) or decoded is None or len(decoded) <= ID_OCTETS:
        raise NoteError("note: a line of signatures is not of the form `\u2014 name base64`")
    return parts[0], decoded


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
