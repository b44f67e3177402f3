"""`eduseal revoke`: a certificate stops being good, for good."""

from __future__ import annotations

import re
import sys
from enum import StrEnum
from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, PassphraseFile, opened
from cli.main import UsageError
from pki.errors import AlreadyRevokedError, NotRecordedError
from pki.establish import ISSUING
from pki.issue import REVOCATION_REASONS
from pki.ports import CertificateState

Why = StrEnum("Why", [(name, name) for name in REVOCATION_REASONS])  # type: ignore[misc]  # the members are data of `pki`
MAX_SERIAL = 160  # bits, RFC 5280 section 4.1.2.2
_HEXADECIMAL = re.compile("[0-9a-f]+")


def command(
    serial: Annotated[str, typer.Argument(metavar="SERIAL", help="Hexadecimal, as `eduseal certificates` shows it.", show_default=False)],
    reason: Annotated[Why, typer.Option(help="Why: a reason of RFC 5280.", show_default=False)],
    issuer: Annotated[str, typer.Option(metavar="NAME", help="Whose certificate it is, such as root or issuing-2.")] = ISSUING,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Revoke a certificate, for good.

    OCSP answers and revocation lists say so from now on. Signatures that carry a time stamp from before stay valid, except after
    keyCompromise and the like, where a verifier judges by the reason.
    """
    number = _number(serial)
    with opened(home, database_url, passphrase_file) as house:
        authority = house.authority.named(issuer)
        entry = house.stores.certificates.get(authority.name, number)
        if entry is None:
            raise NotRecordedError(f"issuer {authority.name} has no certificate {number:x}; `eduseal certificates` lists them")
        if entry.state is CertificateState.REVOKED:
            raise AlreadyRevokedError(f"certificate {number:x} of {entry.holder} is revoked already; a revocation is final")
        if not yes:
            _ask(f"Revoke the {entry.profile} certificate {number:x} of {entry.holder}, for good?")
        authority.revoke(number, reason.value)
    print(f"Certificate {number:x} ({entry.profile}) of {entry.holder} is revoked: {reason.value}.")
    return 0


def _number(text: str) -> int:
    digits = text.lower().removeprefix("0x").replace(":", "").replace(" ", "")
    number = int(digits, 16) if _HEXADECIMAL.fullmatch(digits) else 0
    if not 0 < number < 1 << MAX_SERIAL:
        raise UsageError(f"SERIAL is {text[:60]!r}, expected a hexadecimal number as `eduseal certificates` shows it")
    return number


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to ask whether it is meant; say --yes")
    if not typer.confirm(question, default=False, err=True):
        raise UsageError("nothing was revoked")
