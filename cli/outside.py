"""`eduseal outside`: other authorities' certificates, and whom of ours they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, PassphraseFile, books, opened, settings_of
from cli._input import read_input
from cli._officer import PinFile, approval_for, officer_pin, told
from cli._table import aligned
from cli.main import UsageError
from config.house import House
from config.trust import outside_authorities
from pki.paths.anchor_constraints import AnchorConstraints
from records.outside import OutsideCertificate, outside_seal_order
from records.person import School
from signing.applying.two_step import split_chain
from signing.trust.store import read_certificates

MAX_FILE = 256 * 1024  # octets: a certificate and its issuers

app = typer.Typer(help="Other authorities' certificates, registered for a person or a school's seal.", no_args_is_help=True)


@app.command()
def authorities(home: Home = None, database_url: DatabaseUrl = None) -> int:
    """List the authorities that HOME/trust names, and what each is trusted for."""
    found = outside_authorities(settings_of(home, database_url))
    if not found:
        print("No other authority is trusted: lay its certificate into HOME/trust (docs/signing-elsewhere.md).")
    for authority in found:
        print(authority.name)
        print(f"    roles         {', '.join(sorted(authority.roles)) or 'any'}")
        for line in _limits(authority.constraints):
            print(f"    {line}")
        for anchor in authority.named:
            print(f"    certificate   {anchor.name}, SHA-256 {anchor.fingerprint}")
    return 0


@app.command()
def register(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The certificate, then its issuers (PEM; or one in DER).")],
    school: Annotated[str | None, typer.Option(metavar="ID", help="It is the seal of this school.")] = None,
    holder: Annotated[str | None, typer.Option(metavar="ID", help="It is this teacher's or principal's.")] = None,
    by: Annotated[str | None, typer.Option(metavar="OFFICER", help="With --school: who asks for it; their PIN is asked for.")] = None,
    pin_file: PinFile = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Register a certificate for a person, or for a school's seal.

    A seal wants a second person: with --by an officer asks for it, another approves (eduseal request approve), and the same command without
    --by registers it. Repeating changes nothing.
    """
    if (school is None) == (holder is None):
        raise UsageError("whose certificate is it? name --school ID for a seal, or --holder ID for a person")
    certificate_der, chain = split_chain(read_certificates(read_input(file, limit=MAX_FILE), source=file))
    with opened(home, database_url, passphrase_file) as house:
        if holder is not None:
            who = house.services.roster.person(holder)
            kept = house.services.outside.person(who, house.stores.roster.school(who.school_id), certificate_der, chain)
        else:
            found = house.stores.roster.school(school or "")
            house.services.outside.seal_entry(found, certificate_der, chain)  # nobody approves what could not be registered
            if by is not None:
                order = outside_seal_order(found, certificate_der)
                request = house.services.registration.open(order, by=by, secret=officer_pin(by, pin_file))
                print(told(request, house.clock()))
                return 0
            kept = _sealed(house, found, certificate_der, chain, file)
        print(f"Certificate {kept.fingerprint[:16]} of {kept.authority} counts as {kept.role} for {kept.holder}.")
    return 0


@app.command("list")
def show(
    school: Annotated[str | None, typer.Option(metavar="ID", help="Only this school's.")] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> int:
    """List what is registered."""
    with books(home, database_url) as stores:
        found = stores.outside.list(school_id=school)
    if not found:
        print("No certificate of another authority is registered.")
        return 0
    rows = [(one.fingerprint[:16], one.holder, one.role, one.school_id, one.authority, _standing(one)) for one in found]
    for line in aligned(("certificate", "holder", "role", "school", "authority", "registered"), rows):
        print(line)
    return 0


@app.command()
def withdraw(
    certificate: Annotated[str, typer.Argument(metavar="FINGERPRINT", help="Its SHA-256, or the first digits of it that are its alone.")],
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """End a registration. What was signed before, with a time stamp that says so, stays signed by an entitled person."""
    with opened(home, database_url, passphrase_file) as house:
        found = [one for one in house.stores.outside.list() if one.fingerprint.startswith(certificate.lower())]
        if len(found) != 1:
            raise UsageError(f"{len(found)} registered certificates begin with {certificate[:64]!r}, expected one")
        ended = house.services.outside.withdraw(found[0].fingerprint)
    print(f"Certificate {ended.fingerprint[:16]} counts for {ended.holder} until {ended.withdrawn_at:%Y-%m-%d %H:%M} UTC, and no longer.")
    return 0


def _standing(one: OutsideCertificate) -> str:
    since = f"{one.registered_at:%Y-%m-%d}"
    return f"{since} to {one.withdrawn_at:%Y-%m-%d}, withdrawn" if one.withdrawn_at else f"since {since}"


def _limits(constraints: AnchorConstraints) -> list[str]:
    """What narrows the trust in an authority, a line each."""
    dates = (constraints.trusted_from, constraints.trusted_until)
    told = {
        "trusted for": ", ".join(sorted(purpose.value.name for purpose in constraints.purposes)),
        "countries": ", ".join(sorted(constraints.countries)),
        "organizations": ", ".join(constraints.organizations),
        "policies": ", ".join(sorted(constraints.policies)),
        "path length": "" if constraints.path_length is None else str(constraints.path_length),
        "dates": " to ".join(f"{one:%Y-%m-%d}" if one else "…" for one in dates) if any(dates) else "",
    }
    return [f"{label:<14}{text}" for label, text in told.items() if text]


def _sealed(house: House, school: School, certificate_der: bytes, chain: tuple[bytes, ...], file: str) -> OutsideCertificate:
    order = outside_seal_order(school, certificate_der)
    approval = approval_for(house, order, ask=f"eduseal outside register {Path(file).name} --school {school.id} --by OFFICER")
    return house.services.outside.seal(school, certificate_der, chain, approval=approval)
