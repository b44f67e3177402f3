"""Where bulk batches are made and looked at: CSV files in, a batch that waits for its approval out.

The files are the roster's own (`records.roster_csv`) and are imported as any others are: every broken row is an error with file, row and
column, every person whose code does not hold up is kept and blocked. Who is sound, signs and has no certificate comes into the batch.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from pki.ports import Clock
from records.bulk import CHUNK, Batch, BatchState, BulkError, Place, Refusal, SheetBy, SourceFile, digest, facts_of, plan
from records.bulk_ports import BulkStore, Candidate
from records.person import Person, Role, Student
from records.roster import RosterFile, RosterImport
from records.roster_service import RosterService

PAGE = 1000  # places read at a time


@dataclass(frozen=True)
class Submitted:
    """What became of the files: a batch, or none where nobody is left for one, and who of the accepted is not in it."""

    imported: RosterImport
    batch: Batch | None
    left_out: tuple[Refusal, ...]


@dataclass(frozen=True)
class BulkDesk:
    store: BulkStore
    roster: RosterService
    clock: Clock

    def submit(
        self,
        *,
        by: str,
        teachers: RosterFile | None = None,
        students: RosterFile | None = None,
        schools: RosterFile | None = None,
        sheets_by: SheetBy = SheetBy.SCHOOL,
        without_broken_rows: bool = False,
        chunk: int = CHUNK,
    ) -> Submitted:
        """Imports the files and makes a batch of the people in them. Where rows are broken nothing is kept, unless they are left out.

        `by` is the officer who submits. Raises :class:`records.errors.RosterFileError` and :class:`records.bulk.BulkError`.
        """
        imported = self.roster.import_files(schools=schools, teachers=teachers, students=students, without_broken_rows=without_broken_rows)
        if imported.errors and not without_broken_rows:
            return Submitted(imported, None, ())
        fit, left_out = self._sorted([who.id for who in imported.accepted if _signs(who)])
        if not fit:
            return Submitted(imported, None, left_out)
        files = tuple(_source(file) for file in (schools, teachers, students) if file is not None)
        places = tuple(plan(fit, by=sheets_by, chunk=chunk))
        batch_id = secrets.token_hex(8)
        batch = Batch(
            id=batch_id,
            files=files,
            digest=digest(batch_id, files, places),
            people=len(places),
            state=BatchState.SUBMITTED,
            submitted_by=by,
            submitted_at=self.clock(),
        )
        self.store.submit(batch, places)
        return Submitted(imported, batch, left_out)

    def require_unchanged(self, batch: Batch) -> None:
        """Raises :class:`records.bulk.BulkError` unless the batch's rows are those that its digest, and so its approval, was made over."""
        if digest(batch.id, batch.files, self._places(batch.id)) != batch.digest:
            raise BulkError(f"batch {batch.id}: its rows are not those that were submitted; nothing is issued from it")

    def _places(self, batch_id: str) -> Iterator[Place]:
        after = -1
        while page := self.store.places(batch_id, after=after, limit=PAGE):
            yield from page
            after = page[-1].position

    def _sorted(self, ids: list[str]) -> tuple[list[tuple[Person, bytes]], tuple[Refusal, ...]]:
        fit, left_out = list[tuple[Person, bytes]](), list[Refusal]()
        for candidate in self.store.candidates(ids, at=self.clock()):
            reason = _against(candidate)
            if reason is None and candidate.wrapped_code is not None:
                fit.append((candidate.person, facts_of(candidate.person, candidate.wrapped_code)))
            else:
                left_out.append(Refusal(candidate.person.id, reason or "has no personal code"))
        return fit, tuple(left_out)


def _against(candidate: Candidate) -> str | None:
    if candidate.blocked:
        return "is blocked; see `eduseal roster blocked`"
    if candidate.certified:
        return "has a certificate in force; a new one is for `eduseal enrol --again`"
    if candidate.waiting_in is not None:
        return f"waits in batch {candidate.waiting_in} already"
    return None


def _signs(who: Person) -> bool:
    return isinstance(who, Student) or who.role is not Role.ADMINISTRATOR


def _source(file: RosterFile) -> SourceFile:
    return SourceFile(file.name, hashlib.sha256(file.data).hexdigest())
