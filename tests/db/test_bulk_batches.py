"""Batches from files to the end: who comes in, who is refused, what an approval covers. On both databases."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from config.registration import registration_policy
from db.engine import Database
from db.log import Log
from db.officers import Officers as OfficerBooks
from db.registration import Requests
from db.tables_bulk import bulk_people
from db.tables_log import log_entries
from pki.errors import BlockedKeyError, WeakKeyError
from pki.keys.kdf import KeyDerivation
from pki.keys.weak_keys import refuse_weak_key
from pki.ports import CertificateState
from records.bulk import BatchState, BulkError, ChunkState, Refusal
from records.bulk_desk import bulk_order, members, require_unchanged
from records.bulk_making import Job, Made, NotMade, Terms
from records.bulk_workshop import OwnWorkshop
from records.errors import NotFoundError
from records.officers import Officers
from records.registration import Registration
from records.roster import RosterFile
from tests.support.bulk_cases import bulk_files, codes_of
from tests.support.bulk_room import BulkRoom, make_bulk_room
from tests.support.registration import OFFICER, PINS, QUICK, SECOND, add_officers


@pytest.fixture
def room(database: Database, tmp_path: Path) -> BulkRoom:
    return make_bulk_room(database, tmp_path)


def registration_of(room: BulkRoom) -> Registration:
    """With two officers, over the room's database."""
    officers = Officers(OfficerBooks(room.database), room.keys, KeyDerivation(QUICK), room.clock)
    add_officers(officers)
    return Registration(Requests(room.database), officers, registration_policy(), room.clock)


def with_cell(file: RosterFile, row: int, old: str, new: str) -> RosterFile:
    lines = file.data.decode("utf-8-sig").splitlines()
    assert old in lines[row]
    lines[row] = lines[row].replace(old, new)
    return RosterFile(file.name, "\n".join(lines).encode("utf-8-sig"))


def test_everybody_of_the_files_gets_a_certificate_in_their_name(room: BulkRoom) -> None:
    batch = room.started(7, chunk=3)
    room.finish(batch)
    progress = room.store.progress(batch.id)
    assert (progress.issued, progress.refused, progress.waiting, progress.chunks_done) == (7, 0, 0, 3)
    assert room.store.get(batch.id).state is BatchState.DONE
    for line in room.sheet_lines():
        (entry,) = room.certificates.of_holder(line["holder"])
        assert (entry.state, entry.profile) == (CertificateState.ISSUED, "teacher")
    kinds = [entry.kind for entry in Log(room.database).of_subject(f"bulk/{batch.id}")]
    assert kinds == ["bulk.submitted", "bulk.started", "bulk.finished"]


def test_who_is_blocked_or_signs_nothing_stays_out_and_is_told(room: BulkRoom) -> None:
    schools, teachers = bulk_files(5)
    teachers = with_cell(teachers, 2, ",teacher,", ",administrator,")
    code = codes_of(teachers)[2]
    teachers = with_cell(teachers, 3, code, code[:-1])
    submitted = room.desk.submit(by="RA-1", schools=schools, teachers=teachers)
    assert submitted.batch is not None
    assert submitted.batch.people == 3
    assert [(entry.person.id, entry.file, entry.row) for entry in submitted.imported.blocked] == [("GV000002", "teachers.csv", 4)]


def test_a_broken_row_keeps_the_batch_from_being_made_and_is_named_with_its_line(room: BulkRoom) -> None:
    schools, teachers = bulk_files(5)
    teachers = with_cell(teachers, 4, "GV000003", "GV 3")
    submitted = room.desk.submit(by="RA-1", schools=schools, teachers=teachers)
    assert submitted.batch is None
    assert [error.text for error in submitted.imported.errors] == [
        "teachers.csv row 5, column teacher_id: expected 1 to 64 letters, digits, points, hyphens or underscores; correct it"
    ]
    assert room.store.batches() == ()


def test_checking_files_keeps_nothing(room: BulkRoom) -> None:
    schools, teachers = bulk_files(5)
    checked = room.desk.check(schools=schools, teachers=teachers)
    assert (checked.people, checked.left_out) == (5, ())
    assert room.desk.roster.roster.schools() == ()


def test_nobody_waits_in_two_batches(room: BulkRoom) -> None:
    schools, teachers = bulk_files(3)
    first = room.desk.submit(by="RA-1", schools=schools, teachers=teachers).batch
    assert first is not None
    again = room.desk.submit(by="RA-1", teachers=teachers)
    assert again.batch is None
    assert again.left_out == tuple(
        Refusal(f"GV00000{number}", f"waits in batch {first.id} already; it ends, or an officer refuses its request") for number in range(3)
    )


