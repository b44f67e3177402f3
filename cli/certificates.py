"""`eduseal certificates`: what the authority has issued, and to whom."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import chain, takewhile
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cli._certificates_expiry import expiring
from cli._certificates_key import compromised_key_
from cli._certificates_life import due, rekey, release, renew, suspend
from cli._certificates_service import rekey_service_
from cli._home import DatabaseUrl, Home, PassphraseFile, books, opened
from cli._output import write_output
from cli._table import aligned
from cli.main import UsageError
from db.certificates import Certificates
from pki.authority.establish import ISSUING, ROOT, holder_of
from pki.issuing.generations import names_of
from pki.ports import CertificateEntry, CertificateState
from records.errors import NotFoundError

HEADINGS = ("SERIAL", "ISSUER", "PROFILE", "HOLDER", "STATE", "UNTIL")


app = typer.Typer(invoke_without_command=True)


@app.callback()
def list_(
    context: typer.Context,
    holder: Annotated[str | None, typer.Option(metavar="ID", help="Only this holder's: a roster id, seal/SCHOOL, or a service.")] = None,
    state: Annotated[CertificateState | None, typer.Option(help="Only those in this state.", show_default=False)] = None,
    to: Annotated[str | None, typer.Option(metavar="FILE", help="Write the holder's newest certificate there, as PEM.")] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> int:
    """List certificates, by holder, oldest first."""
    if context.invoked_subcommand is not None:
        if home is not None:
            os.environ["EDUSEAL_HOME"] = home  # where the subcommand looks for it; a --home after it still wins
        return 0
    if to is not None and holder is None:
        raise UsageError("--to writes one holder's certificate; name them with --holder ID")
    with books(home, database_url) as stores:
        chosen = [entry for entry in _entries(stores.certificates, holder) if state is None or entry.state is state]
    if to is not None:
        _write(chosen, holder or "", to)
        return 0
    for line in aligned(HEADINGS, map(_cells, chosen)):
        print(line)
    return 0


@app.command()
def reconcile(home: Home = None, database_url: DatabaseUrl = None, passphrase_file: PassphraseFile = None) -> int:
    """Revoke what was recorded more than five minutes ago and never issued, as a crash leaves it.

    The service does this by itself, once a minute.
    """
    with opened(home, database_url, passphrase_file) as house:
        revoked = house.reconciliation.run()
    for issuer, serial in revoked:
        print(f"Certificate {serial:x} of {issuer} was never issued and is revoked.")
    print(f"{len(revoked)} revoked.")
    return 0


app.command()(due)
app.command()(expiring)
app.command()(renew)
app.command()(rekey)
app.command("rekey-service")(rekey_service_)
app.command()(suspend)
app.command()(release)
app.command("compromised-key")(compromised_key_)


def _entries(store: Certificates, holder: str | None) -> list[CertificateEntry]:
    if holder is not None:
        return list(store.of_holder(holder))
    return sorted(chain.from_iterable(map(store.entries, _issuers(store))), key=lambda entry: (entry.holder, entry.recorded_at))


def _issuers(store: Certificates) -> list[str]:
    """Every generation of roots and issuing authorities that the books know."""
    known = (name for series in (ROOT, ISSUING) for name in takewhile(lambda name: store.of_holder(holder_of(name)), names_of(series)))
    return list(known)


def _cells(entry: CertificateEntry) -> tuple[str, ...]:
    state = f"{entry.state}: {entry.revocation_reason}" if entry.revocation_reason else entry.state.value
    return f"{entry.serial:x}", entry.issuer, entry.profile, entry.holder, state, f"{entry.not_after:%Y-%m-%d}"


def _write(entries: Iterable[CertificateEntry], holder: str, to: str) -> None:
    issued = [entry.certificate_der for entry in entries if entry.certificate_der is not None]
    if not issued:
        raise NotFoundError(f"{holder} has no certificate")
    write_output(to, x509.load_der_x509_certificate(issued[-1]).public_bytes(Encoding.PEM), hint="name another file with --to")
