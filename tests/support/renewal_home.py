"""A home of long ago whose archive time stamps end soon, in few lines: `python -m tests.support.renewal_home HOME COUNT` makes one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from config.bootstrap import create_house, utc_now
from config.house import House
from config.house_file import HousePlan
from config.settings import Settings
from config.workflows import load_workflow
from pki.authority.establish import Organization
from pki.identity.subject import Subject, legal_person, person
from pki.issuing.issue import CertificateRequest
from pki.keys.softkey import SoftwareKey
from records.person import Role
from records.state import Actor
from signing.applying.batch import BatchSigner
from tests.support.authority import StandingClock
from tests.support.record_cases import SIGNERS, make_record

PASSPHRASE = "a passphrase for tests"
SCHOOL = "NTRVN-0109999001"
TSA_YEARS = timedelta(days=2192)  # certs/profiles/tsa.toml


def long_ago(left: timedelta, now: Callable[[], datetime] = utc_now) -> datetime:
    """When a house must have been founded for its first time-stamp certificate to have `left` to live."""
    return (now() + left - TSA_YEARS).replace(microsecond=0)


def make_old_house(home: Path, count: int, *, at: datetime) -> tuple[House, StandingClock]:
    """`count` records R-0000, R-0001, …, signed by teacher and principal, sealed and archived at `at`. Close the house when done."""
    clock = StandingClock(at)
    plan = HousePlan(Organization("VN", "Sở Giáo dục và Đào tạo (mẫu)", "NTRVN-0100000001"), "http://pki.eduseal.example", crl_shards=2)
    house = create_house(Settings.from_environment({}, home=home), plan, clock=clock, passphrase=PASSPHRASE, lint_rate=0)
    signers = {step: _signer(house, step) for step in SIGNERS}
    ids = [f"R-{number:04}" for number in range(count)]
    for record_id in ids:
        house.services.records.open(replace(make_record(record_id), prepared_at=at), load_workflow("school-record"), by=SIGNERS["homeroom"])
    for step in ("homeroom", "principal"):
        authorisation = house.services.records.authorise(ids, step=step, by=SIGNERS[step], lifetime=timedelta(minutes=15))
        for signed in house.services.records.sign(authorisation, by=SIGNERS[step], signer=signers[step], time_stamper=house.tsa):
            assert signed.error is None, signed.error
    seal = Actor(SIGNERS["seal"].id, Role.SCHOOL_SEAL, SCHOOL)
    results = house.services.records.seal(
        ids, step="seal", by=seal, signer=signers["seal"], time_stamper=house.tsa, validation=house.evidence
    )
    assert [result.error for result in results] == [None] * count
    return house, clock


def _signer(house: House, step: str) -> BatchSigner:
    key = SoftwareKey.generate()
    profile = {"homeroom": "teacher", "principal": "principal", "seal": "school-seal"}[step]
    request = CertificateRequest(profile=profile, subject=_subject(step), public_key=key.public_key(), holder=f"test/{step}")
    issued = house.authority.issuing.certify(request)
    return BatchSigner(issued.certificate_der, (house.authority.issuing_der,), key)


def _subject(step: str) -> Subject:
    name = "Trường THCS Sao Mai (dữ liệu mẫu)"
    if step == "seal":
        return legal_person(country="VN", name=name, identifier=SCHOOL)
    return person(
        country="VN",
        surname="Đỗ",
        given_name="Hoàng Nam",
        common_name="Đỗ Hoàng Nam",
        identifier="PNOVN-001185000001",
        organization=name,
        organization_identifier=SCHOOL,
    )


if __name__ == "__main__":
    made, _ = make_old_house(Path(sys.argv[1]), int(sys.argv[2]), at=long_ago(timedelta(days=20), lambda: datetime.now(UTC)))
    made.close()