@pytest.mark.parametrize("how", ["refused", "expired", "never asked for"])
def test_a_batch_that_can_start_no_more_holds_nobody_back(room: BulkRoom, how: str) -> None:
    schools, teachers = bulk_files(3)
    first = room.desk.submit(by="RA-1", schools=schools, teachers=teachers).batch
    assert first is not None
    registration = registration_of(room)
    if how != "never asked for":
        request = registration.open(bulk_order(first), by=OFFICER, secret=PINS[OFFICER])
        room.desk.requested(first.id, request.id)
    if how == "refused":
        registration.refuse(request.id, by=SECOND, secret=PINS[SECOND], reason="three of them have left")
    else:
        room.clock.moment += timedelta(days=8)
    again = room.desk.submit(by="RA-1", teachers=teachers)
    assert again.batch is not None
    assert again.batch.people == 3
    reason = "the batch was refused, or not approved in time"
    assert [refusal.reason for refusal in room.store.refusals(first.id)] == [reason] * 3
    assert {row[-2:] for row in members(first.id, room.store, at=room.clock())} == {("refused", reason)}
    assert Log(room.database).of_subject(f"bulk/{first.id}")[-1].kind == "bulk.lapsed"


def test_an_approved_batch_holds_its_people(room: BulkRoom) -> None:
    schools, teachers = bulk_files(3)
    first = room.desk.submit(by="RA-1", schools=schools, teachers=teachers).batch
    assert first is not None
    registration = registration_of(room)
    request = registration.open(bulk_order(first), by=OFFICER, secret=PINS[OFFICER])
    room.desk.requested(first.id, request.id)
    registration.approve(request.id, by=SECOND, secret=PINS[SECOND])
    room.clock.moment += timedelta(days=2)
    assert room.desk.submit(by="RA-1", teachers=teachers).batch is None


def test_a_store_refuses_a_second_batch_of_the_same_people_whoever_asks(room: BulkRoom) -> None:
    schools, teachers = bulk_files(3)
    first = room.desk.submit(by="RA-1", schools=schools, teachers=teachers).batch
    assert first is not None
    places = room.store.places(first.id, limit=10)
    with pytest.raises(
        BulkError,
        match=rf"some wait in another batch already: GV000000 \(batch {first.id}\), .*; let that batch end, or refuse its request",
    ):
        room.store.submit(replace(first, id="another"), places)


def test_who_has_a_certificate_in_force_is_left_out_of_the_next_batch(room: BulkRoom) -> None:
    room.finish(room.started(3))
    _, teachers = bulk_files(5)
    submitted = room.desk.submit(by="RA-1", teachers=teachers)
    assert submitted.batch is not None
    assert submitted.batch.people == 2
    assert {refusal.reason for refusal in submitted.left_out} == {"has a certificate in force; a new one is for `eduseal enrol --again`"}


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (",teacher,", ",principal,", "role"),
        ("GV000001,S00000", "GV000001,S00001", "school"),
        (None, None, "code"),
    ],
)
def test_somebody_whom_the_roster_describes_otherwise_by_now_is_refused_and_the_others_go_on(
    room: BulkRoom, old: str | None, new: str | None, what: str
) -> None:
    schools, teachers = bulk_files(60)
    batch = room.started(files=(schools, teachers))
    code = codes_of(teachers)[1]
    changed = with_cell(teachers, 2, old or code, new or code[:-2] + "98")
    room.desk.roster.import_files(schools=schools, teachers=changed)
    room.finish(batch)
    reason = "the roster says something else since the batch was submitted; submit a batch anew for them"
    assert room.store.refusals(batch.id) == (Refusal("GV000001", reason),), what
    assert room.store.progress(batch.id).issued == 59


def test_the_same_files_imported_again_change_nothing_for_a_batch_that_waits(room: BulkRoom) -> None:
    schools, teachers = bulk_files(4)
    batch = room.started(files=(schools, teachers))
    room.desk.roster.import_files(schools=schools, teachers=teachers)
    room.finish(batch)
    assert room.store.progress(batch.id).issued == 4


