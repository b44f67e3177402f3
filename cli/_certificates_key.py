"""`eduseal certificates compromised-key`: a private key was found where it should not be."""

from __future__ import annotations

import hashlib
from typing import Annotated

import typer
from cryptography import x509

from cli._certificate_choice import Yes, require_meant
from cli._home import DatabaseUrl, Home, PassphraseFile, opened
from cli._input import read_input
from cli.main import UsageError
from config.house import House
from pki.authority.establish import OCSP, TSA
from pki.authority.rekey import in_use
from pki.issuing.tbs import public_key_sha256
from pki.registration.compromise_proof import MAX_PROOF, compromised_key
from pki.structures.relations import spki_der


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
    """The house's own services would stop in the middle of whatever they do: another key comes first."""
    issuers, store = house.authority.issuers, house.stores.certificates
    for service in (TSA, OCSP):
        if any(entry.public_key_sha256 == key for entry in in_use(service, issuers=issuers, store=store)):
            command = f"eduseal certificates rekey-service {service} --reason keyCompromise"
            raise UsageError(f"this is the key of the authority's own {service}; `{command}` puts another in its place and blocks this one")
    for each in (*house.authority.roots, *issuers):
        if key == hashlib.sha256(spki_der(x509.load_der_x509_certificate(each.certificate_der))).digest():
            raise UsageError(f"this is the key of the certification authority {each.name}; a rollover comes first, see docs/ceremony.md")
