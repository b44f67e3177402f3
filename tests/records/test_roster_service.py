"""Imports that are kept, and everybody enrolled who may be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pki.registration.approval import NotApprovedError, OtherDigestError
from records.blocked import BlockedReason
from records.enrolment import activation_kdf
from records.errors import NotFoundError
from records.roster import RosterFile
from records.roster_service import RosterService
from records.sample import sample_roster
from tests.support.authority import make_authority
from tests.support.record_stores import MemoryHolderKeys, MemoryRoster
from tests.support.registration import approved, memory_registration

HEADER = "student_id,school_id,class_name,surname,given_name,sex,birth_date,birth_place,code_scheme,personal_code\n"
SCHOOLS = RosterFile("schools.csv", b"school_id,identifier,name,short_name,locality,country\nSM,NTRVN-0109999001,Sao Mai,,HN,VN\n")


@pytest.fixture(scope="module")
def authority():
    return make_authority()


@pytest.fixture
def service(authority):
    return RosterService(MemoryRoster(), authority.keys, authority.clock)


def students(*rows: str) -> RosterFile:
    return RosterFile("students.csv", (HEADER + "\n".join(rows)).encode())


def pupil(student_id: str, code: str = "001311000001") -> str:
    return f"{student_id},SM,9A,Nguyễn,Bảo Ngọc,female,2011-03-09,Hà Nội,,{code}"


def test_an_import_is_kept_with_its_codes_encrypted(service):
    service.import_files(schools=SCHOOLS, students=students(pupil("s1")))
    assert service.roster.students()[0].code is None
    assert b"001311000001" not in service.roster.wrapped_code("s1")
    assert service.person("s1").code.value == "001311000001"


def test_a_broken_row_keeps_the_whole_import_out(service):
    result = service.import_files(schools=SCHOOLS, students=students(pupil("s1"), "s2,SM"))
    assert len(result.errors) == 1
    assert service.roster.schools() == ()


def test_broken_rows_are_left_out_where_that_is_asked_for(service):
    service.import_files(schools=SCHOOLS, students=students(pupil("s1"), "s2,SM"), without_broken_rows=True)
    assert [student.id for student in service.roster.students()] == ["s1"]


def test_a_later_import_finds_the_school_in_the_books(service):
    service.import_files(schools=SCHOOLS)
    assert service.import_files(students=students(pupil("s1"))).errors == ()


def test_a_later_import_finds_the_code_that_somebody_holds(service):
    service.import_files(schools=SCHOOLS, students=students(pupil("s1")))
    result = service.import_files(students=students(pupil("s2")))
    assert [(entry.person.id, entry.reason) for entry in result.blocked] == [("s2", BlockedReason.DUPLICATE_CODE)]


def test_a_corrected_row_lifts_the_block(service):
    service.import_files(schools=SCHOOLS, students=students(pupil("s1", "")))
    assert [entry.reason for entry in service.roster.blocked()] == [BlockedReason.MISSING_CODE]
    service.import_files(students=students(pupil("s1")))
    assert service.roster.blocked() == ()


def test_somebody_unknown_is_not_found(service):
    with pytest.raises(NotFoundError, match="nobody is not in the roster"):
        service.person("nobody")


def test_everybody_who_may_be_is_enrolled_once(service, authority):
    sample = sample_roster()
    service.import_files(
        schools=RosterFile("schools.csv", sample.schools_csv),
        teachers=RosterFile("teachers.csv", sample.teachers_csv),
        students=RosterFile("students.csv", sample.students_csv),
    )
    holder_keys, issuing = MemoryHolderKeys(), authority.established.issuing
    registration = memory_registration(authority.keys, authority.clock)
    people = service.waiting(holder_keys=holder_keys, school_id="HB")
    approval = approved(registration, service.enrolment_request(people, authority=issuing))
    done = list(
        service.enrol_all(
            people, authority=issuing, holder_keys=holder_keys, kdf=activation_kdf(), registration=registration, approval=approval
        )
    )
    # 13 staff without two administrators, 45 pupils without six blocked
    assert [result for result in done if not hasattr(result, "certificate")] == []
    assert len(done) == 11 + 39
    assert not {entry.person.id for entry in service.roster.blocked()} & {result.holder for result in done}
    assert service.waiting(holder_keys=holder_keys, school_id="HB") == []


@pytest.fixture
def enrol_all(service, authority):
    """Two pupils; `enrol_all(people, approval)`."""
    service.import_files(schools=SCHOOLS, students=students(pupil("s1"), pupil("s2", "001311000002")))
    registration, issuing = memory_registration(authority.keys, authority.clock), authority.established.issuing

    def run(people, asked_for=None):
        approval = approved(registration, service.enrolment_request(asked_for, authority=issuing)) if asked_for else None
        return list(
            service.enrol_all(
                people,
                authority=issuing,
                holder_keys=MemoryHolderKeys(),
                kdf=activation_kdf(),
                registration=registration,
                approval=approval,
            )
        )

    return run


def test_many_at_once_are_enrolled_by_nobody_alone(service, enrol_all):
    with pytest.raises(NotApprovedError, match="batch/2: a second person must approve this bulk"):
        enrol_all(list(service.people_to_enrol()))


def test_an_approval_is_for_just_the_people_whom_it_names(service, enrol_all):
    everybody = list(service.people_to_enrol())
    with pytest.raises(OtherDigestError, match="approves another person"):
        enrol_all(everybody, asked_for=everybody[:1])


def test_an_approval_falls_where_the_roster_changed_since(service, enrol_all):
    everybody = list(service.people_to_enrol())
    changed = [everybody[0], replace(everybody[1], given_name="Bảo Anh")]
    with pytest.raises(OtherDigestError, match="approves another bulk"):
        enrol_all(changed, asked_for=everybody)


def test_one_person_at_a_counter_needs_no_second(service, enrol_all):
    (done,) = enrol_all(list(service.people_to_enrol())[:1])
    assert done.holder == "s1"
