"""Registration for tests: two officers, and approvals in one call.

redeemed = approved_seal(house, school)         # what `records.enrolment.enrol_seal` asks for
issue_seal(house, school)                       # the whole way
"""

from __future__ import annotations

from collections.abc import Mapping

from config.house import House
from config.registration import registration_policy
from pki.kdf import KdfParameters, KeyDerivation
from pki.pin import Pin
from pki.registration import Order, Redeemed
from records.officers import Officers
from records.registration import Registration

OFFICER, SECOND = "RA-1", "RA-2"
PINS: Mapping[str, str] = {OFFICER: "mèo mun bảy 1", SECOND: "chó vện tám 2", "RA-3": "gà trống chín 3"}
QUICK = KdfParameters(time_cost=1, memory_kib=64, lanes=1)
NAMES = {OFFICER: "Lê Thu Hà", SECOND: "Phạm Quốc Anh", "RA-3": "Vũ Minh Khôi"}


def registration_of(house: House) -> Registration:
    """The house's, with a cheap key derivation."""
    wired = house.services.registration
    return Registration(house.stores.requests, quick_officers(house), registration_policy(), wired.clock)


def quick_officers(house: House) -> Officers:
    return Officers(house.stores.officers, house.keys, KeyDerivation(QUICK), house.clock)


def add_officers(house: House, *ids: str) -> None:
    """RA-1 and RA-2, where they are not there yet."""
    known = {officer.id for officer in house.stores.officers.all() if officer.removed_at is None}
    for officer_id in ids or (OFFICER, SECOND):
        if officer_id not in known:
            quick_officers(house).add(officer_id, name=NAMES[officer_id], pin=Pin(PINS[officer_id]), vouchers={}, reason="test")


def approved(house: House, order: Order) -> Redeemed:
    """Asked for by RA-1, approved by RA-2, redeemed."""
    add_officers(house)
    registration = registration_of(house)
    request = registration.open(order, by=OFFICER, secret=PINS[OFFICER])
    registration.approve(request.id, by=SECOND, secret=PINS[SECOND])
    return registration.redeem(request.id, order.digest)
