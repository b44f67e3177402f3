"""`eduseal revoke`: a certificate stops being good, for good."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from cli._certificate_choice import Serial, Yes, chosen, require_meant, require_not_serving, serial_number
from cli._home import DatabaseUrl, Home, PassphraseFile, opened
from pki.errors import AlreadyRevokedError
from pki.issuing.issue import REVOCATION_REASONS
from pki.ports import CertificateState

Why = StrEnum("Why", [(name, name) for name in REVOCATION_REASONS])  # type: ignore[misc]  # the members are data of `pki`


def command(
    serial: Serial,
    reason: Annotated[Why, typer.Option(help="Why: a reason of RFC 5280.", show_default=False)],
    issuer: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose certificate it is, such as root or issuing-2.  [default: whoever issued it]")
    ] = None,
    yes: Yes = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Revoke a certificate, for good.

    OCSP answers and revocation lists say so from now on. Signatures that carry a time stamp from before stay valid, except after
    keyCompromise and the like, where a verifier judges by the reason.
    """
    number = serial_number(serial)
    with opened(home, database_url, passphrase_file) as house:
        entry = chosen(house, serial, issuer=issuer)
        authority = house.authority.named(entry.issuer)
        if entry.state is CertificateState.REVOKED:
            raise AlreadyRevokedError(f"certificate {number:x} of {entry.holder} is revoked already; a revocation is final")
        require_not_serving(house, entry)
        if not yes:
            require_meant(f"Revoke the {entry.profile} certificate {number:x} of {entry.holder}, for good?", undone="nothing was revoked")
        authority.revoke(number, reason.value)
    print(f"Certificate {number:x} ({entry.profile}) of {entry.holder} is revoked: {reason.value}.")
    return 0
