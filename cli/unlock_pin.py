"""`eduseal unlock-pin`: an administrator and the holder end a lock together, each with their own part."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, PassphraseFile, opened
from cli._people import TRUSTED, actor, person
from cli._secret import secret
from cli.main import UsageError
from pki.keys.pin import Pin, read_activation_code
from records.pin_gate import UNLOCK_LIFETIME, UNLOCK_TRIES

EPILOG = TRUSTED
MINUTES = int(UNLOCK_LIFETIME.total_seconds()) // 60


def command(
    holder: Annotated[str, typer.Argument(metavar="HOLDER", help="Roster id of the person whose key is locked.", show_default=False)],
    by: Annotated[str | None, typer.Option("--by", metavar="ADMIN", help="The administrator's part: give a one-time unlock code.")] = None,
    code_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="First line: the unlock code; - is a line of standard input.")
    ] = None,
    pin_file: Annotated[str | None, typer.Option(metavar="FILE", help="First line: the PIN; - is a line of standard input.")] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Unlock a key after five wrong PINs: two people, two parts.

    First an administrator of the holder's school, with --by: it shows a code, good for 15 minutes, to be told to the holder in person.
    Then the holder, without --by: the code and the right PIN, in three tries, unlock the key. A PIN that is forgotten is not unlocked
    but reset: `eduseal reset-pin`.
    """
    if by is not None and (code_file or pin_file):
        raise UsageError("--by is the administrator's part, code and PIN are the holder's; they come one after the other")
    with opened(home, database_url, passphrase_file) as house:
        holders, roster = house.services.holders, house.stores.roster
        if by is not None:
            school = roster.school(person(roster, holder).school_id)
            print(holders.grant_unlock(holder, school=school.identifier, by=actor(roster, by)).text)
            told = f"Tell it to {holder} alone, in person. For {MINUTES} minutes it lets them try their PIN {UNLOCK_TRIES} times:"
            print(f"{told} eduseal unlock-pin {holder}", file=sys.stderr)
            return 0
        house.stores.holder_keys.get(holder)
        code = read_activation_code(secret("Unlock code", flag="--code-file", file=code_file), what="unlock code")
        holders.unlock(holder, code, Pin(secret("PIN", flag="--pin-file", file=pin_file)))
    print(f"The key of {holder} is unlocked.")
    return 0
