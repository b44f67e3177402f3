"""Ceremonies in folders: a root's vault opened by shares, and a house that serves without the root's key."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from config.bootstrap import open_house
from config.ceremony import RootHome, begin, hold_ceremony, order_of, root_home
from config.ceremony_files import read_carried, read_requests, write_carried
from config.ceremony_install import install, request
from config.house import House
from config.settings import Settings
from pki.authority.establish import EstablishedAuthority
from pki.ceremony.hold import Outcome
from pki.ceremony.plan import CeremonyPlan
from pki.ceremony.split import as_passphrase, combine, read_share
from pki.keys.pin import Pin
from pki.registration.ca_request import request_pem
from tests.support.authority import MOMENT, StandingClock

PASSPHRASE = "a passphrase for tests"
PINS = {"an": "mèo mun bảy 1", "chi": "chó vện tám 2"}


@dataclass
class Homes:
    """`usb` is what is carried. Everything lies in one folder, which may be copied."""

    folder: Path
    clock: StandingClock = field(default_factory=lambda: StandingClock(MOMENT))

    def __post_init__(self) -> None:
        for name in ("usb", "shares"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    @property
    def vault(self) -> Settings:
        return Settings.from_environment({}, home=self.folder / "vault")

    @property
    def house(self) -> Settings:
        return Settings.from_environment({}, home=self.folder / "house")

    @property
    def usb(self) -> Path:
        return self.folder / "usb"

    def copy(self, folder: Path) -> Homes:
        shutil.copytree(self.folder, folder)
        return Homes(folder, StandingClock(self.clock.moment))

    def shares(self, *numbers: int) -> str:
        """The key store's passphrase, from these holders' files."""
        return as_passphrase(combine([read_share(self.folder / "shares" / f"share-{number}-of-3.txt") for number in numbers]))

    def begin(self, plan: CeremonyPlan) -> bytes:
        octets = begin(self.vault, plan, shares=self.folder / "shares", passphrase=None, clock=self.clock)
        with self.open_vault() as root:
            for officer, pin in PINS.items():
                root.officers.add(officer, name=officer, pin=Pin(pin), vouchers={}, reason="first officers")
        return octets

    @contextmanager
    def open_vault(self, *numbers: int) -> Iterator[RootHome]:
        with root_home(self.vault, passphrase=self.shares(*(numbers or (1, 3))), clock=self.clock) as opened:
            yield opened

    def approve(self, root: RootHome, plan: CeremonyPlan) -> str:
        """Asked for by An, approved by Chi; the request's id."""
        asked = root.registration.open(order_of(plan, read_requests(self.usb)), by="an", secret=PINS["an"])
        root.registration.approve(asked.id, by="chi", secret=PINS["chi"])
        return asked.id

    def hold(self, plan: CeremonyPlan) -> bytes:
        """In the vault, with what the stick holds; the transcript."""
        with self.open_vault() as root:
            return self.hold_in(root, plan, approval=self.approve(root, plan))

    def hold_in(self, root: RootHome, plan: CeremonyPlan, *, approval: str) -> bytes:
        _, octets = hold_ceremony(root, plan, requests=read_requests(self.usb), approval=approval, deliver=self.deliver, lint_rate=0)
        return octets

    def deliver(self, outcome: Outcome) -> None:
        """Onto the stick."""
        write_carried(self.usb, {**outcome.standing, **outcome.certificates()}, outcome.crls())

    def request(self, plan: CeremonyPlan) -> None:
        made, _ = request(self.house, plan, passphrase=PASSPHRASE, clock=self.clock)
        for label, der in made.items():
            (self.usb / f"{label}.csr").write_bytes(request_pem(der))

    def install(self, plan: CeremonyPlan, fingerprint: str | None = None) -> EstablishedAuthority:
        carried = read_carried(self.usb)
        authority, _ = install(self.house, plan, carried, passphrase=PASSPHRASE, fingerprint=fingerprint, clock=self.clock, lint_rate=0)
        return authority

    @contextmanager
    def open_house(self) -> Iterator[House]:
        opened = open_house(self.house, clock=self.clock, passphrase=PASSPHRASE, lint_rate=0)
        try:
            yield opened
        finally:
            opened.close()

    def advance(self, **delta: float) -> None:
        self.clock.moment += timedelta(**delta)
