"""`eduseal activate`: a person puts their new key under a PIN of their own."""

from __future__ import annotations

from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, PassphraseFile, opened
from cli._secret import secret
from config.house import House
from pki.errors import WrongSecretError
from pki.keys.pin import Pin, blocked_pins, new_pin, read_activation_code


def command(
    holder: Annotated[str, typer.Argument(metavar="HOLDER", help="Roster id of the person.", show_default=False)],
    code_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="First line: the activation code; - is a line of standard input.")
    ] = None,
    pin_file: Annotated[str | None, typer.Option(metavar="FILE", help="First line: the PIN; - is a line of standard input.")] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Put a new key under a PIN of its holder.

    The activation code from the sheet opens the key once, for nothing else. What no file gives is asked for, without echo. The PIN has 8
    characters or more; guessable ones are refused.
    """
    with opened(home, database_url, passphrase_file) as house:
        if (house.stores.holder_keys.of_holder(holder) or (house.stores.holder_keys.get(holder),))[-1].activated:
            raise WrongSecretError(f"the key of {holder} is activated already; `eduseal change-pin {holder}` changes its PIN")
        code = read_activation_code(secret("Activation code", flag="--code-file", file=code_file))
        pin = chosen_pin(house, holder, flag="--pin-file", file=pin_file)
        house.services.holders.activate(holder, code, pin)
    print(f"The key of {holder} is activated. The code opens nothing any more; the PIN is known to nobody else and cannot be recovered.")
    return 0


def chosen_pin(house: House, holder: str, *, flag: str, file: str | None) -> Pin:
    """A PIN that the holder chooses now; raises :class:`pki.keys.pin.WeakPinError`."""
    who = house.services.roster.person(holder)
    personal = (who.id, who.name, *((who.code.value,) if who.code else ()))
    return new_pin(secret("New PIN", flag=flag, file=file, twice=True), blocked=blocked_pins(), personal=personal)
