"""A home with one class ready to sign: its teacher has a PIN, its records wait for the homeroom step. Made once, copied for each run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from config.bootstrap import create_house, open_house, utc_now
from config.house import House
from config.house_file import HousePlan
from config.settings import Settings
from config.workflows import load_workflow
from pki.authority.establish import Organization
from pki.keys.pin import Pin
from pki.keys.softkey import SoftwareKey
from records.enrolment import activation_kdf, enrol
from records.person import Role
from records.record import RecordSchool
from records.roster import RosterFile
from records.sample import CLASS, sample_records, sample_roster
from records.state import Actor

PASSPHRASE = "a passphrase for tests"
PIN = "con mèo béo bảy"
TEACHER = "SM-GV04"
STEP = "homeroom"
CLASS_SIZE = 45


@dataclass(frozen=True)
class ClassHome:
    """`secrets`: octets that must stand nowhere on the disk, by name."""

    home: Path
    ids: tuple[str, ...]
    secrets: dict[str, bytes]


def make_class_home(folder: Path) -> ClassHome:
    plan = HousePlan(Organization("VN", "Sở Giáo dục và Đào tạo (mẫu)", "NTRVN-0100000001"), "http://pki.eduseal.example", crl_shards=2)
    settings = Settings.from_environment({}, home=folder / "home")
    house = create_house(settings, plan, clock=utc_now, passphrase=PASSPHRASE, lint_rate=0)
    try:
        made = sample_roster()
        files = [RosterFile(f"{name}.csv", getattr(made, f"{name}_csv")) for name in ("schools", "teachers", "students")]
        house.services.roster.import_files(schools=files[0], teachers=files[1], students=files[2])
        _enrol_teacher(house)
        ids = _open_records(house)
        return ClassHome(settings.home, ids, _secrets(house))
    finally:
        house.close()


@contextmanager
def house_of(home: Path) -> Iterator[House]:
    house = open_house(Settings.from_environment({}, home=home), clock=utc_now, passphrase=PASSPHRASE, lint_rate=0)
    try:
        yield house
    finally:
        house.close()


def _enrol_teacher(house: House) -> None:
    school = house.stores.roster.school("SM")
    (who,) = [who for who in house.services.roster.people_to_enrol(school_id="SM") if who.id == TEACHER]
    enrolled = enrol(
        who,
        school,
        authority=house.authority.issuing,
        keys=house.keys,
        holder_keys=house.stores.holder_keys,
        kdf=activation_kdf(),
        clock=house.clock,
    )
    house.services.holders.activate(TEACHER, enrolled.activation_code, Pin(PIN))


def _open_records(house: House) -> tuple[str, ...]:
    """As many as a large class has, from however many pupils the sample has."""
    school = house.stores.roster.school("SM")
    named = RecordSchool(school.identifier, school.short_name, school.locality)
    by = Actor(TEACHER, Role.TEACHER, school.identifier)
    pupils = house.stores.roster.students(school_id="SM", class_name=CLASS)
    at = utc_now().replace(microsecond=0)
    made = sample_records(school, pupils, homeroom_teacher="Đỗ Hoàng Nam", prepared_at=at, commitments={})
    ids = tuple(f"R-{number:02}" for number in range(CLASS_SIZE))
    workflow = load_workflow("school-record")
    for number, record_id in enumerate(ids):
        house.services.records.open(replace(made[number % len(made)], id=record_id, school=named), workflow, by=by)
    return ids


def _secrets(house: House) -> dict[str, bytes]:
    with house.services.holders.opened(TEACHER, Pin(PIN)) as (_, key):
        opened = key._held()
        assert isinstance(opened, SoftwareKey)
        pkcs8 = opened.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        scalar = opened.private_key.private_numbers().private_value.to_bytes(32, "big")
    return {"PIN": PIN.encode(), "PKCS#8": pkcs8, "private scalar": scalar, "private scalar in hexadecimal": scalar.hex().encode()}
