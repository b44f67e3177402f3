"""`eduseal enrol`: certificates for people whose codes hold up, and seals for schools."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from cli._bar import bar
from cli._home import DatabaseUrl, Home, PassphraseFile, opened
from cli._officer import approval_for
from cli._people import role_of
from cli._sheet import Sheet
from cli.main import UsageError
from config.house import House
from config.signers import standing_seal
from pki.errors import PkiError
from pki.ports import CertificateEntry, CertificateState
from pki.registration.approval import Redeemed
from records.certify_once import STALE
from records.enrolment import activation_kdf, enrol, enrol_seal, seal_request
from records.errors import NotFoundError, RecordsError, StillIssuingError
from records.person import Person, School, Student

FAILED = 1
ASK_PEOPLE = "eduseal request people --by OFFICER"  # with the same --school, --class, --role or --again


class Holders(StrEnum):
    TEACHER = "teacher"
    PRINCIPAL = "principal"
    STUDENT = "student"


def command(
    sheet: Annotated[str | None, typer.Option(metavar="FILE", help="New file for the activation codes (CSV, mode 0600).")] = None,
    school: Annotated[str | None, typer.Option(metavar="ID", help="Only this school's people.")] = None,
    class_name: Annotated[str | None, typer.Option("--class", metavar="NAME", help="Only pupils of this class.")] = None,
    role: Annotated[Holders | None, typer.Option(help="Only people of this role.", show_default=False)] = None,
    again: Annotated[
        list[str] | None, typer.Option(metavar="HOLDER", help="A new certificate for one who has one (lost code, forgotten PIN, new role).")
    ] = None,
    seal: Annotated[list[str] | None, typer.Option(metavar="SCHOOL", help="Issue this school's seal; may be given often.")] = None,
    renew: Annotated[bool, typer.Option("--renew", help="With --seal: also where the school has a seal in force.")] = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Issue certificates, or with --seal a seal.

    Everybody accepted who has no certificate gets one. Each person's activation code goes to the sheet, which is written once and is the
    only copy: hand each line to its person and destroy the sheet. Repeating is safe: who has a certificate is passed over. --again
    revokes the certificate that it replaces. A seal, and more than one person at once, need the approval of a second person first: see
    `eduseal request`. Exit status 1 where somebody could not be enrolled.
    """
    if seal:
        if sheet or school or class_name or role or again:
            raise UsageError("--seal issues seals alone; enrol people in a run of their own")
        with opened(home, database_url, passphrase_file) as house:
            return _seals(house, seal, renew=renew)
    if sheet is None:
        raise UsageError("the activation codes need a place: name a new file with --sheet FILE (or a school with --seal SCHOOL)")
    if again and (school or class_name or role):
        raise UsageError("--again names its people; leave out --school, --class and --role")
    with opened(home, database_url, passphrase_file) as house:
        people = list(again_of(house, again) if again else waiting(house, school, class_name, role))
        if not people:
            print("Nobody waits for a certificate.")
            return 0
        return enrol_onto_sheet(house, people, sheet)


def waiting(house: House, school: str | None, class_name: str | None, role: Holders | None) -> Iterator[Person]:
    """Those accepted, of the school, class and role asked for, who have no certificate yet."""
    if school is not None:
        house.stores.roster.school(school)
    for who in house.services.roster.people_to_enrol(school_id=school):
        if role is not None and role_of(who).value != role.value:
            continue
        if class_name is not None and not (isinstance(who, Student) and who.class_name == class_name):
            continue
        if not house.stores.holder_keys.of_holder(who.id):
            yield who


def again_of(house: House, ids: list[str]) -> Iterator[Person]:
    people = able(house, ids)
    for holder in dict.fromkeys(ids):
        if holder not in people:
            raise NotFoundError(f"{holder} is not among those who may have a certificate; see `eduseal roster show` and `roster blocked`")
        yield people[holder]


def able(house: House, ids: Iterable[str]) -> dict[str, Person]:
    """Who of the schools that these people are of may have a certificate, by id: the codes of no other school are opened."""
    known = (house.stores.roster.person(holder) for holder in ids)
    schools = sorted({who.school_id for who in known if who is not None})
    return {who.id: who for school in schools for who in house.services.roster.people_to_enrol(school_id=school)}


