"""`eduseal certificates compromised-key`: a private key was found where it should not be."""

from __future__ import annotations

from typing import Annotated

import typer

from cli._certificate_choice import Yes, require_meant
from cli._home import DatabaseUrl, Home, PassphraseFile, opened
from cli._input import read_input
from cli.main import UsageError
from config.house import House
from pki.compromise_proof import MAX_PROOF, compromised_key
from pki.expiry import OWN
from pki.tbs import public_key_sha256


def compromised_key_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The private key (PEM), or a request that it signed.", show_default=False)],
    yes: Yes = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Revoke every certificate over a compromised key, and never certify it again.

    FILE proves that the key is known: the private key itself, which is read and not kept, or a PKCS#10 request whose common name is
    "compromised key", signed by it. A key that nobody has a certificate for is blocked all the same.
    """
    key = compromised_key(read_input(file, limit=MAX_PROOF))
    with opened(home, database_url, passphrase_file) as house:
        _require_foreign(house, public_key_sha256(key))
        if not yes:
            require_meant("Revoke every certificate over this key, and block it for good?", undone="nothing was revoked")
        revoked = house.authority.issuing.block_key(key)
    for entry in revoked:
        print(f"Certificate {entry.serial:x} ({entry.profile}) of {entry.holder} is revoked: keyCompromise.")
    print(f"{len(revoked)} revoked. The key {public_key_sha256(key).hex()[:16]}… is never certified again.")
    return 0


def _require_foreign(house: House, key: bytes) -> None:
    """The house's own services would stop in the middle of whatever they do: that is a ceremony."""
    held = [house.authority.tsa, house.authority.ocsp]
    own = {public_key_sha256(each.key.public_key()) for each in held}
    own |= {public_key_sha256(each.key.public_key()) for each in house.authority.issuers}
    if key in own:
        raise UsageError(f"this is a key of the authority itself ({OWN}…); make its successor first, see docs/life-cycle.md")
