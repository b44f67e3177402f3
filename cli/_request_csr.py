"""`eduseal request csr`: a certificate over a key that a member of staff keeps elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cli._home import DatabaseUrl, Home, PassphraseFile, opened
from cli._input import read_input
from cli._officer import By, PinFile, officer_pin, told
from cli._output import taken, write_output
from config.house import House
from pki.registration.certification_request import MAX_REQUEST, read_certification_request
from records.errors import EnrolmentError
from records.own_keys import KeyApplication, OwnKeys
from records.person import Person

_ANOTHER = "name another with --out"


def csr(
    file: Annotated[str, typer.Argument(metavar="FILE", help="PKCS#10 request, PEM or DER.", show_default=False)],
    holder: Annotated[str, typer.Option(metavar="ID", help="Roster id of the teacher or principal whose key it is.")],
    out: Annotated[str, typer.Option(metavar="FILE", help="New file for the certificate (PEM).")],
    by: By,
    pin_file: PinFile = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Certify a key that its holder keeps.

    The request must be signed with that key; what it says besides is not looked at. Where the policy asks for a second person, repeat the
    command after the approval. Repeating is safe at any time: the same key gets the same certificate.
    """
    key = read_certification_request(read_input(file, limit=MAX_REQUEST))
    if Path(out).exists():
        raise taken(out, _ANOTHER)
    with opened(home, database_url, passphrase_file) as house:
        registration = house.services.registration
        own_keys = OwnKeys(house.authority.issuing, house.stores.roster, registration)
        who = _accepted(house, holder)
        application = KeyApplication(who, house.stores.roster.school(who.school_id), key)
        found = own_keys.look(application)
        entry = found.entry
        if entry is None:
            request = registration.open(found.order, by=by, secret=officer_pin(by, pin_file))
            entry = own_keys.issue(application, request)
            if entry is None:
                print(told(request, house.clock()))
                return 0
    certificate = x509.load_der_x509_certificate(entry.certificate_der or b"")
    write_output(out, certificate.public_bytes(Encoding.PEM), hint=_ANOTHER)
    print(f"{holder} has a certificate until {entry.not_after:%Y-%m-%d}, certificate {entry.serial:x}.")
    return 0


def _accepted(house: House, holder: str) -> Person:
    """With their code; raises EnrolmentError for a blocked person."""
    who = house.services.roster.person(holder)
    if any(entry.person.id == holder for entry in house.stores.roster.blocked(school_id=who.school_id)):
        raise EnrolmentError(f"{holder} is on the blocked list; correct the personal code in the roster first")
    return who
