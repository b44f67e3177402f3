"""`eduseal ceremony begin|officer|ask|approve|run|crl`: what is done in the home of a root, with its shares."""

from __future__ import annotations

import getpass
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from cli._ceremony_look import PlanFile, read_plan_file
from cli._officer import one_each
from cli._output import write_output
from cli._secret import new_passphrase, secret
from cli.main import UsageError
from config.bootstrap import utc_now
from config.ceremony import RootHome, begin, hold_ceremony, new_lists, order_of, root_home
from config.ceremony_files import read_requests, write_carried
from config.house_file import HousePlan, read_plan
from config.key_store import find_secret, key_store_place
from config.settings import Settings
from pki.ceremony.hold import Outcome
from pki.ceremony.order import keys_in
from pki.ceremony.plan import MAX_CRL_DAYS, CeremonyPlan, KeyHome
from pki.ceremony.split import as_passphrase, combine, read_share
from pki.issuing.issue import REVOCATION_REASONS
from pki.keys.key_store_uri import TokenPlace
from pki.keys.pin import blocked_pins, new_pin
from pki.registration.approval import Order

CRL_DAYS = 190

RootFolder = Annotated[str, typer.Option("--home", metavar="DIR", envvar="EDUSEAL_HOME", help="The root's home.", show_default=False)]
Shares = Annotated[list[str] | None, typer.Option("--share", metavar="FILE", help="A holder's share; repeat for each.", show_default=False)]
KeyStoreUri = Annotated[str | None, typer.Option("--key-store", metavar="URI", envvar="EDUSEAL_KEY_STORE", help="pkcs11:… for an HSM.")]
PassphraseFile = Annotated[
    str | None, typer.Option(metavar="FILE", envvar="EDUSEAL_PASSPHRASE_FILE", help="Where no shares: the key store's passphrase.")
]
PinFile = Annotated[str | None, typer.Option(metavar="FILE", help="The officer's PIN; - for a line of standard input.")]
Requests = Annotated[
    str | None, typer.Option("--folder", metavar="DIR", help="Holds the requests (*.csr) of the keys to be certified.", show_default=False)
]
Officer = Annotated[str, typer.Option("--by", metavar="ID", help="The officer who does it.", show_default=False)]


def settings_of(home: str, passphrase_file: str | None, key_store: str | None = None) -> Settings:
    environment = {**os.environ, **({"EDUSEAL_PASSPHRASE_FILE": passphrase_file} if passphrase_file else {})}
    return Settings.from_environment(environment, home=Path(home), key_store=key_store)


def passphrase_of(settings: Settings, plan: HousePlan | None, *, new: bool = False) -> str:
    """`new`: it is chosen now, and asked for twice; a token has its PIN already."""
    place = key_store_place(settings, plan)
    asking = new_passphrase if new and not isinstance(place, TokenPlace) else getpass.getpass
    return find_secret(settings, place, prompt=asking if sys.stdin.isatty() else None)


@contextmanager
def _opened(home: str, shares: list[str] | None, passphrase_file: str | None) -> Iterator[RootHome]:
    settings = settings_of(home, passphrase_file)
    house = read_plan(settings.house_file)
    together = combine([read_share(Path(path)) for path in shares]) if shares else None
    passphrase = as_passphrase(together) if together is not None else passphrase_of(settings, house)
    with root_home(settings, passphrase=passphrase, clock=utc_now) as opened:
        yield opened


