"""What ends soon, and notices of it: once at each threshold, on both databases."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from config.errors import SettingsError
from config.expiry import expiry_thresholds, thresholds_from
from db.certificates import Certificates
from db.engine import Database
from db.expiry import PIECE, ExpiryNotices
from db.log import Log
from db.roster import Roster
from pki.issuing.expiry import Ending
from pki.ports import CertificateEntry, CertificateState
from records.person import Role, School, Sex, Teacher

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = (60, 30, 7)


def issue(database: Database, serial: int, holder: str, *, days: float, profile: str = "teacher") -> CertificateEntry:
    books = Certificates(database)
    entry = CertificateEntry(
        issuer="issuing",
        serial=serial,
        profile=profile,
        holder=holder,
        state=CertificateState.RECORDED,
        tbs_sha256=bytes(32),
        public_key_sha256=hashlib.sha256(holder.encode()).digest(),
        not_before=NOW - 300 * DAY,
        not_after=NOW + days * DAY,
        recorded_at=NOW - 300 * DAY,
    )
    books.record(entry)
    books.mark_issued("issuing", serial, certificate_der=b"der", at=NOW)
    return replace(entry, state=CertificateState.ISSUED, certificate_der=b"der", issued_at=NOW)


@pytest.fixture
def notices(database: Database) -> ExpiryNotices:
    return ExpiryNotices(database)


def ending(notices: ExpiryNotices, *, at: datetime = NOW, school_id: str | None = None) -> list[str]:
    return [each.entry.holder for each in notices.ending(at=at, by=at + 60 * DAY, school_id=school_id)]


def raise_due(notices: ExpiryNotices, at: datetime) -> list[tuple[str, int | None]]:
    found = notices.ending(at=at, by=at + 60 * DAY)
    due = [(each, days) for each in found if (days := each.notice(at, DAYS)) is not None]
    raised = notices.raise_notices(due, at=at)
    return [(each.entry.holder, each.notice(at, DAYS)) for each in raised]


def test_what_ends_within_the_time_is_listed_soonest_first(database: Database, notices: ExpiryNotices) -> None:
    for serial, days in enumerate((59, 5, 61, -1), 1):
        issue(database, serial, f"T{serial}", days=days)
    assert ending(notices) == ["T2", "T1"]


def test_what_has_a_successor_is_not_listed(database: Database, notices: ExpiryNotices) -> None:
    issue(database, 1, "T1", days=5)
    issue(database, 2, "T1", days=700)
    assert ending(notices) == []


def test_a_successor_that_was_revoked_or_is_of_another_profile_does_not_count(database: Database, notices: ExpiryNotices) -> None:
    issue(database, 1, "T1", days=5)
    issue(database, 2, "T1", days=700)
    issue(database, 3, "T1", days=700, profile="principal")
    Certificates(database).mark_revoked("issuing", 2, reason="superseded", at=NOW)
    assert ending(notices) == ["T1"]


def test_a_revoked_certificate_does_not_end_and_a_suspended_one_does(database: Database, notices: ExpiryNotices) -> None:
    issue(database, 1, "T1", days=5)
    issue(database, 2, "T2", days=5)
    Certificates(database).mark_revoked("issuing", 1, reason="superseded", at=NOW)
    Certificates(database).mark_suspended("issuing", 2, at=NOW)
    assert ending(notices) == ["T2"]


def test_each_knows_its_school_and_the_authoritys_own_have_none(database: Database, notices: ExpiryNotices) -> None:
    school = School("SM", "NTRVN-0109999001", "Trường mẫu", "Trường mẫu", "Hà Nội", "VN")
    teacher = Teacher("T1", "SM", "Đỗ", "Nam", Sex.MALE, date(1988, 3, 3), Role.TEACHER, None, None)
    Roster(database).save(schools=[school], people=[teacher], blocked=[], wrap=lambda who: None, at=NOW)
    issue(database, 1, "T1", days=5)
    issue(database, 2, "seal/SM", days=6, profile="school-seal")
    issue(database, 3, "authority/tsa", days=7, profile="tsa")
    found = notices.ending(at=NOW, by=NOW + 60 * DAY)
    assert [(each.school_id, each.is_own, each.days_left(NOW)) for each in found] == [("SM", False, 5), ("SM", False, 6), (None, True, 7)]
    assert ending(notices, school_id="SM") == ["T1", "seal/SM"]


def test_a_notice_is_raised_once_at_each_threshold(database: Database, notices: ExpiryNotices) -> None:
    issue(database, 1, "T1", days=100)
    told = [(day, said) for day in range(101) if (said := raise_due(notices, NOW + day * DAY))]
    assert told == [(40, [("T1", 60)]), (70, [("T1", 30)]), (93, [("T1", 7)])]


def test_who_looks_late_is_told_the_tightest_threshold_alone(database: Database, notices: ExpiryNotices) -> None:
    issue(database, 1, "T1", days=3)
    assert raise_due(notices, NOW) == [("T1", 7)]
    assert raise_due(notices, NOW) == []


def test_a_notice_stands_in_the_log(database: Database, notices: ExpiryNotices) -> None:
    entry = issue(database, 255, "T1", days=29)
    raise_due(notices, NOW)
    (*_, last) = Log(database).entries()
    assert (last.kind, last.subject) == ("certificate.expiry-noticed", "certificate/issuing/ff")
    assert last.details == {"days": 30, "ends": entry.not_after.isoformat()}


def test_two_who_look_at_once_raise_one_notice(database: Database) -> None:
    issue(database, 1, "T1", days=29)
    with ThreadPoolExecutor(6) as pool:
        raised = list(pool.map(lambda _: raise_due(ExpiryNotices(database), NOW), range(6)))
    assert sum(map(len, raised)) == 1
    assert [entry.kind for entry in Log(database).entries()].count("certificate.expiry-noticed") == 1


# --- the policy -------------------------------------------------------------------------------------------------------------------


def test_the_house_gives_notice_three_times() -> None:
    assert expiry_thresholds() == DAYS


@pytest.mark.parametrize("days", [None, [], [0], [1.5], ["7"], [True], [4000], 7])
def test_another_policy_is_refused(days: object) -> None:
    with pytest.raises(SettingsError, match="days must be a list of numbers from 1 to 3650"):
        thresholds_from(days)


def test_the_days_may_stand_in_any_order() -> None:
    assert thresholds_from([7, 60, 30, 7]) == DAYS


def test_a_threshold_passes_with_its_last_moment() -> None:
    entry = CertificateEntry("issuing", 1, "teacher", "T1", CertificateState.ISSUED, bytes(32), bytes(32), NOW, NOW + 7 * DAY, NOW)
    one = timedelta(microseconds=1)
    assert [Ending(entry, None).notice(at, DAYS) for at in (NOW - one, NOW, NOW + one)] == [30, 7, 7]


def test_more_notices_than_one_statement_takes_are_each_raised_once(database: Database, notices: ExpiryNotices) -> None:
    for serial in range(1, PIECE + 4):
        issue(database, serial, f"T{serial}", days=20)
    assert raise_due(notices, NOW) == [(f"T{serial}", 30) for serial in range(1, PIECE + 4)]
    assert raise_due(notices, NOW) == []


def test_what_ends_is_listed_without_the_octets_of_the_certificates(database: Database, notices: ExpiryNotices) -> None:
    issue(database, 1, "T1", days=5)
    (found,) = notices.ending(at=NOW, by=NOW + 60 * DAY)
    assert (found.entry.certificate_der, found.entry.serial) == (None, 1)
