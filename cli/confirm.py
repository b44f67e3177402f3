"""`eduseal confirm`: whether a code and its opening are those behind a pupil's certificate. Offline, without home or database."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cli._input import read_input
from cli._secret import secret
from cli.main import DATA, UsageError
from pki.identity.commitment import CommitmentError, commit, commitment_in, confirm, parse_opening

MAX_CERTIFICATE = 64 * 1024  # octets


def command(
    certificate: Annotated[str, typer.Argument(metavar="CERT", help="The pupil's certificate, PEM or DER.", show_default=False)],
    code: Annotated[
        str | None, typer.Option(metavar="CODE", help="The personal code; others on this machine may see it: --code-file hides it.")
    ] = None,
    opening: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The opening that the pupil was given; --opening-file hides it.")
    ] = None,
    code_file: Annotated[str | None, typer.Option(metavar="FILE", help="First line: the code; - is a line of standard input.")] = None,
    opening_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="First line: the opening; - is a line of standard input.")
    ] = None,
) -> int:
    """Check a personal code against a certificate.

    Tells whether a code and its opening are those behind a pupil's certificate. Works offline, without a home. What is not given is asked
    for, without echo. Not checked: who issued the certificate, and whether it still stands. Exit status: 0 it is; 1 it is not; 64 and
    above for usage or I/O errors.
    """
    if (code and code_file) or (opening and opening_file):
        raise UsageError("give the code, and the opening, once: by the option itself or by its file")
    der = _der(certificate)
    committed = commitment_in(der)
    code = code or secret("Personal code", flag="--code-file", file=code_file)
    opened = parse_opening(opening or secret("Opening", flag="--opening-file", file=opening_file))
    commit(code, opened)  # raises where the code is none at all: then there is no answer to give
    try:
        found = confirm(der, code=code, opening=opened)
    except CommitmentError as exc:
        print(f"Not confirmed: {exc}.")
        return 1
    print(f"Confirmed: the code is the one behind certificate {found.serial_number:x} (commitment {committed.hex()}).")
    print("Not checked: who issued the certificate, and whether it still stands.", file=sys.stderr)
    return 0


def _der(path: str) -> bytes:
    data = read_input(path, limit=MAX_CERTIFICATE)
    if b"-----BEGIN CERTIFICATE-----" not in data:
        return data
    try:
        return x509.load_pem_x509_certificate(data).public_bytes(Encoding.DER)
    except ValueError as exc:
        raise UsageError(f"{path} is not a PEM certificate", status=DATA) from exc
