"""`eduseal certificates rekey-service`: another key for one of the authority's own services."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from cli._certificate_choice import Yes, require_meant
from cli._home import DatabaseUrl, Home, PassphraseFile, with_passphrase
from config.bootstrap import utc_now
from config.rekey import SERVICES, rekey_service
from pki.issuing.certificate_life import REVOCATION_REASONS

Service = StrEnum("Service", [(name, name) for name in SERVICES])  # type: ignore[misc]  # the members are data of `config`
Why = StrEnum("Why", [(name, name) for name in REVOCATION_REASONS])  # type: ignore[misc]  # the members are data of `pki`


def rekey_service_(
    service: Annotated[Service, typer.Argument(metavar="SERVICE", help="tsa, ocsp or report.", show_default=False)],
    reason: Annotated[
        Why | None, typer.Option(help="Revoke the certificates over the old key, for this reason of RFC 5280.", show_default=False)
    ] = None,
    yes: Yes = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Give time stamps, OCSP or the seal on reports another key and certificate; services that run change to it within seconds.

    Without --reason the old certificate stands until it ends, and what was signed with it is as good as before. After a compromise say
    --reason keyCompromise: the old key is then never certified again, and time stamps made with it prove nothing any more. For another
    reason the time-stamping certificate is not revoked: the archive stands on it. Works too where the service stands still because its
    certificate was revoked. The keys of certification authorities are changed by a ceremony.
    """
    settings, passphrase = with_passphrase(home, database_url, passphrase_file)
    if not yes:
        then = f" and revoke the old certificate for good ({reason.value})" if reason else ""
        require_meant(f"Make another key for {service.value}{then}?", undone="nothing was changed")
    done = rekey_service(settings, service.value, reason=reason.value if reason else None, clock=utc_now, passphrase=passphrase)
    for issued in done.issued:
        print(f"{service.value} has certificate {issued.serial:x} of {issued.issuer} until {issued.not_after:%Y-%m-%d}, over a new key.")
    for issuer, serial in done.revoked:
        print(f"Certificate {serial:x} of {issuer} is revoked: {reason.value if reason else ''}.")
    return 0
