"""Records and their log in the database: implements :class:`records.ports.RecordStore` and :class:`signing.ports.RecordBook`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import sqlalchemy as sa

from db import log
from db.authorisations import spend
from db.content import ContentFolder
from db.documents import Writing
from db.engine import Database
from db.tables_records import record_versions, records
from db.upsert import upsert
from records.errors import NotFoundError, StaleRecordError
from records.ledger import LogEntry, entry_from_dict
from records.ports import Document, SpentItem
from records.state import Phase, RecordState
from records.state_json import state_from_json, state_json
from signing.verdict import RecordStatus

PAGE = 200  # states read at a time: a record of nine years is some 50 kB


class Records:
    """State, log entries, documents and the spent item of a move are kept together or not at all."""

    def __init__(self, database: Database, content: ContentFolder) -> None:
        self._database = database
        self._content = content

    def load(self, record_id: str) -> RecordState:
        """Raises :class:`records.errors.NotFoundError`."""
        chosen = sa.select(records.c.state, records.c.revision).where(records.c.id == record_id)
        with self._database.reading() as connection:
            row = connection.execute(chosen).one_or_none()
        if row is None:
            raise NotFoundError(f"record {record_id} is not in the books")
        return state_from_json(row.state, revision=row.revision)

    def save(
        self,
        state: RecordState,
        entries: Sequence[LogEntry],
        *,
        documents: Sequence[Document] = (),
        spent: SpentItem | None = None,
    ) -> RecordState:
        """One transaction of its own; returns `state` with the next revision.

        Raises :class:`records.errors.StaleRecordError`, AlreadySpentError, ExportError (an export is never replaced), and
        :class:`db.errors.ContentError` where a document cannot be written; then nothing is kept.
        """
        files = Writing(self._content)
        with self._database.writing_alone() as connection:
            # 1. the revision first: who loses the race has written no file, so removing files on failure is safe
            _raise_revision(connection, state)
            _save_versions(connection, state)
            # 2. the item of the authorisation
            if spent is not None:
                spend(connection, spent)
            # 3. the log
            for entry in entries:
                subject = _subject(entry.record_id)
                log.append(connection, kind=entry.event.value, subject=subject, at=entry.at, details=entry.as_dict())
            # 4. the documents
            try:
                for document in documents:
                    files.put(connection, document)
            except BaseException:
                files.failed()
                raise
        files.committed()
        return replace(state, revision=state.revision + 1)

    def log(self, record_id: str) -> tuple[LogEntry, ...]:
        """Oldest first; empty where the record is not known."""
        return tuple(entry_from_dict(found.details) for found in log.Log(self._database).of_subject(_subject(record_id)))

    def ids(self) -> tuple[str, ...]:
        """Every record's id, sorted."""
        with self._database.reading() as connection:
            return tuple(sorted(connection.execute(sa.select(records.c.id)).scalars()))

    def all(self, *, school: str | None = None, phase: Phase | None = None) -> Iterator[RecordState]:
        """Sorted by id, read a page at a time: what is saved meanwhile may or may not be seen."""
        chosen = sa.select(records.c.id, records.c.state, records.c.revision).order_by(records.c.id).limit(PAGE)
        for column, wanted in ((records.c.school, school), (records.c.phase, phase)):
            chosen = chosen if wanted is None else chosen.where(column == wanted)
        after = ""
        while True:
            with self._database.reading() as connection:
                page = connection.execute(chosen.where(records.c.id > after)).all()
            yield from (state_from_json(row.state, revision=row.revision) for row in page)
            if len(page) < PAGE:
                return
            after = page[-1].id

    def status(self, record_id: str, version: int) -> RecordStatus | None:
        """None where the record is not known here, or the version never became official."""
        chosen = sa.select(record_versions.c.status).where(record_versions.c.record_id == record_id, record_versions.c.version == version)
        with self._database.reading() as connection:
            status = connection.execute(chosen).scalar()
        return None if status is None else RecordStatus(status)


def _raise_revision(connection: sa.Connection, state: RecordState) -> None:
    values = {"school": state.school, "phase": state.phase.value, "revision": state.revision + 1, "state": state_json(state)}
    same = (records.c.id == state.record_id) & (records.c.revision == state.revision)
    if state.revision > 0 and connection.execute(sa.update(records).where(same).values(values)).rowcount == 1:
        return
    known = connection.execute(sa.select(records.c.revision).where(records.c.id == state.record_id)).scalar()
    if state.revision > 0 or known is not None:
        found = "not in the books" if known is None else f"at revision {known}"
        raise StaleRecordError(f"record {state.record_id} is {found}, expected revision {state.revision}; load it again")
    try:
        connection.execute(sa.insert(records).values(id=state.record_id, **values))
    except sa.exc.IntegrityError:
        raise StaleRecordError(f"record {state.record_id} was saved by somebody else; load it again") from None


def _save_versions(connection: sa.Connection, state: RecordState) -> None:
    upsert(
        connection,
        record_versions,
        [
            {"record_id": state.record_id, "version": version.number, "status": version.status.value if version.status else None}
            for version in state.versions
        ],
    )


def _subject(record_id: str) -> str:
    return f"record/{record_id}"
