"""A record that every subject teacher signs, with the house that signs it: certification, fifteen approvals, B-LTA."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from certs import loader
from records.export import step_label
from records.look import school_look
from signing.applying.appearance import AppearanceRenderer
from signing.applying.archive import archive
from signing.applying.sign import SignatureRequest, sign
from signing.workflow import Step, Workflow
from tests.support.authority import MOMENT, SCHOOL, Credential
from tests.support.signing_cases import SigningHouse, make_signing_house
from tests.support.verify_cases import exported

SUBJECTS = Workflow.from_mapping(loader.load("policies", "workflow-school-record-subjects"))
VERIFY_PAGE = "https://records.example/verify"
TEACHERS = (
    *("Nguyễn Thị Ánh", "Trần Quốc Bảo", "Phạm Thu Cúc", "Đỗ Hoàng Nam", "Vũ Thị Kim Oanh", "Bùi Xuân Phúc", "Đặng Minh Quân"),
    *("Hoàng Thị Như Quỳnh", "Ngô Sỹ Tùng", "Phan Thị Uyên", "Lý Khánh Vy", "Trịnh Công Ý", "Nguyễn Thị Thanh Huyền"),
)
"""Twelve subject teachers and the homeroom teacher, each with a certificate of their own."""


@dataclass(frozen=True)
class SubjectHouse:
    """A signing house with a teacher for each subject of :data:`SUBJECTS`. A minute passes with each signature where `minutes` says so."""

    house: SigningHouse
    minutes: bool = True
    renderer: AppearanceRenderer = field(default_factory=AppearanceRenderer)

    @cached_property
    def signers(self) -> dict[str, Credential]:
        """By step id. The school certifies with another certificate than it seals with: pdfsig (NSS keeps what it could not fetch) says
        "Unknown issue with Certificate" of a certificate that signs one document twice."""
        names = iter(TEACHERS)
        taught = {step.id: self.house.authority.issue_teacher(next(names)) for step in SUBJECTS.steps if step.role == "teacher"}
        return {**taught, "export": self.house.authority.issue_seal(), "principal": self.house.principal, "seal": self.house.seal}

    def request(self, step: Step) -> SignatureRequest:
        signer = self.signers[step.id]
        organization = "" if step.role == "school-seal" else SCHOOL
        return SignatureRequest(
            field=step.field,
            certificate_der=signer.certificate_der,
            chain=self.house.chain,
            key=signer.key,
            claimed_time=self.house.authority.clock(),
            appearance=school_look(signer.subject.common_name, role=step_label(step), organization=organization, verify_url=VERIFY_PAGE),
            certifies=step.certifies,
        )

    def sign(self, document: bytes, step: Step) -> bytes:
        """The document with the step's signature, time-stamped."""
        signed = sign(document, self.request(step), time_stamper=self.house.tsa, renderer=self.renderer)
        if self.minutes:
            self.house.authority.advance(seconds=60)
        return signed

    def stages(self) -> Iterator[tuple[Step, bytes]]:
        """Every step in the workflow's order, with the document that carries it."""
        document = exported(workflow=SUBJECTS)
        for step in SUBJECTS.steps:
            document = self.sign(document, step)
            yield step, document

    def archive(self, document: bytes) -> bytes:
        archived = archive(document, time_stamper=self.house.tsa, validation=self.house.evidence)
        if self.minutes:
            self.house.authority.advance(seconds=60)
        return archived

    def record(self) -> bytes:
        """Certified, signed by fifteen, B-LTA."""
        *_, (_, signed) = self.stages()
        return self.archive(signed)


def make_subject_house(at: datetime = MOMENT, *, minutes: bool = True) -> SubjectHouse:
    return SubjectHouse(make_signing_house(at), minutes)
