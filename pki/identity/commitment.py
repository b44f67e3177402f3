"""A pupil's identity code, hidden in the certificate and provable by its holder: a hash commitment with a secret opening.

A personal code shows a minor's birth year, sex and province, and a plain hash of it falls to 10^6 guesses in under a second. So a
pupil's certificate carries SHA-256(domain ‖ length ‖ code ‖ opening) with a random opening of 256 bits: without the opening it
says nothing about the code (hiding), and no second code fits it (binding). The opening is given to the holder alone.

>>> opening = bytes(32)  # in earnest: new_opening()
>>> identifier(commit("001204000001", opening), country="VN")
'CM:VN-NU4QCS4NGL5KXAQFTDFMGAITO7C2TYXJX5HNL5DZCKHR2YXMQAHA'
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

from pki.errors import PkiError

OPENING_SIZE = 32  # octets
COMMITMENT_SIZE = 32  # octets
MAX_CODE = 64  # characters
SCHEME = "CM"  # our two-letter local scheme of EN 319 412-1 clause 5.1.3

# The domain keeps this hash apart from every other SHA-256 in the house; the length keeps code and opening from flowing into each other.
_DOMAIN = b"eduseal identity commitment 1\x00"
_IDENTIFIER = re.compile(r"CM:([A-Z]{2})-([A-Z2-7]{52})")
_GROUP = 4


class CommitmentError(PkiError):
    """Code and opening do not confirm a certificate, or one of the three is not of the right form."""


@dataclass(frozen=True)
class ConfirmedIdentity:
    """Evidence that the code named by the holder is the one behind the certificate. It does not repeat the code."""

    serial_number: int
    commitment: bytes


def new_opening() -> bytes:
    """32 octets from the operating system's generator."""
    return secrets.token_bytes(OPENING_SIZE)


def commit(code: str, opening: bytes) -> bytes:
    """The 32-octet commitment to `code` under `opening`; raises :class:`CommitmentError`.

    The code is first brought to its canonical spelling (NFKC, no white space, upper case), so that "44052419 x" and "44052419X" are one.
    """
    canonical = "".join(unicodedata.normalize("NFKC", code).split()).upper()
    if not 0 < len(canonical) <= MAX_CODE:
        raise CommitmentError(f"identity code: expected 1 to {MAX_CODE} characters, got {len(canonical)}")
    if len(opening) != OPENING_SIZE:
        raise CommitmentError(f"opening: expected {OPENING_SIZE} octets, got {len(opening)}")
    encoded = canonical.encode()
    return hashlib.sha256(_DOMAIN + len(encoded).to_bytes(2, "big") + encoded + opening).digest()


def identifier(commitment: bytes, *, country: str) -> str:
    """The subject serialNumber that carries `commitment`: `CM:VN-` and 52 base32 letters, 58 of the 64 characters allowed."""
    if len(commitment) != COMMITMENT_SIZE:
        raise CommitmentError(f"commitment: expected {COMMITMENT_SIZE} octets, got {len(commitment)}")
    return f"{SCHEME}:{country}-{_base32(commitment)}"


def is_commitment_identifier(serial_number: str) -> bool:
    return _IDENTIFIER.fullmatch(serial_number) is not None


def commitment_in(certificate_der: bytes) -> bytes:
    """The commitment that a certificate's subject carries; raises :class:`CommitmentError` where there is none."""
    return _read(certificate_der)[1]


def confirm(certificate_der: bytes, *, code: str, opening: bytes) -> ConfirmedIdentity:
    """Checks, offline and in constant time, that `code` is the one behind the certificate; raises :class:`CommitmentError`.

    Not checked: who issued the certificate, whether it is valid, or who holds its key.
    """
    serial_number, carried = _read(certificate_der)
    if not hmac.compare_digest(carried, commit(code, opening)):
        raise CommitmentError("code and opening do not match the commitment in this certificate")
    return ConfirmedIdentity(serial_number=serial_number, commitment=carried)


def opening_text(opening: bytes) -> str:
    """An opening as people copy it: base32 in 13 groups of four."""
    if len(opening) != OPENING_SIZE:
        raise CommitmentError(f"opening: expected {OPENING_SIZE} octets, got {len(opening)}")
    letters = _base32(opening)
    return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))


def parse_opening(text: str) -> bytes:
    """Reads :func:`opening_text`, in any case, with or without hyphens and spaces; raises :class:`CommitmentError`."""
    letters = re.sub(r"[\s-]", "", text).upper()
    try:
        opening = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except (binascii.Error, ValueError):
        opening = b""
    # base32 of 32 octets leaves four bits over: only one spelling of an opening is right
    if len(opening) != OPENING_SIZE or _base32(opening) != letters:
        raise CommitmentError("opening: expected 52 letters A-Z and digits 2-7, as given out with the certificate")
    return opening


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=")


def _read(certificate_der: bytes) -> tuple[int, bytes]:
    try:
        certificate = x509.load_der_x509_certificate(certificate_der)
        values = [str(part.value) for part in certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)]
    except ValueError as exc:
        raise CommitmentError("certificate: not a DER X.509 certificate") from exc
    found = _IDENTIFIER.fullmatch(values[0]) if len(values) == 1 else None
    if found is None:
        raise CommitmentError("certificate: carries no commitment to an identity code")
    return certificate.serial_number, base64.b32decode(found[2] + "====")
