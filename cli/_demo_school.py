"""The demonstration's first half hour: an authority, the roster, people with certificates, teachers with PINs."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cli._demo_office import RegistrationOffice
from config.bootstrap import create_house, utc_now
from config.house import House
from config.house_file import HousePlan
from config.settings import Settings
from pki.authority.establish import Organization
from pki.keys.pin import ActivationCode, Pin, blocked_pins, new_pin
from records.enrolment import Enrolled, activation_kdf, enrol_seal, seal_request
from records.holder import Holders
from records.look import school_look
from records.person import Role, School, Student, Teacher
from records.roster import RosterFile, RosterImport
from records.roster_service import RosterService
from records.sample import CLASS, sample_roster
from records.state import Actor
from signing.applying.batch import BatchSigner

BASE_URL = "http://records.example.org"
SCHOOL_ID = "SM"
ORGANIZATION = Organization("VN", "Sở Giáo dục và Đào tạo (dữ liệu mẫu)", "NTRVN-0109999000")
ROLES = {Role.TEACHER: "Giáo viên chủ nhiệm", Role.PRINCIPAL: "Hiệu trưởng", Role.SCHOOL_SEAL: "Con dấu nhà trường"}


@dataclass(frozen=True)
class Cast:
    """Who plays: the school whose class is signed, its people, and the codes with which keys are activated (in memory only)."""

    house: House
    roster: RosterImport
    enrolled: tuple[Enrolled, ...]
    school: School
    homeroom: Teacher
    principal: Teacher
    administrators: tuple[Teacher, Teacher]
    pupils: tuple[Student, ...]
    holders: Holders
    codes: dict[str, ActivationCode]

    def actor(self, who: Teacher) -> Actor:
        return Actor(who.id, who.role, self.school.identifier)

    @property
    def seal(self) -> Actor:
        return Actor(f"seal/{self.school.id}", Role.SCHOOL_SEAL, self.school.identifier)

    def commitments(self) -> dict[str, str]:
        return {person.holder: person.commitment.hex() for person in self.enrolled if person.commitment}

    def choose_pin(self, holder: str) -> Pin:
        """The holder's first visit: the activation code opens the key once, to put it under a PIN."""
        pin = new_pin(f"{secrets.token_hex(3)} {secrets.token_hex(3)}", blocked=blocked_pins())
        self.holders.activate(holder, self.codes[holder], pin)
        return pin


def found_house(home: Path, passphrase_file: Path) -> House:
    """A new authority in `home`, its key store under a random passphrase that only `passphrase_file` (mode 0600) holds."""
    passphrase = secrets.token_urlsafe(24)
    with os.fdopen(os.open(passphrase_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(passphrase + "\n")
    settings = Settings.from_environment({}, home=home)  # a demonstration never writes into a database that the environment names
    return create_house(settings, HousePlan(ORGANIZATION, BASE_URL), clock=utc_now, passphrase=passphrase)


def gather_people(house: House, folder: Path) -> tuple[RosterImport, RosterService]:
    """Writes the made-up roster as CSV into `folder` and imports it."""
    folder.mkdir(parents=True)
    schools, teachers, students = (RosterFile(path.name, path.read_bytes()) for path in sample_roster().write(folder))
    service = RosterService(roster=house.stores.roster, keys=house.keys, clock=house.clock)
    return service.import_files(schools=schools, teachers=teachers, students=students), service


def enrol_people(house: House, service: RosterService, roster: RosterImport, office: RegistrationOffice) -> Cast:
    """A certificate for everybody whose code holds up: a batch, for which one officer asks and another approves."""
    authority, registration = house.authority.issuing, house.services.registration
    people = service.waiting(holder_keys=house.stores.holder_keys)
    approval = office.agree(service.enrolment_request(people, authority=authority))
    results = service.enrol_all(
        people,
        authority=authority,
        holder_keys=house.stores.holder_keys,
        kdf=activation_kdf(),
        registration=registration,
        approval=approval,
    )
    enrolled = tuple(person for person in results if isinstance(person, Enrolled))
    school = next(found for found in roster.schools if found.id == SCHOOL_ID)
    staff = house.stores.roster.teachers(school_id=SCHOOL_ID)
    first, second = [who for who in staff if who.role is Role.ADMINISTRATOR][:2]
    return Cast(
        house=house,
        roster=roster,
        enrolled=enrolled,
        school=school,
        homeroom=next(who for who in staff if who.homeroom == CLASS),
        principal=next(who for who in staff if who.role is Role.PRINCIPAL),
        administrators=(first, second),
        pupils=house.stores.roster.students(school_id=SCHOOL_ID, class_name=CLASS),
        holders=house.services.holders,
        codes={person.holder: person.activation_code for person in enrolled},
    )


def seal_signer(cast: Cast, office: RegistrationOffice) -> BatchSigner:
    """The school's seal, which two officers agree on: its key stays in the key store."""
    house, authority = cast.house, cast.house.authority.issuing
    approval = office.agree(seal_request(cast.school, authority=authority))
    key, certificate = enrol_seal(
        cast.school, authority=authority, keys=house.keys, approval=approval, registration=house.services.registration
    )
    look = school_look(cast.school.short_name, role=ROLES[Role.SCHOOL_SEAL], verify_url=f"{BASE_URL}/verify")
    return BatchSigner(certificate.certificate_der, (cast.house.authority.issuing_der,), key, look)
