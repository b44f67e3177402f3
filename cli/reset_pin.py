"""`eduseal reset-pin`: a forgotten PIN cannot be recovered; its holder gets a new key and a new certificate."""

from __future__ import annotations

from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, PassphraseFile, opened
from cli._people import TRUSTED, actor, person
from cli.enrol import again_of, enrol_onto_sheet
from config.house import House
from records.errors import NotEntitledError
from records.person import Role

EPILOG = TRUSTED


def command(
    holder: Annotated[str, typer.Argument(metavar="HOLDER", help="Roster id of the person who forgot their PIN.", show_default=False)],
    by: Annotated[str, typer.Option("--by", metavar="ADMIN", help="Roster id of the school's administrator who does it.")],
    sheet: Annotated[str, typer.Option(metavar="FILE", help="New file for the activation code (CSV, mode 0600).")],
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Replace the key whose PIN is forgotten.

    The holder gets a new key and certificate, and chooses a PIN with the activation code on the sheet. The old certificate is revoked as
    superseded: what it signed before, with a time stamp, stays valid.
    """
    with opened(home, database_url, passphrase_file) as house:
        _require_administrator(house, holder, by)
        house.stores.holder_keys.get(holder)
        status = enrol_onto_sheet(house, list(again_of(house, [holder])), sheet)
        if status == 0:
            house.stores.pin_attempts.reset(house.stores.holder_keys.get(holder), by=by, at=house.clock())
    return status


def _require_administrator(house: House, holder: str, by: str) -> None:
    roster = house.stores.roster
    school = roster.school(person(roster, holder).school_id).identifier
    who = actor(roster, by)
    if who.role is not Role.ADMINISTRATOR or who.school != school or who.id == holder:
        raise NotEntitledError(f"{who.role} {by} may not reset the PIN of {holder}; expected another person, administrator of {school}")
