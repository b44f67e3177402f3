"""PDFs of records: the books say which, the content folder holds the bytes. Implements :class:`records.ports.DocumentStore`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath

import sqlalchemy as sa

from db.content import ContentFolder
from db.engine import Database
from db.errors import ContentError
from db.tables_records import documents
from db.upsert import upsert
from records.errors import ExportError, NotFoundError
from records.ports import Document, DocumentKind


class Documents:
    """Reading; writing goes through :class:`db.records.Records`, in the transaction of the state."""

    def __init__(self, database: Database, content: ContentFolder) -> None:
        self._database = database
        self._content = content

    def get(self, record_id: str, version: int, kind: DocumentKind) -> Document:
        """Raises :class:`records.errors.NotFoundError`, and ContentError where the bytes are not what the books say.

        Between the books and the folder somebody may replace the document, and its file goes; the books then name another one.
        """
        missing = None
        while True:
            with self._database.reading() as connection:
                row = connection.execute(_one(record_id, version, kind)).one_or_none()
            if row is None:
                raise NotFoundError(f"record {record_id} version {version} has no {kind.value} document")
            try:
                return Document(record_id, version, kind, self._content.get(PurePosixPath(row.path), sha256=row.sha256))
            except ContentError:
                if row.path == missing:
                    raise
                missing = row.path


@dataclass
class Writing:
    """Document files of one transaction: what to remove if it fails, and what to remove once it has committed."""

    content: ContentFolder
    created: list[PurePosixPath] = field(default_factory=list)
    replaced: list[PurePosixPath] = field(default_factory=list)

    def put(self, connection: sa.Connection, document: Document) -> None:
        """Raises :class:`records.errors.ExportError` where an export would be replaced."""
        row = connection.execute(_one(document.record_id, document.version, document.kind)).one_or_none()
        if row is not None and row.sha256 == document.sha256:
            return
        if row is not None and document.kind is DocumentKind.EXPORT:
            raise ExportError(f"record {document.record_id} version {document.version} has its export already; it is never replaced")
        path = _path(document)
        if self.content.put(path, document.pdf):
            self.created.append(path)
        if row is not None:
            self.replaced.append(PurePosixPath(row.path))
        upsert(
            connection,
            documents,
            [
                {
                    "record_id": document.record_id,
                    "version": document.version,
                    "kind": document.kind.value,
                    "sha256": document.sha256,
                    "path": str(path),
                    "size": len(document.pdf),
                }
            ],
        )

    def failed(self) -> None:
        for path in self.created:
            self.content.remove(path)

    def committed(self) -> None:
        for path in self.replaced:
            self.content.remove(path)


def _path(document: Document) -> PurePosixPath:
    # named by the digest alone: no pupil, school or record can be read off a listing
    return PurePosixPath(document.sha256[:2], document.sha256[2:4], f"{document.sha256}.pdf")


def _one(record_id: str, version: int, kind: DocumentKind) -> sa.Select[tuple[str, str]]:
    return sa.select(documents.c.path, documents.c.sha256).where(
        documents.c.record_id == record_id, documents.c.version == version, documents.c.kind == kind.value
    )
