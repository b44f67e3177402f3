"""A process that works on a bulk batch dies between any two moves, or sleeps through its replacement (docs/adr/0012-bulk-issuance.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from db.engine import Database
from db.log import Log
from db.tables import certificates
from pki.errors import PkiError
from pki.keys.holderkey import rewrap
from pki.keys.pin import ActivationCode, Pin
from pki.ports import CertificateState
from records.bulk import Batch, ChunkState, SupersededError
from records.enrolment import activation_kdf
from tests.support.bulk_room import BulkRoom, Crash, DyingAt, make_bulk_room

PEOPLE, CHUNK = 12, 5


@pytest.fixture
def room(database: Database, tmp_path: Path) -> BulkRoom:
    return make_bulk_room(database, tmp_path)


@pytest.fixture
def batch(room: BulkRoom) -> Batch:
    return room.started(PEOPLE, chunk=CHUNK)


MOMENTS = {
    "before the record": ("store", "record", False),
    "after the record": ("store", "record", True),
    "after the sheets": ("sheets", "write", True),
    "before the signature": ("store", "require_recorded", True),
    "before the issue": ("store", "issue", False),
    "after the issue": ("store", "issue", True),
    "after the sheets have names": ("sheets", "publish", True),
    "before the chunk is done": ("store", "done", False),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_crash_at_any_moment_leaves_everybody_with_one_certificate_and_one_code(room: BulkRoom, batch: Batch, moment: str) -> None:
    part, method, after = MOMENTS[moment]
    dying = DyingAt(room.store if part == "store" else room.folder, method, after=after, call=2)
    worker = room.worker(batch, **{part: dying})
    first, second, third = room.store.open_chunks(batch.id)
    worker.issue_chunk(first)
    with pytest.raises(Crash):
        worker.issue_chunk(second)
    assert third in room.store.open_chunks(batch.id)

    room.finish(batch)

    require_one_each(room, PEOPLE)
    assert room.parts() == []


def test_what_a_crash_left_recorded_is_revoked_and_logged(room: BulkRoom, batch: Batch) -> None:
    with pytest.raises(Crash):
        room.worker(batch, store=DyingAt(room.store, "issue", after=False)).issue_chunk(0)
    abandoned = [entry.serial for entry in of_everybody(room) if entry.state == "recorded"]
    assert len(abandoned) == CHUNK
    room.finish(batch)
    for serial in abandoned:
        entry = room.certificates.get("issuing", serial)
        assert entry is not None
        assert (entry.state, entry.revocation_reason) == (CertificateState.REVOKED, "cessationOfOperation")
        kinds = [each.kind for each in Log(room.database).of_subject(f"certificate/issuing/{serial:x}")]
        assert kinds == ["certificate.recorded", "certificate.revoked"]


def test_a_sleeper_that_wakes_after_its_chunk_was_taken_over_issues_nothing(room: BulkRoom, batch: Batch) -> None:
    def meanwhile() -> None:
        room.worker(batch).issue_chunk(0)

    sleeper = room.worker(batch, sheets=Sleeping(room.folder, meanwhile))
    with pytest.raises(SupersededError, match=f"batch {batch.id}, chunk 0: another process has taken it over"):
        sleeper.issue_chunk(0)
    room.finish(batch)
    require_one_each(room, PEOPLE)


def test_two_at_one_chunk_at_the_same_moment_record_one_after_the_other(room: BulkRoom, batch: Batch) -> None:
    seen = room.store.chunk(batch.id, 0)
    room.store.record(seen, "a" * 32, [], [], at=room.clock())
    with pytest.raises(SupersededError, match="another process has taken it over"):
        room.store.record(seen, "b" * 32, [], [], at=room.clock())
    assert room.store.chunk(batch.id, 0).attempt == "a" * 32


def test_a_certificate_that_somebody_got_meanwhile_keeps_the_chunk_back_and_the_person_is_refused(room: BulkRoom, batch: Batch) -> None:
    def meanwhile() -> None:
        enrol_by_hand(room, "GV000002")

    with pytest.raises(SupersededError, match="GV000002 has got another certificate meanwhile"):
        room.worker(batch, sheets=Sleeping(room.folder, meanwhile)).issue_chunk(0)
    room.finish(batch)
    assert [refusal.person_id for refusal in room.store.refusals(batch.id)] == ["GV000002"]
    in_force = Counter(entry.holder for entry in of_everybody(room) if entry.state == "issued")
    assert (len(in_force), set(in_force.values())) == (PEOPLE, {1})


def test_certificates_that_were_revoked_before_they_were_signed_are_not_signed(room: BulkRoom, batch: Batch) -> None:
    def meanwhile() -> None:
        for entry in of_everybody(room):
            room.authority.revoke(entry.serial)

    signed = list[bytes]()
    with pytest.raises(SupersededError, match="do not stand recorded as they were prepared"):
        room.worker(batch, sheets=Sleeping(room.folder, meanwhile), authority=Listening(room, signed)).issue_chunk(0)
    assert signed == []
    room.finish(batch)
    require_one_each(room, PEOPLE)


def test_a_finished_batch_does_nothing_when_repeated(room: BulkRoom, batch: Batch) -> None:
    room.finish(batch)
    before = Log(room.database).size()
    assert room.worker(batch).issue_chunk(0) == 0
    room.store.finish(batch.id, at=room.clock())
    assert Log(room.database).size() == before
    assert room.store.chunk(batch.id, 0).state is ChunkState.DONE


class Sleeping:
    """A folder of sheets at which the process sleeps, right after it wrote, while others do something."""

    def __init__(self, inner: object, meanwhile: Callable[[], None]) -> None:
        self._inner, self._meanwhile = inner, meanwhile

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        if name == "write":
            return self._write
        return getattr(self._inner, name)

    def _write(self, *arguments: object) -> None:
        self._inner.write(*arguments)  # type: ignore[attr-defined]
        self._meanwhile()


class Listening:
    """An authority whose press tells what it signs."""

    def __init__(self, room: BulkRoom, signed: list[bytes]) -> None:
        self.press = self
        self._press, self._signed = room.authority.press, signed

    def sign(self, tbs_der: bytes) -> bytes:
        self._signed.append(tbs_der)
        return self._press.sign(tbs_der)


def of_everybody(room: BulkRoom) -> list[sa.Row]:  # type: ignore[type-arg]
    with room.database.reading() as connection:
        return list(connection.execute(sa.select(certificates).where(certificates.c.holder.like("GV%"))))


def enrol_by_hand(room: BulkRoom, holder: str) -> None:
    """What `eduseal enrol` leaves of a certificate."""
    serial = room.house.issue_teacher("Trần Thị Hoa", code="001185000001").serial
    entry = room.house.store.entries["issuing", serial]
    with room.database.writing() as connection:
        connection.execute(sa.insert(certificates), [{**entry.__dict__, "state": entry.state.value, "holder": holder}])


def require_one_each(room: BulkRoom, people: int) -> None:
    """One certificate in force, one key and one line of a sheet for each, and the line's code opens the key."""
    issued = {entry.holder: entry for entry in of_everybody(room) if entry.state == "issued"}
    assert Counter(entry.state for entry in of_everybody(room))["issued"] == len(issued) == people
    lines = {line["holder"]: line for line in room.sheet_lines()}
    assert len(room.sheet_lines()) == len(lines) == people
    for holder, entry in issued.items():
        (key,) = room.holder_keys.of_holder(holder)
        assert (key.serial, key.certificate_der) == (entry.serial, entry.certificate_der)
        assert int(lines[holder]["certificate"], 16) == entry.serial
        code = ActivationCode(lines[holder]["activation_code"])
        try:
            rewrap(key.wrapped_key, code, Pin("con mèo béo bảy"), keys=room.keys, holder=holder, kdf=activation_kdf())
        except PkiError as exc:
            pytest.fail(f"the code on the sheet of {holder} does not open the key: {exc}")
