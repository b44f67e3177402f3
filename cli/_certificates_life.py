"""`eduseal certificates suspend | release | renew | rekey | due`: what becomes of certificates that were issued."""

from __future__ import annotations

from typing import Annotated

import typer

from cli._certificate_choice import Serial, Yes, chosen, require_meant, require_not_serving
from cli._home import DatabaseUrl, Home, PassphraseFile, opened
from cli._people import person
from cli._rows import Form, write_rows
from cli._sheet import Sheet
from cli.main import UsageError
from config.house import House
from config.registration import registration_policy
from config.reissue import reissue_of
from pki.issuing.issue import Authority
from pki.ports import CertificateEntry
from pki.registration.policy import RequestKind
from records.enrolment import activation_kdf
from records.errors import EnrolmentError
from records.person import Person
from records.reissue import Due, due_of_all, with_code

FAILED = 1
DUE_HEADINGS = ("HOLDER", "SCHOOL", "PROFILE", "SERIAL", "WHY")
_ADVICE = {
    "blocked": "put the roster right, or suspend or revoke the certificate",
    "no-longer-signs": "revoke the certificate: cessationOfOperation",
}

Holder = Annotated[str, typer.Argument(metavar="HOLDER", help="Roster id of the person.", show_default=False)]


def suspend(
    serial: Serial, yes: Yes = False, home: Home = None, database_url: DatabaseUrl = None, passphrase_file: PassphraseFile = None
) -> int:
    """Put a certificate on hold until it is released or revoked.

    OCSP answers and revocation lists say certificateHold from now on, and this house signs nothing with it. What was signed before, with a
    time stamp, stays valid; what is signed meanwhile stays without effect, also once the certificate is released.
    """
    with opened(home, database_url, passphrase_file) as house:
        entry = chosen(house, serial)
        require_not_serving(house, entry)
        if not yes:
            require_meant(f"Suspend the {entry.profile} certificate {entry.serial:x} of {entry.holder}?", undone="nothing was suspended")
        _authority(house, entry).suspend(entry.serial)
    print(f"Certificate {entry.serial:x} ({entry.profile}) of {entry.holder} is suspended; `eduseal certificates release` ends it.")
    return 0


def release(serial: Serial, home: Home = None, database_url: DatabaseUrl = None, passphrase_file: PassphraseFile = None) -> int:
    """End a suspension: the certificate is good again, and off the next revocation list."""
    with opened(home, database_url, passphrase_file) as house:
        entry = chosen(house, serial)
        _authority(house, entry).release(entry.serial)
    print(f"Certificate {entry.serial:x} ({entry.profile}) of {entry.holder} is good again.")
    return 0


def renew(holder: Holder, home: Home = None, database_url: DatabaseUrl = None, passphrase_file: PassphraseFile = None) -> int:
    """Give a person a new certificate over the key that they have; their PIN stays.

    The new certificate says what the roster says now. Where that differs from the old one, the old one is revoked as superseded. Seals
    and keys that are kept elsewhere are renewed by request: `eduseal request --help`.
    """
    _require_one_at_a_time()
    with opened(home, database_url, passphrase_file) as house:
        who = _accepted(house, holder)
        issued = reissue_of(house).renew(who, house.stores.roster.school(who.school_id))
    print(f"{holder} has certificate {issued.serial:x} until {issued.not_after:%Y-%m-%d}, over the same key.")
    return 0


def rekey(
    holder: Holder,
    sheet: Annotated[str, typer.Option("--sheet", metavar="FILE", help="New file for the activation code (CSV, mode 0600).")],
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Give a person a new key and certificate, without a gap.

    They sign with the old key until they have put the new one under a PIN with the activation code on the sheet; that moment the old
    certificate is revoked as superseded.
    """
    _require_one_at_a_time()
    with opened(home, database_url, passphrase_file) as house, Sheet.create(sheet) as written:
        who = _accepted(house, holder)
        school = house.stores.roster.school(who.school_id)
        written.add(reissue_of(house).rekey(who, school, kdf=activation_kdf()), who, school)
    print(f"{holder} has a new key that waits for its activation; until then the old one serves.")
    print(f"Activation code: {sheet}. It is the only copy: hand it over, then destroy it.")
    return 0


def due(
    school: Annotated[str | None, typer.Option(metavar="ID", help="Only this school's people.")] = None,
    form: Annotated[Form, typer.Option("--format", help="Aligned columns, CSV, or a JSON object a line.")] = Form.TABLE,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """List certificates that say what the roster does not: a new name, code, school or role, or a person who is blocked or signs no more.

    Codes are never shown. `eduseal certificates renew` puts the first four right. Exit status 1 where there are any.
    """
    with opened(home, database_url, passphrase_file) as house:
        roster = house.stores.roster
        schools = {each.id: each for each in ([roster.school(school)] if school else roster.schools())}
        blocked = frozenset(entry.person.id for entry in roster.blocked(school_id=school))
        people: list[Person] = [*roster.teachers(school_id=school), *roster.students(school_id=school)]
        found = list(
            due_of_all(reissue_of(house), (with_code(who, roster=roster, keys=house.keys) for who in people), schools, blocked=blocked)
        )
    if form is Form.TABLE and not found:
        print("Every certificate says what the roster says.")
    else:
        write_rows(DUE_HEADINGS, map(_due_cells, found), form)
    return FAILED if found else 0


def _due_cells(due: Due) -> tuple[str, ...]:
    return due.holder, due.school_id, due.profile, f"{due.serial:x}", ", ".join(_ADVICE.get(why, f"new {why}") for why in due.why)


def _authority(house: House, entry: CertificateEntry) -> Authority:
    authority = house.authority.named(entry.issuer)
    if not isinstance(authority, Authority):
        raise UsageError(f"the key of {entry.issuer} is kept elsewhere, and so are its revocation lists; see `eduseal ceremony --help`")
    return authority


def _accepted(house: House, holder: str) -> Person:
    """With their code. Raises EnrolmentError for a person who is blocked, NotFoundError for one who is not in the roster."""
    who = person(house.stores.roster, holder)
    if any(entry.person.id == holder for entry in house.stores.roster.blocked(school_id=who.school_id)):
        raise EnrolmentError(f"{holder} is blocked; see `eduseal roster blocked`")
    return with_code(who, roster=house.stores.roster, keys=house.keys)


def _require_one_at_a_time() -> None:
    """These commands serve one person at a counter; where the policy asks for a second pair of eyes, a request is made instead."""
    if registration_policy().rule(RequestKind.PERSON).approvals:
        raise UsageError("the registration policy asks for approvals; make a request with `eduseal enrol --again`")
