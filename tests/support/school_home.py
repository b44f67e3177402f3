"""A home with a small school in every stage, for transcripts of commands: made once, copied for each test.

Staff: SM-GV01 principal, SM-GV02 and SM-GV03 administrators, SM-GV04 teacher of 9A with a PIN, SM-GV05 waits for activation, SM-GV06 for a
certificate; BL-GV02 is another school's administrator. Pupils: SM-9A-01 has a PIN, SM-9A-02 waits for activation, SM-9A-03 for a
certificate; SM-9A-12 and SM-9A-21 are blocked. Records: R-1 carries all three signatures, R-2 its teacher's, R-3 none.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from config.bootstrap import create_house, utc_now
from config.house import House
from config.house_file import HousePlan
from config.settings import Settings
from config.workflows import load_workflow
from pki.authority.establish import Organization
from pki.keys.pin import Pin
from records.enrolment import activation_kdf, enrol, seal_holder
from records.export import LABELS
from records.person import Role
from records.record import RecordSchool
from records.roster import RosterFile
from records.sample import sample_records, sample_roster
from records.state import Actor
from signing.applying.appearance import Appearance
from signing.applying.batch import BatchSigner
from tests.support.registration import issue_seal

PASSPHRASE = "a passphrase for tests"
PIN = "con mèo béo bảy"
IDENTIFIER = "NTRVN-0109999001"
PEOPLE = ("SM-GV01", "SM-GV02", "SM-GV03", "SM-GV04", "SM-GV05", "SM-GV06", "BL-GV02")
PUPILS = ("SM-9A-01", "SM-9A-02", "SM-9A-03", "SM-9A-12", "SM-9A-21")
ENROLLED = ("SM-GV01", "SM-GV04", "SM-GV05", "SM-9A-01", "SM-9A-02")
ACTIVATED = ("SM-GV01", "SM-GV04", "SM-9A-01")
RECORDS = {"R-1": ("homeroom", "principal", "seal"), "R-2": ("homeroom",), "R-3": ()}
SIGNERS = {"homeroom": Actor("SM-GV04", Role.TEACHER, IDENTIFIER), "principal": Actor("SM-GV01", Role.PRINCIPAL, IDENTIFIER)}


@dataclass(frozen=True)
class SchoolHome:
    """`codes`: activation codes of those who wait; `pupil_code`: the personal code of SM-9A-01."""

    home: Path
    codes: Mapping[str, str]
    pupil_code: str


def roster_files() -> dict[str, bytes]:
    """schools.csv, teachers.csv and students.csv, cut down to the people above."""
    sample = sample_roster()
    return {
        "schools.csv": sample.schools_csv,
        "teachers.csv": _only(sample.teachers_csv, PEOPLE),
        "students.csv": _only(sample.students_csv, PUPILS),
    }


def make_school_home(folder: Path) -> SchoolHome:
    plan = HousePlan(Organization("VN", "Sở Giáo dục và Đào tạo (mẫu)", "NTRVN-0100000001"), "http://pki.eduseal.example", crl_shards=2)
    settings = Settings.from_environment({}, home=folder / "home")
    house = create_house(settings, plan, clock=utc_now, passphrase=PASSPHRASE, lint_rate=0)
    try:
        files = [RosterFile(name, data) for name, data in roster_files().items()]
        house.services.roster.import_files(schools=files[0], teachers=files[1], students=files[2])
        codes = _enrol(house)
        _open_and_sign(house)
        code = house.services.roster.person("SM-9A-01").code
        return SchoolHome(folder / "home", codes, code.value if code else "")
    finally:
        house.close()


def _enrol(house: House) -> dict[str, str]:
    codes = {}
    school = house.stores.roster.school("SM")
    for who in house.services.roster.people_to_enrol(school_id="SM"):
        if who.id in ENROLLED:
            enrolled = enrol(
                who,
                school,
                authority=house.authority.issuing,
                keys=house.keys,
                holder_keys=house.stores.holder_keys,
                kdf=activation_kdf(),
                clock=house.clock,
            )
            codes[who.id] = enrolled.activation_code.text
            if who.id in ACTIVATED:
                house.services.holders.activate(who.id, enrolled.activation_code, Pin(PIN))
    issue_seal(house, school)
    return codes


def _open_and_sign(house: House) -> None:
    school = house.stores.roster.school("SM")
    named = RecordSchool(school.identifier, school.short_name, school.locality)
    workflow = load_workflow("school-record")
    pupils = [pupil for pupil in house.stores.roster.students(school_id="SM") if pupil.id in PUPILS[:3]]
    at = utc_now().replace(microsecond=0)
    made = sample_records(school, pupils, homeroom_teacher="Đỗ Hoàng Nam", prepared_at=at, commitments={})
    for record_id, record in zip(RECORDS, made, strict=True):
        house.services.records.open(replace(record, id=record_id, school=named), workflow, by=SIGNERS["homeroom"])
    for step, by in SIGNERS.items():
        ids = [record_id for record_id, steps in RECORDS.items() if step in steps]
        with house.services.holders.opened(by.id, Pin(PIN)) as (held, key):
            signer = BatchSigner(held.certificate_der, (house.authority.issuing_der,), key, Appearance(by.id, LABELS[by.role]))
            authorisation = house.services.records.authorise(ids, step=step, by=by, lifetime=timedelta(minutes=5))
            for result in house.services.records.sign(authorisation, by=by, signer=signer, time_stamper=house.tsa):
                assert result.error is None
    _seal(house)


def _seal(house: House) -> None:
    school = house.stores.roster.school("SM")
    (entry,) = house.stores.certificates.of_holder(seal_holder(school))
    (label,) = [label for label in house.keys.labels() if label.startswith("seal-")]
    signer = BatchSigner(entry.certificate_der or b"", (house.authority.issuing_der,), house.keys.open(label))
    by = Actor(seal_holder(school), Role.SCHOOL_SEAL, IDENTIFIER)
    for result in house.services.records.seal(
        ["R-1"], step="seal", by=by, signer=signer, time_stamper=house.tsa, validation=house.evidence
    ):
        assert result.error is None


def _only(table: bytes, ids: tuple[str, ...]) -> bytes:
    header, *rows = csv.reader(io.StringIO(table.decode("utf-8-sig")))
    out = io.StringIO()
    csv.writer(out).writerows([header, *(row for row in rows if row[0] in ids)])
    return out.getvalue().encode()
