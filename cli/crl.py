"""`eduseal crl`: the authority's revocation lists as they are published."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cli._home import DatabaseUrl, Home, PassphraseFile, books, opened
from cli._table import aligned
from config.bootstrap import utc_now
from config.house import House
from config.house_file import write_whole
from pki.status.publication import OVERDUE_AFTER, CrlState

app = typer.Typer(help="Revocation lists: publish them, and see what is published.", no_args_is_help=True)

HEADINGS = ("ISSUER", "SHARD", "NUMBER", "THIS UPDATE", "NEXT UPDATE", "STATE")
NOT_ALL = 1  # exit status


@app.command()
def publish(
    every: Annotated[bool, typer.Option("--all", help="Make every list anew, not only those that are due.")] = False,
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Write lists and issuers' certificates there too, under the paths of their addresses."),
    ] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Publish the revocation lists that are due.

    The service does this by itself, at once after a revocation. Without a service, run this by the clock, several times a day, and after
    every revocation; --out makes a folder that any web server can hand out. Exit status 1: a list that is due could not be made.
    """
    with opened(home, database_url, passphrase_file) as house:
        if every:
            house.publisher.publish_all()
        done = house.publisher.publish_due()
        states = house.stores.publications.states()
        if out is not None:
            _write_out(house, states, Path(out))
    _show(states, utc_now())
    for (issuer, shard), exc in sorted(done.failed.items()):
        typer.echo(f"eduseal: the list of {issuer}, shard {shard}, was not made ({exc})", err=True)
    return NOT_ALL if done.failed else 0


@app.command("list")
def list_(home: Home = None, database_url: DatabaseUrl = None) -> int:
    """Show which revocation lists are published, and until when they hold."""
    with books(home, database_url) as stores:
        _show(stores.publications.states(), utc_now())
    return 0


def _show(states: tuple[CrlState, ...], now: datetime) -> None:
    for line in aligned(HEADINGS, (tuple(_cells(state, now)) for state in states)):
        typer.echo(line)


def _cells(state: CrlState, now: datetime) -> Iterator[str]:
    yield from (state.issuer, str(state.shard), str(state.number))
    yield from (f"{moment:%Y-%m-%d %H:%M}" for moment in (state.this_update, state.next_update))
    yield "expired" if now >= state.next_update else "overdue" if now >= state.after(OVERDUE_AFTER) else "current"


def _write_out(house: House, states: tuple[CrlState, ...], folder: Path) -> None:
    """As `/crl/…` and `/ca/…` of the service, in files that everybody may read; each there whole or as it was before."""
    for state in states:
        found = house.stores.publications.load(state.issuer, state.shard)
        if found is not None:
            write_whole(folder / "crl" / state.issuer / f"{state.shard}.crl", found.der)
    for authority in (*house.authority.roots, *house.authority.issuers):
        certificate = x509.load_der_x509_certificate(authority.certificate_der)
        write_whole(folder / "ca" / f"{authority.name}.cer", authority.certificate_der)
        write_whole(folder / "ca" / f"{authority.name}.pem", certificate.public_bytes(Encoding.PEM))