def enrol_onto_sheet(house: House, people: list[Person], path: str, *, begun: Redeemed | None = None) -> int:
    """Keys, certificates and a sheet of activation codes; certificates that they replace are revoked. Returns the exit status.

    More than one person at once is a batch: raises :class:`pki.registration.approval.NotApprovedError` unless a second person approved
    just it. `begun` is an approval that was used up before, where these are the people left of it.
    """
    schools = {school.id: school for school in house.stores.roster.schools()}
    failed = 0
    with ExitStack() as stack:
        sheet = stack.enter_context(Sheet.create(path))
        approval = begun or _require_approval(house, people)
        hold = stack.enter_context(_alone(house, approval))
        shown = stack.enter_context(bar("Enrolling", len(people)))
        for who in people:
            hold()
            try:
                _enrol_one(house, who, schools[who.school_id], sheet)
                shown.advance()
            except (RecordsError, PkiError) as exc:
                failed += 1
                shown.advance()
                print(f"{who.id} was not enrolled: {exc}", file=sys.stderr)
        written = sheet.people
    print(f"{written} enrolled, {failed} failed.")
    if written:
        print(f"Activation codes: {path}. It is the only copy: hand each line to its person, then destroy it.")
    return FAILED if failed else 0


@contextmanager
def _alone(house: House, approval: Redeemed | None) -> Iterator[Callable[[], None]]:
    """What it gives is called before each person, and raises :class:`records.errors.StillIssuingError` where another command has gone on
    with the same approval meanwhile: nobody gets two certificates of it."""
    requests, held = house.services.registration.requests, list[datetime]()

    def hold() -> None:
        now = house.clock()
        if approval is None:
            return
        if not requests.claim(approval.request_id, at=now, stale=held[-1] if held else now - STALE):
            raise StillIssuingError(
                f"request {approval.request_id}: another command issues it; `eduseal request show` tells what it asks for"
            )
        held[:] = [now]

    try:
        yield hold
    finally:
        if approval is not None and held:
            requests.release(approval.request_id, claimed_at=held[-1])


def _require_approval(house: House, people: list[Person]) -> Redeemed | None:
    """Uses up the approval of just these people, where the policy asks for one."""
    registration = house.services.registration
    order = house.services.roster.enrolment_request(people, authority=house.authority.issuing)
    needed = registration.needs_approval(order.kind)
    approval = approval_for(house, order, ask=ASK_PEOPLE) if needed else None
    registration.require(order, approval)
    return approval


def _enrol_one(house: House, who: Person, school: School, sheet: Sheet) -> None:
    """The code is on the sheet before an earlier certificate is revoked."""
    before = house.stores.holder_keys.of_holder(who.id)
    enrolled = enrol(
        who,
        school,
        authority=house.authority.issuing,
        keys=house.keys,
        holder_keys=house.stores.holder_keys,
        kdf=activation_kdf(),
        clock=house.clock,
    )
    sheet.add(enrolled, who, school)
    for held in before:
        entry = house.stores.certificates.get(held.issuer, held.serial)
        if entry is not None and entry.state is CertificateState.ISSUED:
            house.authority.named(held.issuer).revoke(held.serial, "superseded")


def _seals(house: House, schools: list[str], *, renew: bool) -> int:
    for school in map(house.stores.roster.school, dict.fromkeys(schools)):
        standing = standing_seal(house, school)
        if standing is not None and not renew:
            print(f"{in_force(school, standing)}; --renew adds another.")
            continue
        issue_seal(house, school)
    return 0


def in_force(school: School, standing: CertificateEntry) -> str:
    return f"{school.id} has a seal in force until {standing.not_after:%Y-%m-%d}, certificate {standing.serial:x}"


def issue_seal(house: House, school: School, *, new_key: bool = False) -> None:
    """A seal that a second person approved; raises :class:`pki.registration.approval.NotApprovedError`."""
    authority, registration = house.authority.issuing, house.services.registration
    order = seal_request(school, authority=authority, new_key=new_key)
    approval = approval_for(house, order, ask=f"eduseal request seal {school.id} --by OFFICER")
    _, issued = enrol_seal(school, authority=authority, keys=house.keys, approval=approval, registration=registration, new_key=new_key)
    print(f"{school.id} has a seal until {issued.not_after:%Y-%m-%d}, certificate {issued.serial:x}; its key stays in the key store.")
