"""Distinct records with any number of signatures by forty signers, B-LTA: what bulk verification is measured on.

Each record is another pupil's, with marks and remarks of its own. A signer signs the records of one class in one go, and each class is
archived in one go, so that its records share their revocation data: as a school does it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from records.export import Exporter
from records.record import Record, RecordSchool
from signing.applying.appearance import Appearance
from signing.policy import VerificationPolicy
from signing.trust.store import TrustStore
from signing.workflow import Step, Workflow
from tests.support.authority import SCHOOL, SCHOOL_IDENTIFIER, Credential
from tests.support.record_cases import make_record
from tests.support.signing_cases import canonical_pdf
from tests.support.verify_cases import ADES, RECORD, RecordHouse, make_record_house

SIGNERS = 40
CLASS = 5  # records that a signer signs in one go
_NAMES = ("Nguyễn Trần Bảo Ngọc", "Lê Minh", "Phạm Thị Hương Giang", "Vũ Đức Anh", "Hoàng Gia Bảo", "Đặng Thùy Linh Chi")
_REMARKS = ("Em chăm ngoan.", "Có tiến bộ rõ rệt ở học kỳ II, cần cố gắng hơn ở môn Toán.", "Năng nổ trong các hoạt động của lớp.", "Tốt.")


@dataclass(frozen=True)
class Signed:
    """The records, and what they are judged by: `at` is a moment after the last was archived."""

    documents: tuple[bytes, ...]
    policy: VerificationPolicy
    trust: TrustStore
    root_der: bytes
    at: datetime


def signed_records(signatures: int, *, count: int = SIGNERS * CLASS) -> Signed:
    """`count` distinct records with so many signatures each."""
    house = make_record_house()
    authority = house.house.authority
    workflow = _workflow(signatures)
    people = [authority.issue_teacher(f"Nguyễn Thị Giáo {n:02}", code=f"0011850{n:05}") for n in range(SIGNERS)]
    exporter = Exporter(verify_url="https://records.example/verify")
    documents: list[bytes] = []
    for start in range(0, count, CLASS):
        unsigned = [exporter.export(_record(number), workflow) for number in range(start, min(start + CLASS, count))]
        documents += _signed_class(house, unsigned, workflow, [people[(start // CLASS + n) % SIGNERS] for n in range(signatures)])
    policy = replace(RECORD, workflows=(workflow,))
    return Signed(tuple(documents), policy, house.trust, authority.root_der, house.now)


def added_signatures(signatures: int, *, count: int = 5) -> Signed:
    """Documents with any number of signatures, beyond what a workflow may have: in fields of their own, judged by the `ades` policy."""
    house = make_record_house()
    authority = house.house.authority
    people = [authority.issue_teacher(f"Nguyễn Thị Giáo {n:02}", code=f"0011850{n:05}") for n in range(signatures)]
    documents = []
    for number in range(count):
        document = canonical_pdf(number)
        for n, person in enumerate(people):
            document = house.sign(document, "homeroom", person, field=f"Added-{n}", create=True)
        documents.append(house.archive(document))
    return Signed(tuple(documents), ADES, house.trust, authority.root_der, house.now)


def _workflow(signatures: int) -> Workflow:
    """Teachers one after the other, the last of whom closes the record."""
    steps = (Step(f"s{n}", "teacher", f"Signature-{n}", seal=n == signatures) for n in range(1, signatures + 1))
    return Workflow(f"many/{signatures}", tuple(steps))


def _record(number: int) -> Record:
    mark = hashlib.sha256(str(number).encode()).digest()
    record = make_record(f"HB-2026-SM-9A-{number:04}")
    content = record.content
    years = tuple(
        replace(
            year,
            remark=_REMARKS[(mark[1] + place) % len(_REMARKS)],
            marks=tuple(replace(one, hk1=f"{5 + mark[place] % 5}.{mark[place + 2] % 10}") for one in year.marks),
        )
        for place, year in enumerate(content.years)
    )
    student = replace(content.student, name=_NAMES[mark[3] % len(_NAMES)])
    school = RecordSchool(SCHOOL_IDENTIFIER, SCHOOL, "Thành phố Hà Nội")
    return replace(record, school=school, content=replace(content, student=student, years=years))


def _appearance(person: Credential) -> Appearance:
    return Appearance(name=person.subject.common_name, role="Giáo viên", organization=SCHOOL)


def _signed_class(house: RecordHouse, unsigned: Sequence[bytes], workflow: Workflow, people: Sequence[Credential]) -> list[bytes]:
    signed = list(unsigned)
    clock = house.house.authority.clock
    for step, person in zip(workflow.steps, people, strict=True):
        moment = clock.moment
        for place, document in enumerate(signed):
            clock.moment = moment
            signed[place] = house.sign(document, "homeroom", person, field=step.field, appearance=_appearance(person))
    moment = clock.moment
    for place, document in enumerate(signed):
        clock.moment = moment
        signed[place] = house.archive(document)
    return signed