def test_somebody_blocked_since_is_refused(room: BulkRoom) -> None:
    schools, teachers = bulk_files(3)
    batch = room.started(files=(schools, teachers))
    room.desk.roster.import_files(teachers=with_cell(teachers, 1, codes_of(teachers)[0], ""))
    room.finish(batch)
    reason = "has been blocked since the batch was submitted; see `eduseal roster blocked`"
    assert room.store.refusals(batch.id) == (Refusal("GV000000", reason),)


@pytest.mark.parametrize("change", [{"person_id": "GV000009"}, {"facts": bytes(32)}, {"sheet": "00009-elsewhere"}])
def test_rows_changed_behind_the_approval_are_found(room: BulkRoom, change: dict[str, object]) -> None:
    batch = room.started(4)
    require_unchanged(batch, room.store)
    with room.database.writing() as connection:
        connection.execute(sa.update(bulk_people).where(bulk_people.c.position == 2).values(**change))
    with pytest.raises(BulkError, match=f"batch {batch.id}: its rows are not those that were submitted; nothing is issued from it"):
        require_unchanged(batch, room.store)


def test_a_row_taken_out_behind_the_approval_is_found(room: BulkRoom) -> None:
    batch = room.started(4)
    with room.database.writing() as connection:
        connection.execute(sa.delete(bulk_people).where(bulk_people.c.position == 3))
    with pytest.raises(BulkError, match="its rows are not those that were submitted"):
        require_unchanged(batch, room.store)


def test_what_officers_approve_is_the_batch_by_its_digest(room: BulkRoom) -> None:
    batch = room.started(4)
    order = bulk_order(batch)
    assert (order.kind.value, order.reference, order.digest) == ("bulk", f"bulk/{batch.id}", batch.digest)


def test_a_batch_starts_once(room: BulkRoom) -> None:
    batch = room.started(4)
    with pytest.raises(BulkError, match=f"batch {batch.id} has been started before; `eduseal bulk resume {batch.id}` carries it on"):
        room.store.start(batch.id, sheets="elsewhere", workflow_id="other", at=room.clock())


def test_a_batch_with_an_open_chunk_does_not_end(room: BulkRoom) -> None:
    batch = room.started(4, chunk=2)
    room.worker(batch).issue_chunk(0)
    with pytest.raises(BulkError, match=f"batch {batch.id}: chunk 1 is not done"):
        room.store.finish(batch.id, at=room.clock())


def test_an_unknown_batch_is_named(room: BulkRoom) -> None:
    with pytest.raises(NotFoundError, match="there is no bulk batch nowhere; `eduseal bulk status` lists them"):
        room.store.get("nowhere")


def test_each_issued_certificate_is_logged_as_recorded_and_as_issued(room: BulkRoom) -> None:
    room.finish(room.started(4))
    with room.database.reading() as connection:
        kinds = connection.execute(sa.select(log_entries.c.kind).where(log_entries.c.kind.like("certificate.%"))).scalars().all()
    assert (kinds.count("certificate.recorded"), kinds.count("certificate.issued")) == (4, 4)


def test_keys_that_the_authority_refuses_are_certified_for_nobody(room: BulkRoom) -> None:
    def refuse(_: object) -> None:
        raise WeakKeyError("listed", "weak key (listed): it is on the blocklist of the test")

    batch = room.started(2)
    workshop = OwnWorkshop(Terms.of(room.authority, key_check=lambda: refuse))
    room.worker(batch, workshop=workshop).issue_chunk(0)
    reasons = [refusal.reason for refusal in room.store.refusals(batch.id)]
    assert reasons == ["weak key (listed): it is on the blocklist of the test"] * 2


def test_a_key_that_was_reported_is_not_recorded(room: BulkRoom) -> None:
    batch = room.started(2)
    worker = room.worker(batch, workshop=Blocking(room, OwnWorkshop(Terms.of(room.authority, key_check=lambda: refuse_weak_key))))
    with pytest.raises(BlockedKeyError, match="was reported as compromised and is never certified again"):
        worker.issue_chunk(0)
    assert room.store.chunk(batch.id, 0).state is ChunkState.WAITING


class Blocking:
    """A workshop whose first key is reported as compromised as soon as it is made."""

    def __init__(self, room: BulkRoom, inner: OwnWorkshop) -> None:
        self._room, self._inner = room, inner

    def begin(self, jobs: Sequence[Job], *, at: datetime) -> Future[list[Made | NotMade]]:
        made = self._inner.begin(jobs, at=at)
        first = made.result()[0]
        assert isinstance(first, Made)
        self._room.certificates.block_key(first.prepared.public_key_sha256, reason="keyCompromise", at=at)
        return made
