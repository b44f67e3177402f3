"""Until when archive time stamps hold, and putting a renewed document in its predecessor's place: :class:`records.ports.ArchiveStore`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from db import log
from db.content import ContentFolder
from db.documents import Writing
from db.engine import Database
from db.tables_records import archive_holds, documents
from db.upsert import upsert
from records.errors import StaleRecordError
from records.ledger import LogEntry
from records.ports import ArchivedDocument, Document, DocumentKind
from signing.applying.renewal import Hold

_SAME = (archive_holds.c.record_id == documents.c.record_id) & (archive_holds.c.version == documents.c.version)
_NOTED = _SAME & (archive_holds.c.document_sha256 == documents.c.sha256)
_SIGNED = documents.c.kind == DocumentKind.SIGNED.value


class ArchiveHolds:
    """Rows of `archive_holds` are read off the documents: one whose digest is not its document's counts as none."""

    def __init__(self, database: Database, content: ContentFolder) -> None:
        self._database = database
        self._content = content

    def unread(self, *, after: tuple[str, int], limit: int) -> Sequence[ArchivedDocument]:
        noted = sa.exists().where(_NOTED)
        chosen = sa.select(documents.c.record_id, documents.c.version, documents.c.sha256).where(_SIGNED, ~noted, _beyond(after))
        with self._database.reading() as connection:
            rows = connection.execute(chosen.order_by(documents.c.record_id, documents.c.version).limit(limit)).all()
        return [ArchivedDocument(row.record_id, row.version, row.sha256) for row in rows]

    def note(self, found: Sequence[ArchivedDocument]) -> None:
        with self._database.writing() as connection:
            upsert(connection, archive_holds, [_row(each) for each in found])

    def algorithms(self) -> Sequence[tuple[str, ...]]:
        with self._database.reading() as connection:
            found = connection.execute(sa.select(archive_holds.c.algorithms).distinct()).scalars().all()
        return [tuple(names) for names in found if names]

    def ending(
        self, *, by: datetime, retiring: Sequence[tuple[str, ...]], after: tuple[str, int], limit: int
    ) -> Sequence[ArchivedDocument]:
        uses = [archive_holds.c.algorithms == sa.literal(list(names), archive_holds.c.algorithms.type) for names in retiring]
        ends = sa.or_(archive_holds.c.not_after <= by, *uses)
        columns = (documents.c.record_id, documents.c.version, documents.c.sha256, archive_holds.c.not_after, archive_holds.c.algorithms)
        chosen = (
            sa.select(*columns).join(archive_holds, _NOTED).where(_SIGNED, archive_holds.c.not_after.is_not(None), ends, _beyond(after))
        )
        with self._database.reading() as connection:
            rows = connection.execute(chosen.order_by(documents.c.record_id, documents.c.version).limit(limit)).all()
        return [ArchivedDocument(row.record_id, row.version, row.sha256, Hold(row.not_after, tuple(row.algorithms))) for row in rows]

    def replace(self, old: ArchivedDocument, renewed: Document, hold: Hold, *, entry: LogEntry) -> None:
        """Also raises :class:`db.errors.ContentError` where the file cannot be written; then nothing is kept."""
        files = Writing(self._content)
        with self._database.writing_alone() as connection:
            # 1. who loses the race ends here, with no file written: the row is locked from now on
            same = (documents.c.record_id == old.record_id) & (documents.c.version == old.version) & _SIGNED
            claim = sa.update(documents).where(same, documents.c.sha256 == old.sha256).values(sha256=old.sha256)
            if connection.execute(claim).rowcount != 1:
                raise StaleRecordError(f"record {old.record_id} version {old.version}: its document was replaced meanwhile")
            # 2. the document, how long it holds, and the log
            try:
                files.put(connection, renewed)
                upsert(connection, archive_holds, [_row(ArchivedDocument(old.record_id, old.version, renewed.sha256, hold))])
                subject = f"record/{old.record_id}"
                log.append(connection, kind=entry.event.value, subject=subject, at=entry.at, details=entry.as_dict())
            except BaseException:
                files.failed()
                raise
        files.committed()


def _row(document: ArchivedDocument) -> dict[str, Any]:
    return {
        "record_id": document.record_id,
        "version": document.version,
        "document_sha256": document.sha256,
        "not_after": document.hold.not_after if document.hold else None,
        "algorithms": list(document.hold.algorithms) if document.hold else [],
    }


def _beyond(after: tuple[str, int]) -> sa.ColumnElement[bool]:
    record_id, version = after
    return sa.or_(documents.c.record_id > record_id, (documents.c.record_id == record_id) & (documents.c.version > version))
