"""Issues a bulk batch chunk by chunk. Whatever crashes, each person ends with exactly one certificate, and its code is on a sheet.

The order of a chunk, which the code repeats (docs/adr/0012-bulk-issuance.md has why):

1. judge: each person as the roster has them now, against what was approved
2. make: keys, activation codes, to-be-signed certificates, structurally checked                    (`records.bulk_making`)
3. record: every certificate into the books, durably; what an earlier attempt recorded is revoked
4. sheets: the codes on the disk, under the attempt's own name
5. sign: exactly the recorded octets
6. issue: certificates, wrapped keys and the end of each person's waiting, in one transaction, by the newest attempt alone
7. publish: the sheets get their names

A crash before 6 leaves certificates that nobody has and that the next attempt revokes, and codes that open nothing. A crash after it
leaves sheets that only lack their names.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

from pki.errors import PkiError
from pki.issuing.issue import Authority
from pki.keys.holderkey import close_holder_key
from pki.ports import Clock, KeyStore
from records.bulk import ChunkState, Refusal, facts_of
from records.bulk_making import Job, Made, NotMade
from records.bulk_ports import Applicant, BulkStore, Chunk, SignedCertificate, Workshop
from records.bulk_sheets import Line, SheetFolder
from records.codes import unwrap_code, wrap_opening
from records.key_ports import HolderKey
from records.person import Person, School, Student
from records.roster_ports import RosterStore

AHEAD = 2  # chunks that are made while another is recorded, signed and issued


@dataclass(frozen=True)
class _Begun:
    """A chunk whose making is under way: those who were judged fit, and why others were not."""

    people: Mapping[str, Applicant]
    refusals: tuple[Refusal, ...]
    making: Future[list[Made | NotMade]] = field(repr=False)


class BulkIssuance:
    """One process's work on one batch. Not shared between threads."""

    def __init__(
        self,
        batch_id: str,
        *,
        store: BulkStore,
        roster: RosterStore,
        authority: Authority,
        keys: KeyStore,
        workshop: Workshop,
        sheets: SheetFolder,
        clock: Clock,
        ahead: int = AHEAD,
    ) -> None:
        self._batch_id = batch_id
        self._store = store
        self._authority = authority
        self._keys = keys
        self._workshop = workshop
        self._sheets = sheets
        self._clock = clock
        self._schools = {school.id: school for school in roster.schools()}
        self._open: Iterator[int] = iter(store.open_chunks(batch_id))
        self._ahead = ahead
        self._begun: dict[int, _Begun] = {}

    def issue_chunk(self, number: int) -> int:
        """Brings a chunk to its end, from wherever an earlier attempt left it; returns how many certificates this call issued.

        Raises :class:`records.bulk.SupersededError` where another process works on it, and what `pki`, the store and the disk raise:
        then nothing is lost, and the call may be repeated.
        """
        chunk = self._store.chunk(self._batch_id, number)
        issued = 0
        if chunk.state in (ChunkState.WAITING, ChunkState.RECORDED):
            chunk, issued = self._issue(chunk)
        if chunk.state is ChunkState.ISSUED and chunk.attempt is not None:
            # 7
            self._sheets.publish(chunk.attempt, self._store.sheets(self._batch_id, number))
            self._store.done(self._batch_id, number)
        return issued

    def _issue(self, chunk: Chunk) -> tuple[Chunk, int]:
        begun = self._begin_ahead(chunk.number)
        made, refusals = _sorted(begun)
        attempt = secrets.token_hex(16)
        # 3
        prepared = [item.prepared for item in made]
        self._store.record(chunk, attempt, prepared, refusals, at=self._clock())
        if chunk.attempt is not None:
            self._sheets.discard(chunk.attempt)
        chunk = Chunk(chunk.batch_id, chunk.number, ChunkState.RECORDED, attempt)
        # 4
        self._sheets.write(attempt, self._lines(made, begun.people))
        # 5
        self._store.require_recorded(chunk, attempt, prepared)
        at = self._clock()
        signed = [self._signed(item, at) for item in made]
        # 6
        self._store.issue(chunk, attempt, signed, at=at)
        return Chunk(chunk.batch_id, chunk.number, ChunkState.ISSUED, attempt), len(signed)

    def _begin_ahead(self, number: int) -> _Begun:
        """This chunk's making, begun now or before; the chunks after it are begun too, so that the workshop has no pause."""
        begun = self._begun.pop(number, None) or self._begin(number)
        room = self._ahead - len(self._begun)
        for following in islice((open_ for open_ in self._open if open_ > number and open_ not in self._begun), max(room, 0)):
            self._begun[following] = self._begin(following)
        return begun

    def _begin(self, number: int) -> _Begun:
        """1 and, under way, 2."""
        now = self._clock()
        jobs, people, refusals = list[Job](), dict[str, Applicant](), list[Refusal]()
        for applicant in self._store.applicants(self._batch_id, number, at=now):
            job = self._judged(applicant)
            if isinstance(job, Refusal):
                refusals.append(job)
            else:
                jobs.append(job)
                people[job.who.id] = applicant
        return _Begun(people, tuple(refusals), self._workshop.begin(jobs, at=now))

    def _judged(self, applicant: Applicant) -> Job | Refusal:
        holder, who, wrapped = applicant.place.person_id, applicant.person, applicant.wrapped_code
        if who is None or who.school_id not in self._schools:
            return Refusal(holder, "is in the roster no more")
        if applicant.certified:
            return Refusal(holder, "has a certificate in force; a new one is for `eduseal enrol --again`")
        if applicant.blocked or wrapped is None:
            return Refusal(holder, "has been blocked since the batch was submitted; see `eduseal roster blocked`")
        school = self._schools[who.school_id]
        if facts_of(who, school, wrapped) != applicant.place.facts:
            return Refusal(holder, "the roster says something else since the batch was submitted; submit a batch anew for them")
        try:
            return Job(_with_code(who, wrapped, self._keys), school)
        except PkiError as exc:
            return Refusal(holder, str(exc))

    def _signed(self, made: Made, at: datetime) -> SignedCertificate:
        certificate_der = self._authority.press.sign(made.prepared.tbs_der)
        key = HolderKey(
            holder=made.person_id,
            issuer=made.prepared.issuer,
            serial=made.prepared.serial,
            certificate_der=certificate_der,
            wrapped_key=close_holder_key(made.sealed, keys=self._keys, holder=made.person_id),
            activated=False,
            created_at=at,
            commitment=made.commitment,
            wrapped_opening=wrap_opening(made.opening, holder=made.person_id, keys=self._keys) if made.opening else None,
        )
        return SignedCertificate(made.prepared, certificate_der, key)

    def _lines(self, made: Sequence[Made], people: Mapping[str, Applicant]) -> dict[str, list[Line]]:
        sheets = defaultdict[str, list[Line]](list)
        for item in made:
            applicant = people[item.person_id]
            if applicant.person is not None:
                sheets[applicant.place.sheet].append(_line(item, applicant.person, self._schools[applicant.person.school_id]))
        return sheets


def _sorted(begun: _Begun) -> tuple[list[Made], list[Refusal]]:
    made, refusals = list[Made](), list(begun.refusals)
    for item in begun.making.result():
        if isinstance(item, Made):
            made.append(item)
        else:
            refusals.append(Refusal(item.person_id, item.reason))
    return made, refusals


def _with_code(who: Person, wrapped: bytes, keys: KeyStore) -> Person:
    return replace(who, code=unwrap_code(wrapped, person_id=who.id, keys=keys))


def _line(made: Made, who: Person, school: School) -> Line:
    place = who.class_name if isinstance(who, Student) else who.homeroom or ""
    return Line(who.id, who.name, school.short_name, place, f"{made.prepared.serial:x}", made.activation_code)
