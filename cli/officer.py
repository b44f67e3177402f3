"""`eduseal officer`: the people who approve requests, each with their own PIN."""

from __future__ import annotations

from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, PassphraseFile, books, opened
from cli._officer import By, PinFile, officer_pin, one_each
from cli._secret import secret
from cli._table import aligned
from pki.keys.pin import blocked_pins, new_pin
from records.registration_ports import MAX_WRONG

app = typer.Typer(help="The people who approve requests: seals, batches, certificates of authorities.", no_args_is_help=True)

Officer = Annotated[str, typer.Argument(metavar="OFFICER", help="A short id, such as RA-1.", show_default=False)]


@app.command()
def add(
    officer: Officer,
    name: Annotated[str, typer.Option(metavar="NAME", help="Who it is.")],
    pin_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="First line: the PIN that the new officer chooses; - is standard input.")
    ] = None,
    vouch: Annotated[list[str] | None, typer.Option(metavar="OFFICER", help="An officer who vouches for the new one; twice.")] = None,
    vouch_pin_file: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="That officer's PIN; one file for each, in the same order.")
    ] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why nobody vouches, such as: the first officers. Kept in the log.")] = "",
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Add an officer, who chooses their own PIN.

    Two officers vouch for a new one, each with their PIN. Only for the first two, and where fewer than two are left, --reason stands in
    their place, and stands in the log for everybody to see. An officer who was removed comes back in the same way, with a new PIN.
    """
    with opened(home, database_url, passphrase_file) as house:
        vouchers = one_each(list(vouch or ()), list(vouch_pin_file or ()))
        text = secret(f"New PIN of {officer}", flag="--pin-file", file=pin_file, twice=True)
        pin = new_pin(text, blocked=blocked_pins(), personal=(name, officer))
        house.services.registration.officers.add(officer, name=name, pin=pin, vouchers=vouchers, reason=reason)
    print(f"{officer} is a registration officer.")
    return 0


@app.command("list")
def show(home: Home = None, database_url: DatabaseUrl = None) -> int:
    """List officers, those removed too."""
    with books(home, database_url) as stores:
        found = stores.officers.all()
    if not found:
        print('There are no registration officers. The first: eduseal officer add RA-1 --name NAME --reason "the first officers"')
        return 0
    rows = []
    for each in found:
        state = f"removed {each.removed_at:%Y-%m-%d}" if each.removed_at else "locked" if each.wrong >= MAX_WRONG else "in office"
        rows.append((each.id, each.name, f"{each.added_at:%Y-%m-%d}", state))
    for line in aligned(("officer", "name", "since", "state"), rows):
        print(line)
    return 0


@app.command()
def remove(
    officer: Officer,
    by: By,
    pin_file: PinFile = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """End an officer's office; what they approved stands."""
    with opened(home, database_url, passphrase_file) as house:
        house.services.registration.officers.remove(officer, by=by, secret=officer_pin(by, pin_file))
    print(f"{officer} is no registration officer any more.")
    return 0
