"""The demonstration's registration office: two officers, of whom one asks and the other approves."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from config.house import House
from pki.keys.pin import blocked_pins, new_pin
from pki.registration.approval import Order, OwnApprovalError, Redeemed

OFFICERS = {"RA-1": "Lê Thu Hà", "RA-2": "Phạm Quốc Anh"}


@dataclass(frozen=True)
class RegistrationOffice:
    """`pins` in memory only; `tell` hears what happens."""

    house: House
    pins: dict[str, str]
    tell: Callable[[str], None]

    def agree(self, order: Order) -> Redeemed:
        """The first officer asks, may not approve their own request, and the second approves."""
        registration, (first, second) = self.house.services.registration, OFFICERS
        request = registration.open(order, by=first, secret=self.pins[first])
        try:
            self.house.stores.requests.approve(request.id, by=first, at=self.house.clock(), policy=registration.policy)
        except OwnApprovalError:
            pass
        else:
            raise AssertionError("the requester approved their own request")
        registration.approve(request.id, by=second, secret=self.pins[second])
        self.tell(f"{order.kind} {order.reference}: asked for by {first}, who may not approve it; approved by {second}")
        return registration.redeem(request.id, order.digest)


def open_registration(house: House, tell: Callable[[str], None]) -> RegistrationOffice:
    """Two officers with PINs of their own."""
    pins = {officer: f"{secrets.token_hex(3)} {secrets.token_hex(3)}" for officer in OFFICERS}
    for officer, name in OFFICERS.items():
        pin = new_pin(pins[officer], blocked=blocked_pins(), personal=(name,))
        house.services.registration.officers.add(officer, name=name, pin=pin, vouchers={}, reason="the first officers")
    return RegistrationOffice(house, pins, tell)
