"""A school in a house: roster, teacher and principal with PINs, a seal, an API key, and records brought as far as a test wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.bootstrap import create_house, utc_now
from config.house import House
from config.house_file import HousePlan
from config.settings import Settings
from pki.authority.establish import Organization
from pki.keys.pin import Pin
from records.enrolment import activation_kdf, enrol
from records.person import Role, School, Teacher
from records.record import Record
from records.roster import RosterFile
from records.sample import CLASS, sample_records, sample_roster
from records.state import Actor
from tests.support.registration import issue_seal

PASSPHRASE = "a passphrase for tests"
PIN = "con mèo béo 7"
BASE_URL = "http://pki.eduseal.example"


@dataclass(frozen=True)
class SchoolCase:
    house: House
    school: School
    teacher: Teacher
    principal: Teacher
    token: str
    other_token: str
    records: Sequence[Record]

    def open(self, index: int) -> str:
        """Opens a record in the books; returns its id."""
        record = self.records[index]
        by = Actor(self.teacher.id, Role.TEACHER, self.school.identifier)
        self.house.services.records.open(record, self.house.policy.workflows[0], by=by)
        return record.id

    def export(self, record_id: str) -> bytes:
        return self.house.services.records.document(record_id)


def make_school(folder: Path, database_url: str | None = None) -> SchoolCase:
    plan = HousePlan(Organization("VN", "Sở Giáo dục và Đào tạo (dữ liệu mẫu)", "NTRVN-0109999000"), BASE_URL, crl_shards=2)
    settings = Settings.from_environment({}, home=folder / "home", database_url=database_url)
    house = create_house(settings, plan, clock=utc_now, passphrase=PASSPHRASE, lint_rate=0)
    made = sample_roster()
    files = [RosterFile(f"{name}.csv", getattr(made, f"{name}_csv")) for name in ("schools", "teachers", "students")]
    house.services.roster.import_files(schools=files[0], teachers=files[1], students=files[2])
    school = house.stores.roster.school("SM")
    staff = house.stores.roster.teachers(school_id="SM")
    teacher = next(who for who in staff if who.homeroom == CLASS)
    principal = next(who for who in staff if who.role is Role.PRINCIPAL)
    for who in house.services.roster.people_to_enrol(school_id="SM"):
        if who.id in (teacher.id, principal.id):
            enrolled = enrol(
                who, school, authority=house.authority.issuing, keys=house.keys, holder_keys=house.stores.holder_keys,
                kdf=activation_kdf(), clock=house.clock,
            )  # fmt: skip
            house.services.holders.activate(who.id, enrolled.activation_code, Pin(PIN))
    issue_seal(house, school)
    _, token = house.stores.api_keys.create(school_id="SM", label="SIS", at=house.clock())
    _, other = house.stores.api_keys.create(school_id="BL", label="SIS", at=house.clock())
    pupils = house.stores.roster.students(school_id="SM", class_name=CLASS)
    records = sample_records(
        school, pupils, homeroom_teacher=teacher.name, prepared_at=house.clock().replace(microsecond=0), commitments={}
    )
    return SchoolCase(house, school, teacher, principal, token, other, records)
