"""Ceremonies in memory: the shipped files held over key stores and books that are dictionaries.

>>> vault = Vault.new()
>>> vault.hold("root")
>>> vault.hold("issuing")
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from config.ceremony_files import example
from pki.ceremony.hold import Outcome, hold
from pki.ceremony.order import ceremony_order, requests_of
from pki.ceremony.plan import CROSS, CeremonyPlan, KeyHome, parse_plan
from pki.registration.approval import Redeemed
from pki.registration.ca_request import make_request
from tests.support.authority import MOMENT, MemoryCertificateStore, MemoryKeyStore, StandingClock, shipped_profiles


def plan_text(name: str, *changes: tuple[str, str]) -> bytes:
    """A shipped file with some text replaced; each replacement must bite."""
    text = example(name)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text.encode()


def shipped_plan(name: str, *changes: tuple[str, str]) -> CeremonyPlan:
    return parse_plan(plan_text(name, *changes))


def approval_of(
    plan: CeremonyPlan,
    requests: Mapping[str, bytes] | None = None,
    *,
    requested_by: str = "an",
    approved_by: tuple[str, ...] = ("chi",),
    at: datetime = MOMENT,
) -> Redeemed:
    return Redeemed("request-1", ceremony_order(plan, requests_of(plan, requests or {})), requested_by, approved_by, at)


@dataclass
class Vault:
    """The root's home, and the key store of the home that serves."""

    keys: Any = field(default_factory=MemoryKeyStore)
    online: Any = field(default_factory=MemoryKeyStore)
    store: Any = field(default_factory=MemoryCertificateStore)
    clock: StandingClock = field(default_factory=lambda: StandingClock(MOMENT))

    @classmethod
    def after(cls, *names: str, years_between: int = 0) -> Vault:
        """One in which these ceremonies were held."""
        made = cls()
        for name in names:
            made.hold(shipped_plan(name))
            made.clock.moment += timedelta(days=365 * years_between)
        return made

    def requests(self, plan: CeremonyPlan) -> dict[str, bytes]:
        found = {}
        for key in plan.made(KeyHome.ONLINE):
            own = self.online.open(key.label) if key.label in self.online.labels() else self.online.generate(key.label, curve=key.curve)
            (wanted,) = [each for each in plan.certificates if each.subject == key.label and each.profile != CROSS]
            found[key.label] = make_request(plan.subject(wanted), own)
        return found

    def hold(self, plan: CeremonyPlan, *, requests: dict[str, bytes] | None = None, approval: Redeemed | None = None) -> Outcome:
        brought = self.requests(plan) if requests is None else requests
        return hold(
            plan,
            requests=brought,
            keys=self.keys,
            store=self.store,
            profiles=shipped_profiles(),
            clock=self.clock,
            approve=lambda: approval or approval_of(plan, brought, at=self.clock()),
            lint_rate=1,
        )
