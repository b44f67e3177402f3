"""`eduseal request`: what a second person approves before it is issued."""

from __future__ import annotations

from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, PassphraseFile, books, opened
from cli._officer import By, PinFile, officer_pin, told
from cli._request_csr import csr
from cli._request_show import described, listed
from cli.enrol import Holders, able, again_of, enrol_onto_sheet, in_force, issue_seal, waiting
from cli.main import UsageError
from config.house import House
from config.signers import standing_seal
from pki.registration.approval import AlreadyDecidedError, Order, Request, RequestExpiredError, RequestState
from pki.registration.policy import RequestKind
from records.enrolment import seal_request
from records.orders import people_of, unchanged, wants_new_key
from records.person import Person

EPILOG = "Asking twice for the same gives the same request. Officers: eduseal officer."
app = typer.Typer(help="Ask for what a second person approves, approve it, issue it.", no_args_is_help=True, epilog=EPILOG)
app.command()(csr)

RequestId = Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id.", show_default=False)]


@app.command()
def seal(
    school: Annotated[str, typer.Argument(metavar="SCHOOL", help="Roster id of the school.", show_default=False)],
    by: By,
    pin_file: PinFile = None,
    renew: Annotated[bool, typer.Option("--renew", help="Also where the school has a seal in force.")] = False,
    new_key: Annotated[bool, typer.Option("--new-key", help="As --renew, over a key that is made for it.")] = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Ask for a school's seal."""
    with opened(home, database_url, passphrase_file) as house:
        found = house.stores.roster.school(school)
        standing = standing_seal(house, found)
        if standing is not None and not (renew or new_key):
            print(f"{in_force(found, standing)}; --renew asks for another.")
            return 0
        return _ask(house, seal_request(found, authority=house.authority.issuing, new_key=new_key), by, pin_file)


@app.command()
def people(
    by: By,
    pin_file: PinFile = None,
    school: Annotated[str | None, typer.Option(metavar="ID", help="Only this school's people.")] = None,
    class_name: Annotated[str | None, typer.Option("--class", metavar="NAME", help="Only pupils of this class.")] = None,
    role: Annotated[Holders | None, typer.Option(help="Only people of this role.", show_default=False)] = None,
    again: Annotated[list[str] | None, typer.Option(metavar="HOLDER", help="A new certificate for one who has one.")] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Ask for certificates for many people at once: those whom `eduseal enrol` with the same options would enrol."""
    if again and (school or class_name or role):
        raise UsageError("--again names its people; leave out --school, --class and --role")
    with opened(home, database_url, passphrase_file) as house:
        chosen = list(again_of(house, again) if again else waiting(house, school, class_name, role))
        if not chosen:
            print("Nobody waits for a certificate.")
            return 0
        return _ask(house, house.services.roster.enrolment_request(chosen, authority=house.authority.issuing), by, pin_file)


@app.command()
def person(
    holder: Annotated[str, typer.Argument(metavar="HOLDER", help="Roster id of a teacher, principal or pupil.", show_default=False)],
    by: By,
    pin_file: PinFile = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Ask for one person's certificate."""
    return people(by, pin_file, again=[holder], home=home, database_url=database_url, passphrase_file=passphrase_file)


@app.command("list")
def show_all(
    state: Annotated[RequestState | None, typer.Option(help="Only requests of this state.", show_default=False)] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> int:
    """List requests, oldest first."""
    with books(home, database_url) as stores:
        for line in listed(stores.requests.list(state=state)):
            print(line)
    return 0


@app.command()
def show(request: RequestId, home: Home = None, database_url: DatabaseUrl = None) -> int:
    """Show what a request asks for: what an approver approves."""
    with books(home, database_url) as stores:
        for line in described(stores.requests.get(request)):
            print(line)
    return 0


@app.command()
def approve(
    request: RequestId,
    by: By,
    pin_file: PinFile = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Approve a request: never one's own, each officer once, and not after it expired."""
    with opened(home, database_url, passphrase_file) as house:
        for line in described(house.services.registration.get(request)):
            print(line)
        moved = house.services.registration.approve(request, by=by, secret=officer_pin(by, pin_file))
        print(told(moved, house.clock()))
    return 0


@app.command()
def refuse(
    request: RequestId,
    by: By,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, in so many words; kept in the log.")],
    pin_file: PinFile = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Refuse a request, for good; who asked withdraws it so."""
    with opened(home, database_url, passphrase_file) as house:
        house.services.registration.refuse(request, by=by, secret=officer_pin(by, pin_file), reason=reason)
    print(f"Request {request} is refused.")
    return 0


@app.command()
def issue(
    request: RequestId,
    sheet: Annotated[str | None, typer.Option(metavar="FILE", help="New file for the activation codes (CSV, mode 0600).")] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Issue what was approved; the same as `eduseal enrol`, for what the request names.

    Where enrolling several people was interrupted, it goes on with those who are left, onto another sheet, as long as the approval holds.
    """
    with opened(home, database_url, passphrase_file) as house:
        asked = house.services.registration.get(request)
        order = asked.order
        if order.kind is RequestKind.SEAL:
            issue_seal(house, house.stores.roster.school(order.reference.removeprefix("seal/")), new_key=wants_new_key(order))
            return 0
        holders = people_of(order)
        if not holders:
            raise UsageError(f"request {request} is for {order.reference}; what it asks for is issued by the command that asked for it")
        if sheet is None:
            raise UsageError("the activation codes need a place: name a new file with --sheet FILE")
        if order.kind is RequestKind.BULK and asked.state is RequestState.REDEEMED:
            return enrol_onto_sheet(house, _left(house, asked), sheet, begun=house.services.registration.requests.redeemed(request))
        return enrol_onto_sheet(house, list(again_of(house, list(holders))), sheet)


def _left(house: House, request: Request) -> list[Person]:
    """Of whom an approval that was used up still says what is so: they were not reached."""
    if request.expires_at <= house.clock():
        raise RequestExpiredError(f"request {request.id}: its approval ended at {request.expires_at:%Y-%m-%d %H:%M} UTC; ask again")
    fit = able(house, people_of(request.order))
    known = [fit[holder] for holder in people_of(request.order) if holder in fit]
    left = unchanged(request.order, house.services.roster.enrolment_request(known, authority=house.authority.issuing))
    if not left:
        raise AlreadyDecidedError(f"request {request.id}: redeemed before, and nobody of it is left")
    return [fit[holder] for holder in left]


def _ask(house: House, order: Order, by: str, pin_file: str | None) -> int:
    request = house.services.registration.open(order, by=by, secret=officer_pin(by, pin_file))
    print(told(request, house.clock()))
    return 0
