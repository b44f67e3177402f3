"""`eduseal change-pin`: a person puts their key under another PIN."""

from __future__ import annotations

from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, PassphraseFile, opened
from cli._secret import secret
from cli.activate import chosen_pin
from pki.errors import WrongSecretError
from pki.keys.pin import Pin


def command(
    holder: Annotated[str, typer.Argument(metavar="HOLDER", help="Roster id of the person.", show_default=False)],
    old_pin_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="First line: the PIN so far; - is a line of standard input.")
    ] = None,
    pin_file: Annotated[str | None, typer.Option(metavar="FILE", help="First line: the new PIN; - is a line of standard input.")] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Change the PIN of a person's key.

    What no file gives is asked for, without echo. A forgotten PIN cannot be changed: `eduseal enrol --again` issues another certificate.
    """
    with opened(home, database_url, passphrase_file) as house:
        if not house.stores.holder_keys.get(holder).activated:
            raise WrongSecretError(f"the key of {holder} has no PIN yet; `eduseal activate {holder}` gives it one")
        old = Pin(secret("PIN so far", flag="--old-pin-file", file=old_pin_file))
        new = chosen_pin(house, holder, flag="--pin-file", file=pin_file)
        house.services.holders.change_pin(holder, old, new)
    print(f"The key of {holder} is under its new PIN.")
    return 0