def begin_home(
    file: PlanFile,
    home: RootFolder,
    shares: Annotated[str | None, typer.Option("--shares", metavar="DIR", help="An empty folder for the share files.")] = None,
    key_store: KeyStoreUri = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Make the home of a root: an empty key store under a random key in shares, and books. Nothing is certified yet."""
    plan = read_plan_file(file)
    settings = settings_of(home, passphrase_file, key_store)
    folder = Path(shares) if shares is not None else None
    if folder is not None and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; make one for the shares")
    passphrase = None if plan.split is not None else passphrase_of(settings, None, new=True)
    octets = begin(settings, plan, shares=folder, passphrase=passphrase, clock=utc_now)
    print(f"Made: {home}, the home of a root. Nothing is certified yet.")
    if plan.split is not None and folder is not None:
        for number, holder in enumerate(plan.split.holders, start=1):
            print(f"  {folder / f'share-{number}-of-{len(plan.split.holders)}.txt'}  for {holder}")
        print(f"  Give each share to its holder, and leave no copy. Any {plan.split.threshold} together open the key store.")
    _digest("begin", octets)
    return 0


def officer(
    officer_id: Annotated[str, typer.Argument(metavar="ID", help="The officer's id.", show_default=False)],
    name: Annotated[str, typer.Option(metavar="TEXT", help="The officer's name.", show_default=False)],
    home: RootFolder,
    share: Shares = None,
    pin_file: PinFile = None,
    vouch: Annotated[list[str] | None, typer.Option(metavar="ID", help="From the third on: an officer who vouches; twice.")] = None,
    vouch_pin_file: Annotated[list[str] | None, typer.Option(metavar="FILE", help="That officer's PIN; in the same order.")] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why nobody vouches; goes into the log.")] = "first officers of this home",
    passphrase_file: PassphraseFile = None,
) -> int:
    """Add an officer to the root's home, with a PIN of their own: one asks for a ceremony, another approves it.

    From the third on two officers vouch, each with their PIN.
    """
    vouchers = one_each(list(vouch or ()), list(vouch_pin_file or ()))
    text = secret(f"New PIN of {officer_id}", flag="--pin-file", file=pin_file, twice=True)
    pin = new_pin(text, blocked=blocked_pins(), personal=(name, officer_id))
    with _opened(home, share, passphrase_file) as root:
        root.officers.add(officer_id, name=name, pin=pin, vouchers=vouchers, reason="" if vouchers else reason)
        root.seal()
    print(f"Officer {officer_id} may ask for ceremonies, and approve what others ask for.")
    return 0


def ask(
    file: PlanFile,
    by: Officer,
    home: RootFolder,
    folder: Requests = None,
    share: Shares = None,
    pin_file: PinFile = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Ask for the approval of a ceremony's file as it stands, and of the keys that it is to certify."""
    plan = read_plan_file(file)
    order = _order(plan, file, folder)
    pin = secret(f"PIN of {by}", flag="--pin-file", file=pin_file)
    with _opened(home, share, passphrase_file) as root:
        request = root.registration.open(order, by=by, secret=pin)
        root.seal()
    print(f"Request {request.id}: {plan.title}")
    _say(plan, order)
    print(f"  another officer approves it until {request.expires_at:%Y-%m-%d %H:%M} UTC")
    return 0


def approve(
    file: PlanFile,
    request: Annotated[str, typer.Option("--request", metavar="ID", help="As `ask` showed it.", show_default=False)],
    by: Officer,
    home: RootFolder,
    folder: Requests = None,
    share: Shares = None,
    pin_file: PinFile = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Approve a ceremony as a second person, who brings their own copy of the file, and the digests of the keys on paper."""
    plan = read_plan_file(file)
    order = _order(plan, file, folder)
    _say(plan, order)
    pin = secret(f"PIN of {by}", flag="--pin-file", file=pin_file)
    with _opened(home, share, passphrase_file) as root:
        asked = root.registration.get(request)
        if asked.order != order:
            raise UsageError(f"request {request} is for another file than {file}, or for other keys; nothing was approved")
        approved = root.registration.approve(request, by=by, secret=pin)
        root.seal()
    print(f"Request {request} is {approved.state}; it may be used until {approved.expires_at:%Y-%m-%d %H:%M} UTC")
    return 0


def run(
    file: PlanFile,
    approval: Annotated[str, typer.Option("--approval", metavar="ID", help="The approved request.", show_default=False)],
    folder: Annotated[str, typer.Option("--folder", metavar="DIR", help="Holds *.csr; gets certificates and lists.", show_default=False)],
    home: RootFolder,
    share: Shares = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Hold the ceremony: keys, certificates, lists, each held against the file; and the transcript.

    After an interruption, run it again: what was made stands, nothing is certified twice.
    """
    plan = read_plan_file(file)
    if not Path(folder).is_dir():
        raise UsageError(f"{folder} is not a folder; make one, and lay the requests (*.csr) into it")
    with _opened(home, share, passphrase_file) as root:
        deliver = partial(_deliver, Path(folder))
        outcome, octets = hold_ceremony(root, plan, requests=read_requests(Path(folder)), approval=approval, deliver=deliver)
    write_transcript(Path(folder), "hold", plan.sha256, octets)
    for name, der in outcome.certificates().items():
        print(f"Certificate {name}: SHA-256 {_fingerprint(der)}")
    return 0


def crl(
    folder: Annotated[str, typer.Option("--folder", metavar="DIR", help="Gets the lists.", show_default=False)],
    home: RootFolder,
    share: Shares = None,
    days: Annotated[int, typer.Option(metavar="N", min=1, max=MAX_CRL_DAYS, help="How long the lists hold.")] = CRL_DAYS,
    revoke: Annotated[str | None, typer.Option(metavar="SERIAL", help="First revoke this CA certificate, hexadecimal.")] = None,
    issuer: Annotated[str, typer.Option(metavar="NAME", help="The root that issued it.")] = "root",
    reason: Annotated[str, typer.Option(metavar="WHY", help="A reason of RFC 5280.")] = "cACompromise",
    passphrase_file: PassphraseFile = None,
) -> int:
    """Make new revocation lists in the root's home, to be carried to the home that serves (`take-crl`)."""
    if reason not in REVOCATION_REASONS:
        raise UsageError(f"--reason is {reason[:40]!r}, expected one of {', '.join(REVOCATION_REASONS)}")
    try:
        revoked = (issuer, int(revoke, 16), reason) if revoke is not None else None
    except ValueError:
        raise UsageError(f"--revoke is {(revoke or '')[:60]!r}, expected a hexadecimal serial number") from None
    with _opened(home, share, passphrase_file) as root:
        lists = new_lists(root, validity=timedelta(days=days), revoke=revoked)
    for path in write_carried(Path(folder), {}, lists):
        until = x509.load_der_x509_crl(lists[path.stem]).next_update_utc
        print(f"Written: {path}" + (f", holds until {until:%Y-%m-%d}" if until else ""))
    return 0


def _order(plan: CeremonyPlan, file: str, folder: str | None) -> Order:
    if folder is None and plan.made(KeyHome.ONLINE):
        raise UsageError(f"{file} certifies keys of the home that serves; name the folder of their requests with --folder DIR")
    return order_of(plan, read_requests(Path(folder)) if folder is not None else {})


def _say(plan: CeremonyPlan, order: Order) -> None:
    print(f"  SHA-256 of the file: {plan.sha256.hex()}")
    for label, digest in keys_in(order):
        print(f"  SHA-256 of the key {label}: {digest}")
        print("    compare it with what the home that serves showed")


def _deliver(folder: Path, outcome: Outcome) -> None:
    for path in write_carried(folder, {**outcome.standing, **outcome.certificates()}, outcome.crls()):
        print(f"Written: {path}")


def write_transcript(folder: Path, step: str, sha256: bytes, octets: bytes) -> None:
    """A copy to carry away, with its digest beside it; the home keeps its own."""
    path = folder / f"{step}-{sha256.hex()[:16]}.jsonl"
    digest = hashlib.sha256(octets).hexdigest()
    write_output(str(path), octets, hint="it is written once")
    write_output(f"{path}.sha256", f"{digest}  {path.name}\n".encode(), hint="it is written once")
    _digest(step, octets)


def _digest(step: str, octets: bytes) -> None:
    print(f"Transcript of this step ({step}): SHA-256 {hashlib.sha256(octets).hexdigest()}")
    print("  Everybody present writes these digits down.")


def _fingerprint(der: bytes) -> str:
    return hashlib.sha256(der).digest().hex(":").upper()
