"""One record, its people and a moment, for the tests of `records`."""

from __future__ import annotations

from datetime import UTC, date, datetime

from records.lifecycle import record_signature
from records.person import Role, Sex
from records.record import Attendance, Record, RecordContent, RecordSchool, RecordStudent, SchoolYear, SubjectMarks, TermAssessment
from records.state import Actor, RecordState

NOW = datetime(2026, 5, 28, 3, 0, tzinfo=UTC)
SCHOOL = "NTRVN-0109999001"
TEACHER = Actor("SM-GV04", Role.TEACHER, SCHOOL)
PRINCIPAL = Actor("SM-GV01", Role.PRINCIPAL, SCHOOL)
REGISTRAR = Actor("SM-GV02", Role.ADMINISTRATOR, SCHOOL)
OTHER_REGISTRAR = Actor("SM-GV03", Role.ADMINISTRATOR, SCHOOL)
SEAL = Actor("seal/SM", Role.SCHOOL_SEAL, SCHOOL)
PUPIL = Actor("SM-9A-01", Role.STUDENT, SCHOOL)
STRANGER = Actor("BL-GV02", Role.ADMINISTRATOR, "NTRVN-0109999002")
SIGNERS = {"homeroom": TEACHER, "principal": PRINCIPAL, "seal": SEAL}


def make_year(year: str = "2025-2026", *, maths: str = "8.5", remark: str = "Em chăm ngoan.") -> SchoolYear:
    marks = (
        SubjectMarks("Toán", maths, "9.0", "8.8"),
        SubjectMarks("Ngữ văn", "7.5", None, None),
        SubjectMarks("Giáo dục thể chất", "Đ", "Đ", "Đ"),
    )
    good = TermAssessment("Tốt", "Tốt")
    return SchoolYear(
        year, int(year[:4]) - 2016, "9A", "Đỗ Hoàng Nam", marks, good, good, good, Attendance(1, 0), "Được lên lớp", remark, "Học sinh Giỏi"
    )


def make_content(*, maths: str = "8.5", remark: str = "Em chăm ngoan.") -> RecordContent:
    student = RecordStudent("SM-9A-01", "Nguyễn Trần Bảo Ngọc", date(2011, 3, 9), Sex.FEMALE, "Hà Nội", "ab" * 32)
    return RecordContent(student, (make_year("2024-2025"), make_year(maths=maths, remark=remark)))


def make_record(record_id: str = "HB-2026-SM-9A-01") -> Record:
    return Record(record_id, 1, RecordSchool(SCHOOL, "Trường THCS Sao Mai (dữ liệu mẫu)", "Thành phố Hà Nội"), NOW, make_content())


def signed_to(state: RecordState, last: str) -> RecordState:
    """Signs the working version step by step, up to and including `last`."""
    while (step := state.next_step) is not None:
        state, _ = record_signature(state, step.id, by=SIGNERS[step.id], at=NOW, document_sha256="00" * 32)
        if step.id == last:
            break
    return state
