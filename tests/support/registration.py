"""Registration for tests: two officers, and approvals in one call.

issue_seal(house, school)                                   # asked for, approved by another, issued
approval = approved(house_registration(house), order)       # what services ask to see
"""

from __future__ import annotations

from collections.abc import Mapping

from config.house import House
from config.registration import registration_policy
from db.engine import open_database
from db.officers import Officers as OfficerBooks
from db.registration import Requests
from db.schema import upgrade
from pki.issuing.issue import IssuedCertificate
from pki.keys.kdf import KdfParameters, KeyDerivation
from pki.keys.pin import Pin
from pki.ports import Clock, KeyStore
from pki.registration.approval import Order, Redeemed
from pki.structures.algorithms import PublicKey, SigningKey
from records.enrolment import enrol_seal, seal_request
from records.officers import Officers
from records.own_keys import certify_own_key, own_key_request
from records.person import Person, School
from records.registration import Registration

OFFICER, SECOND, THIRD = "RA-1", "RA-2", "RA-3"
PINS: Mapping[str, str] = {OFFICER: "mèo mun bảy 1", SECOND: "chó vện tám 2", THIRD: "gà trống chín 3"}
NAMES: Mapping[str, str] = {OFFICER: "Lê Thu Hà", SECOND: "Phạm Quốc Anh", THIRD: "Vũ Minh Khôi"}
QUICK = KdfParameters(time_cost=1, memory_kib=64, lanes=1)


def house_registration(house: House) -> Registration:
    """The house's own, with a cheap key derivation, and RA-1 and RA-2 in office."""
    officers = Officers(house.stores.officers, house.keys, KeyDerivation(QUICK), house.clock)
    add_officers(officers)
    return Registration(house.stores.requests, officers, registration_policy(), house.clock)


def memory_registration(keys: KeyStore, clock: Clock) -> Registration:
    """Without a house: books in memory, for one thread."""
    database = open_database("sqlite://")
    upgrade(database)
    officers = Officers(OfficerBooks(database), keys, KeyDerivation(QUICK), clock)
    add_officers(officers)
    return Registration(Requests(database), officers, registration_policy(), clock)


def add_officers(officers: Officers, *ids: str) -> None:
    """RA-1 and RA-2, where they are not in office yet."""
    known = {officer.id for officer in officers.store.all() if officer.removed_at is None}
    for officer_id in ids or (OFFICER, SECOND):
        if officer_id not in known:
            officers.add(officer_id, name=NAMES[officer_id], pin=Pin(PINS[officer_id]), vouchers={}, reason="test")


def approved(registration: Registration, order: Order) -> Redeemed:
    """Asked for by RA-1, approved by RA-2, redeemed."""
    request = registration.open(order, by=OFFICER, secret=PINS[OFFICER])
    if request.needed:
        registration.approve(request.id, by=SECOND, secret=PINS[SECOND])
    return registration.redeem_for_one(request.id, order.digest)


def issue_seal(house: House, school: School) -> tuple[SigningKey, IssuedCertificate]:
    """The school's seal, as two officers and the authority make it."""
    registration, authority = house_registration(house), house.authority.issuing
    approval = approved(registration, seal_request(school, authority=authority))
    return enrol_seal(school, authority=authority, keys=house.keys, approval=approval, registration=registration)


def issue_for_own_key(house: House, who: Person, school: School, key: PublicKey) -> IssuedCertificate:
    """A certificate over a key that a person keeps; `who` with their code."""
    registration, authority = house_registration(house), house.authority.issuing
    code = house.stores.roster.wrapped_code(who.id)
    approval = approved(registration, own_key_request(who, school, key, wrapped_code=code, authority=authority))
    return certify_own_key(who, school, key, wrapped_code=code, authority=authority, approval=approval, registration=registration)
