"""`eduseal opening`: gives a pupil the opening of the commitment in their certificate."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, PassphraseFile, opened
from cli._secret import secret
from pki.identity.commitment import opening_text
from pki.keys.pin import Pin


def command(
    holder: Annotated[str, typer.Argument(metavar="HOLDER", help="Roster id of the pupil.", show_default=False)],
    pin_file: Annotated[str | None, typer.Option(metavar="FILE", help="First line: their PIN; - is a line of standard input.")] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Show a pupil the opening of their code.

    It goes to standard output, and to nobody else. Their PIN proves that it is they who ask. Whoever holds the certificate, the code and
    this opening can see with `eduseal confirm` that they belong together; without it the certificate says nothing about the code.
    """
    with opened(home, database_url, passphrase_file) as house:
        house.stores.holder_keys.get(holder)
        pin = Pin(secret("PIN", flag="--pin-file", file=pin_file))
        text = opening_text(house.services.holders.opening(holder, pin))
    print(text)
    print("Give it to nobody but those who may know your personal code.", file=sys.stderr)
    return 0
