"""Where bulk batches are made and looked at: CSV files in, a batch that waits for its approval out.

The files are the roster's own (`records.roster_csv`) and are imported as any others are: every broken row is an error with file, row and
column, every person whose code does not hold up is kept and blocked. Who is sound, signs and has no certificate comes into the batch.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from pki.ports import Clock
from pki.registration.approval import Order
from pki.registration.policy import RequestKind
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
class Checked:
    """What would become of the files: how many people would come into a batch, and who of the accepted would not."""

    imported: RosterImport
    people: int
    left_out: tuple[Refusal, ...]


@dataclass(frozen=True)
class BulkDesk:
    store: BulkStore
    roster: RosterService
    clock: Clock

    def check(
        self, *, teachers: RosterFile | None = None, students: RosterFile | None = None, schools: RosterFile | None = None
    ) -> Checked:
        """What :meth:`submit` would make of the files; nothing of them is kept. Raises :class:`records.errors.RosterFileError`."""
        found = self.roster.check_files(schools=schools, teachers=teachers, students=students)
        known = {candidate.person.id: candidate for candidate in self._candidates(found)}
        against = [(who.id, _against(known[who.id], kept=False) if who.id in known else None) for who in _signers(found)]
        left_out = tuple(Refusal(holder, reason) for holder, reason in against if reason is not None)
        return Checked(found, len(against) - len(left_out), left_out)

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

        `by` is who submits; they ask for the approval of :func:`bulk_order` next. Raises :class:`records.errors.RosterFileError` and
        :class:`records.bulk.BulkError`.
        """
        imported = self.roster.import_files(schools=schools, teachers=teachers, students=students, without_broken_rows=without_broken_rows)
        if imported.errors and not without_broken_rows:
            return Submitted(imported, None, ())
        fit, left_out = self._sorted(imported)
        if not fit:
            return Submitted(imported, None, left_out)
        files = tuple(_source(file) for file in (schools, teachers, students) if file is not None)
        places = tuple(plan(fit, by=sheets_by, chunk=chunk))
        batch_id = secrets.token_hex(8)
        sha256 = digest(batch_id, files, places)
        batch = Batch(batch_id, files, sha256, len(places), BatchState.SUBMITTED, submitted_by=by, submitted_at=self.clock())
        self.store.submit(batch, places)
        return Submitted(imported, batch, left_out)

    def requested(self, batch_id: str, request_id: str) -> Batch:
        """Notes the request for a batch's approval; raises :class:`records.bulk.BulkError` where the batch has been started."""
        self.store.requested(batch_id, request_id)
        return self.store.get(batch_id)

    def _sorted(self, imported: RosterImport) -> tuple[list[tuple[Person, bytes]], tuple[Refusal, ...]]:
        schools = {school.id: school for school in self.roster.roster.schools()}
        fit, left_out = list[tuple[Person, bytes]](), list[Refusal]()
        for candidate in self._candidates(imported):
            reason = _against(candidate)
            if reason is None and candidate.wrapped_code is not None:
                who = candidate.person
                fit.append((who, facts_of(who, schools[who.school_id], candidate.wrapped_code)))
            else:
                left_out.append(Refusal(candidate.person.id, reason or "has no personal code"))
        return fit, tuple(left_out)

    def _candidates(self, imported: RosterImport) -> Sequence[Candidate]:
        self.store.release_lapsed(at=self.clock())
        return self.store.candidates([who.id for who in _signers(imported)], at=self.clock())


def bulk_order(batch: Batch) -> Order:
    """What officers approve: this batch, by its digest."""
    return Order(RequestKind.BULK, "people", f"bulk/{batch.id}", batch.digest)


def require_unchanged(batch: Batch, store: BulkStore) -> None:
    """Raises :class:`records.bulk.BulkError` unless the batch's rows are those that its digest, and so its approval, was made over."""
    if digest(batch.id, batch.files, _places(batch.id, store)) != batch.digest:
        raise BulkError(f"batch {batch.id}: its rows are not those that were submitted; nothing is issued from it")


def members(batch_id: str, store: BulkStore, *, at: datetime) -> Iterator[tuple[str, ...]]:
    """Person, name, role, school, class, sheet, state and, where refused, the reason: a batch's people as the roster has them now."""
    refused = {refusal.person_id: refusal.reason for refusal in store.refusals(batch_id)}
    after = -1
    while page := store.places(batch_id, after=after, limit=PAGE):
        after = page[-1].position
        known = {candidate.person.id: candidate for candidate in store.candidates([place.person_id for place in page], at=at)}
        for place in page:
            found = known.get(place.person_id)
            reason = refused.get(place.person_id, "")
            state = "refused" if reason else "waiting" if found is None or found.waiting_in == batch_id else "issued"
            yield (place.person_id, *_shown(found.person if found else None), place.sheet, state, reason)


def _shown(who: Person | None) -> tuple[str, str, str, str]:
    if who is None:
        return "", "", "", ""
    if isinstance(who, Student):
        return who.name, Role.STUDENT.value, who.school_id, who.class_name
    return who.name, who.role.value, who.school_id, who.homeroom or ""


def _places(batch_id: str, store: BulkStore) -> Iterator[Place]:
    after = -1
    while page := store.places(batch_id, after=after, limit=PAGE):
        yield from page
        after = page[-1].position


def _against(candidate: Candidate, *, kept: bool = True) -> str | None:
    """Why a person does not come into a batch. What blocks them in the books is lifted when a sound row of theirs is `kept`."""
    if kept and candidate.blocked:
        return "is blocked; see `eduseal roster blocked`"
    if candidate.certified:
        return "has a certificate in force; a new one is for `eduseal enrol --again`"
    if candidate.waiting_in is not None:
        return f"waits in batch {candidate.waiting_in} already; it ends, or an officer refuses its request"
    return None


def _signers(imported: RosterImport) -> Iterator[Person]:
    return (who for who in imported.accepted if isinstance(who, Student) or who.role is not Role.ADMINISTRATOR)


def _source(file: RosterFile) -> SourceFile:
    return SourceFile(file.name, hashlib.sha256(file.data).hexdigest())
