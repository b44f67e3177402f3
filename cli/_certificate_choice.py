"""Naming a certificate on the command line: by its serial number, whoever of the house issued it."""

from __future__ import annotations

import re
import sys
from typing import Annotated

import typer

from cli.main import UsageError
from config.house import House
from pki.authority.establish import OCSP, TSA
from pki.authority.rekey import in_use
from pki.errors import NotRecordedError
from pki.ports import CertificateEntry

MAX_SERIAL = 160  # bits, RFC 5280 section 4.1.2.2
_HEXADECIMAL = re.compile("[0-9a-f]+")

Serial = Annotated[str, typer.Argument(metavar="SERIAL", help="Hexadecimal, as `eduseal certificates` shows it.", show_default=False)]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")]


def chosen(house: House, serial: str, *, issuer: str | None = None) -> CertificateEntry:
    """Raises :class:`pki.errors.NotRecordedError`; serial numbers of 158 random bits name one certificate among all issuers."""
    number = serial_number(serial)
    named = (house.authority.named(issuer),) if issuer else (*house.authority.issuers, *house.authority.roots)
    for authority in named:
        entry = house.stores.certificates.get(authority.name, number)
        if entry is not None:
            return entry
    if issuer:
        raise NotRecordedError(f"issuer {issuer} has no certificate {number:x}; `eduseal certificates` lists them")
    raise NotRecordedError(f"no issuer of this house has a certificate {number:x}; `eduseal certificates` lists them")


def require_not_serving(house: House, entry: CertificateEntry) -> None:
    """Raises :class:`cli.main.UsageError` for what a service of the house works with: without it the house could not be opened."""
    for service in (TSA, OCSP):
        used = in_use(service, issuers=house.authority.issuers, store=house.stores.certificates)
        if any((each.issuer, each.serial) == (entry.issuer, entry.serial) for each in used):
            command = f"eduseal certificates rekey-service {service} --reason REASON"
            raise UsageError(f"certificate {entry.serial:x} is what {service} works with; `{command}` makes another and revokes it")


def serial_number(text: str) -> int:
    """Raises :class:`cli.main.UsageError`."""
    digits = text.lower().removeprefix("0x").replace(":", "").replace(" ", "")
    number = int(digits, 16) if _HEXADECIMAL.fullmatch(digits) else 0
    if not 0 < number < 1 << MAX_SERIAL:
        raise UsageError(f"SERIAL is {text[:60]!r}, expected a hexadecimal number as `eduseal certificates` shows it")
    return number


def require_meant(question: str, *, undone: str) -> None:
    """Asks on the terminal; raises :class:`cli.main.UsageError` where the answer is no, or nobody is there."""
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to ask whether it is meant; say --yes")
    if not typer.confirm(question, default=False, err=True):
        raise UsageError(undone)
