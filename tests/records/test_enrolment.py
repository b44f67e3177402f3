"""From the roster to certificates and keys that only their holders open."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from pki.errors import WrongSecretError
from pki.identity.codes import IdentityError
from pki.identity.commitment import CommitmentError, confirm
from pki.keys.holderkey import KeyClosedError
from pki.keys.kdf import KdfParameters, KeyDerivation
from pki.keys.pin import Pin, new_activation_code
from pki.ports import CertificateState
from pki.registration.approval import NotApprovedError, OtherDigestError, Redeemed, UnknownRequestError
from records.codes import unwrap_code, wrap_code
from records.enrolment import activation_kdf, enrol, enrol_seal, seal_holder, seal_label, seal_request
from records.errors import EnrolmentError, NotFoundError, PinLockedError
from records.holder import Holders
from records.person import PersonalCode, Role, School, Sex, Student, Teacher
from records.pin_gate import PinGate
from records.state import Actor
from tests.support.authority import make_authority
from tests.support.record_stores import MemoryHolderKeys, MemoryPinAttempts
from tests.support.registration import PINS, approved, memory_registration

SM = School("SM", "NTRVN-0109999001", "Trường THCS Sao Mai", "Trường THCS Sao Mai", "Hà Nội")
TEACHER = Teacher(
    "SM-GV04", "SM", "Đỗ", "Hoàng Nam", Sex.MALE, date(1988, 3, 3), Role.TEACHER, "9A", PersonalCode("vn-pid", "001088000001")
)
PUPIL = Student(
    "SM-9A-01", "SM", "9A", "Nguyễn", "Bảo Ngọc", Sex.FEMALE, date(2011, 3, 9), "Hà Nội", PersonalCode("vn-pid", "001311000001")
)
PIN = Pin("con mèo béo 7")


@pytest.fixture(scope="module")
def authority():
    return make_authority()


@pytest.fixture
def holders(authority):
    kdf = KeyDerivation(KdfParameters(time_cost=1, memory_kib=64, lanes=1))
    return Holders(MemoryHolderKeys(), authority.keys, kdf, PinGate(MemoryPinAttempts(), authority.clock), authority.store, authority.clock)


@pytest.fixture
def enrolled(authority, holders):
    def run(who, school=SM):
        return enrol(
            who,
            school,
            authority=authority.established.issuing,
            keys=authority.keys,
            holder_keys=holders.holder_keys,
            kdf=activation_kdf(),
            clock=authority.clock,
        )

    return run


def subject(der: bytes) -> dict[str, str]:
    return {part.oid.dotted_string: str(part.value) for part in x509.load_der_x509_certificate(der).subject}


def test_a_teacher_is_named_plainly_with_the_school(enrolled):
    names = subject(enrolled(TEACHER).certificate.certificate_der)
    assert names[NameOID.COMMON_NAME.dotted_string] == "Đỗ Hoàng Nam"
    assert names[NameOID.SERIAL_NUMBER.dotted_string] == "PNOVN-001088000001"
    assert names[NameOID.ORGANIZATION_IDENTIFIER.dotted_string] == "NTRVN-0109999001"


def test_a_principal_gets_the_principals_profile(enrolled):
    assert enrolled(replace(TEACHER, id="SM-GV01", role=Role.PRINCIPAL)).certificate.profile == "principal"


def test_a_pupils_certificate_names_neither_the_pupil_nor_the_code(enrolled):
    der = enrolled(PUPIL).certificate.certificate_der
    assert "Nguyễn".encode() not in der
    assert "Ngọc".encode() not in der
    assert b"001311000001" not in der


def test_a_pupil_with_pin_and_opening_can_prove_the_code(enrolled, holders):
    result = enrolled(PUPIL)
    holders.activate(PUPIL.id, result.activation_code, PIN)
    opening = holders.opening(PUPIL.id, PIN)
    assert confirm(result.certificate.certificate_der, code="001311000001", opening=opening).commitment == result.commitment
    with pytest.raises(CommitmentError, match="do not match"):
        confirm(result.certificate.certificate_der, code="001311000002", opening=opening)


def test_the_opening_is_for_who_knows_the_pin(enrolled, holders):
    holders.activate(PUPIL.id, enrolled(PUPIL).activation_code, PIN)
    with pytest.raises(WrongSecretError):
        holders.opening(PUPIL.id, Pin("con chó gầy 8"))


def test_a_teacher_has_no_opening(enrolled, holders):
    holders.activate(TEACHER.id, enrolled(TEACHER).activation_code, PIN)
    with pytest.raises(NotFoundError, match="names its holder plainly"):
        holders.opening(TEACHER.id, PIN)


def test_the_key_that_the_pin_opens_is_the_certificates(enrolled, holders):
    result = enrolled(TEACHER)
    holders.activate(TEACHER.id, result.activation_code, PIN)
    certificate = x509.load_der_x509_certificate(result.certificate.certificate_der)
    with holders.opened(TEACHER.id, PIN) as (found, key):
        assert found.certificate_der == result.certificate.certificate_der
        key.algorithm.verify(certificate.public_key(), key.sign(b"x"), b"x")


def test_the_activation_code_works_once(enrolled, holders):
    result = enrolled(TEACHER)
    holders.activate(TEACHER.id, result.activation_code, PIN)
    with pytest.raises(WrongSecretError, match="the key of SM-GV04 opens with its PIN"):
        holders.activate(TEACHER.id, result.activation_code, PIN)


def test_another_activation_code_opens_nothing(enrolled, holders):
    enrolled(TEACHER)
    with pytest.raises(WrongSecretError, match="does not open this key"):
        holders.activate(TEACHER.id, new_activation_code(), PIN)


def test_a_key_under_its_activation_code_does_not_sign(enrolled, holders):
    enrolled(TEACHER)
    with pytest.raises(WrongSecretError), holders.opened(TEACHER.id, PIN):
        pass


def test_a_changed_pin_replaces_the_old_one(enrolled, holders):
    holders.activate(TEACHER.id, enrolled(TEACHER).activation_code, PIN)
    holders.change_pin(TEACHER.id, PIN, Pin("con chó gầy 8"))
    with holders.opened(TEACHER.id, Pin("con chó gầy 8")):
        pass
    with pytest.raises(WrongSecretError), holders.opened(TEACHER.id, PIN):
        pass


def test_neither_code_nor_activation_code_shows_in_a_repr(enrolled):
    result = enrolled(PUPIL)
    assert result.activation_code.text not in repr(result)
    assert "001311000001" not in repr(PUPIL)


@pytest.mark.parametrize(
    ("who", "error", "message"),
    [
        (replace(PUPIL, code=None), EnrolmentError, "SM-9A-01 has no personal code and gets no certificate"),
        (replace(PUPIL, sex=Sex.MALE), IdentityError, "sex differs from the roster's"),
        (replace(TEACHER, role=Role.ADMINISTRATOR), EnrolmentError, "SM-GV04 is an administrator, who signs no records"),
        (replace(TEACHER, school_id="BL"), EnrolmentError, "SM-GV04 belongs to school BL, got SM"),
    ],
    ids=["no code", "wrong sex", "administrator", "other school"],
)
def test_who_may_not_have_a_certificate_gets_none(enrolled, authority, who, error, message):
    before = len(authority.store.entries)
    with pytest.raises(error, match=message):
        enrolled(who)
    assert len(authority.store.entries) == before


@pytest.fixture
def registration(authority):
    return memory_registration(authority.keys, authority.clock)


@pytest.fixture
def seal(authority, registration):
    def run(school, approval=None):
        issuing = authority.established.issuing
        approval = approval or approved(registration, seal_request(school, authority=issuing))
        return enrol_seal(school, authority=issuing, keys=authority.keys, approval=approval, registration=registration)

    return run


def test_a_schools_seal_stays_in_the_key_store(authority, seal):
    key, issued = seal(SM)
    assert subject(issued.certificate_der)[NameOID.ORGANIZATION_IDENTIFIER.dotted_string] == SM.identifier
    assert authority.keys.open(seal_label(SM)).public_key() == key.public_key()
    assert [entry.serial for entry in authority.store.of_holder(seal_holder(SM))] == [issued.serial]


def test_renewing_a_seal_keeps_its_key(seal):
    other = replace(SM, id="BL", identifier="NTRVN-0109999002")
    (first, one), (again, two) = seal(other), seal(other)
    assert first.public_key() == again.public_key()
    assert one.serial != two.serial


@pytest.fixture
def rekey(authority, registration):
    """A seal over a new key, as often as it is called with one approval."""
    issuing = authority.established.issuing

    def run(school, approval=None):
        approval = approval or approved(registration, seal_request(school, authority=issuing, new_key=True))
        given = {"authority": issuing, "keys": authority.keys, "approval": approval, "registration": registration}
        return enrol_seal(school, **given, new_key=True)

    return run


def test_a_seal_gets_another_key_where_that_was_approved(authority, seal, rekey):
    other = replace(SM, id="NK", identifier="NTRVN-0109999012")
    (first, one), (second, two), (third, three) = seal(other), rekey(other), seal(other)
    assert first.public_key() != second.public_key() == third.public_key()  # renewing keeps the newest
    assert [entry.state for entry in authority.store.of_holder(seal_holder(other))] == [CertificateState.ISSUED] * 3
    assert len({one.serial, two.serial, three.serial}) == 3


def test_an_approval_of_a_new_key_gives_one_key_however_often_it_is_shown(authority, registration, seal, rekey):
    other = replace(SM, id="NK2", identifier="NTRVN-0109999013")
    seal(other)
    approval = approved(registration, seal_request(other, authority=authority.established.issuing, new_key=True))
    found = [rekey(other, approval) for _ in range(3)]
    assert len({issued.serial for _, issued in found}) == 1
    assert len({key.public_key().public_numbers() for key, _ in found}) == 1


def test_an_approval_of_the_same_key_is_none_of_a_new_one(authority, registration, rekey):
    other = replace(SM, id="NK3", identifier="NTRVN-0109999014")
    approval = approved(registration, seal_request(other, authority=authority.established.issuing))
    with pytest.raises(OtherDigestError, match="approves another seal; ask again"):
        rekey(other, approval)


def test_an_approval_gives_one_seal_however_often_it_is_shown(authority, registration, seal):
    school = replace(SM, id="TN", identifier="NTRVN-0109999003")
    approval = approved(registration, seal_request(school, authority=authority.established.issuing))
    assert {seal(school, approval)[1].serial for _ in range(3)} == {seal(school, approval)[1].serial}


def test_a_seal_is_issued_for_what_was_approved_alone(authority, registration, seal):
    school = replace(SM, id="DA", identifier="NTRVN-0109999004")
    approval = approved(registration, seal_request(school, authority=authority.established.issuing))
    for other in (SM, replace(school, short_name="Trường khác")):
        with pytest.raises(OtherDigestError, match="approves another seal; ask again"):
            seal(other, approval)
    assert seal_label(school) not in authority.keys.labels()


def test_a_proof_that_the_books_do_not_know_seals_nothing(authority, registration, seal):
    school = replace(SM, id="DB", identifier="NTRVN-0109999005")
    order = seal_request(school, authority=authority.established.issuing)
    with pytest.raises(UnknownRequestError):
        seal(school, Redeemed("0" * 16, order, "RA-1", ("RA-2",), authority.clock()))
    request = registration.open(order, by="RA-1", secret=PINS["RA-1"])
    with pytest.raises(NotApprovedError, match="is open, expected redeemed"):
        seal(school, Redeemed(request.id, order, "RA-1", ("RA-2",), authority.clock()))
    assert authority.store.of_holder(seal_holder(school)) == ()


def test_ids_that_differ_only_in_case_have_seals_of_their_own():
    assert seal_label(SM) != seal_label(replace(SM, id="sm"))
    assert seal_label(SM).startswith("seal-sm-")


def test_a_wrapped_code_is_one_persons(authority):
    wrapped = wrap_code(PUPIL.code, person_id="a", keys=authority.keys)
    assert unwrap_code(wrapped, person_id="a", keys=authority.keys) == PUPIL.code
    with pytest.raises(WrongSecretError):
        unwrap_code(wrapped, person_id="b", keys=authority.keys)


def test_a_key_is_let_go_when_its_holders_session_ends(enrolled, holders):
    holders.activate(TEACHER.id, enrolled(TEACHER).activation_code, PIN)
    with holders.opened(TEACHER.id, PIN) as (_, key):
        key.sign(b"while it is open")
    with pytest.raises(KeyClosedError, match="the key was closed; enter the PIN again"):
        key.sign(b"afterwards")


def test_five_wrong_pins_of_any_kind_lock_the_key(enrolled, holders):
    holders.activate(PUPIL.id, enrolled(PUPIL).activation_code, PIN)
    other = Pin("con chó gầy 8")
    for use in (holders.opening, holders.opening, lambda holder, pin: holders.change_pin(holder, pin, other), holders.opening):
        with pytest.raises(WrongSecretError):
            use(PUPIL.id, other)
    with pytest.raises(PinLockedError), holders.opened(PUPIL.id, other):
        pass
    with pytest.raises(PinLockedError):
        holders.opening(PUPIL.id, PIN)


def test_administrator_and_holder_unlock_a_key_together(enrolled, holders):
    holders.activate(TEACHER.id, enrolled(TEACHER).activation_code, PIN)
    for _ in range(5):
        with pytest.raises((WrongSecretError, PinLockedError)), holders.opened(TEACHER.id, Pin("con chó gầy 8")):
            pass
    code = holders.grant_unlock(TEACHER.id, school="S", by=Actor("SM-GV02", Role.ADMINISTRATOR, "S"))
    holders.unlock(TEACHER.id, code, PIN)
    with holders.opened(TEACHER.id, PIN):
        pass
