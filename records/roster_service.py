"""The roster as the school keeps it: imports with what they block, and people with the codes that enrolment needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pki.errors import PkiError
from pki.issuing.issue import Authority
from pki.keys.kdf import KeyDerivation
from pki.ports import Clock, KeyStore
from pki.registration.approval import Order, Redeemed
from records.certify_once import newest_serial
from records.codes import unwrap_code, wrap_code
from records.enrolment import Enrolled, enrol
from records.errors import NotFoundError, RecordsError
from records.key_ports import HolderKeyStore
from records.orders import Enrolee, enrolment_order
from records.person import Person, PersonalCode, Role, Teacher
from records.registration import Registration
from records.roster import RosterFile, RosterImport, Watch, import_roster
from records.roster_ports import RosterStore
from records.roster_reading import unwatched


@dataclass(frozen=True)
class NotEnrolled:
    """Why a person of the roster got no certificate in this run."""

    holder: str
    error: RecordsError | PkiError


@dataclass(frozen=True)
class RosterService:
    roster: RosterStore
    keys: KeyStore
    clock: Clock

    def import_files(
        self,
        *,
        schools: RosterFile | None = None,
        teachers: RosterFile | None = None,
        students: RosterFile | None = None,
        without_broken_rows: bool = False,
        watch: Watch = unwatched,
    ) -> RosterImport:
        """Imports and saves in one transaction. Where rows are broken nothing is saved, unless the caller leaves them out on purpose.

        Raises :class:`records.errors.RosterFileError`.
        """
        result = self._checked(schools, teachers, students, watch)
        if result.errors and not without_broken_rows:
            return result

        def wrap(who: Person) -> bytes | None:
            watch()
            # A code that stands is not wrapped anew: requests and batches that wait for approval are bound to the octets it lies in.
            return None if who.code is None or who.id in result.standing else wrap_code(who.code, person_id=who.id, keys=self.keys)

        saved = self.roster.save(schools=result.schools, people=result.accepted, blocked=result.blocked, wrap=wrap, at=self.clock())
        return replace(result, saved=saved)

    def check_files(
        self, *, schools: RosterFile | None = None, teachers: RosterFile | None = None, students: RosterFile | None = None
    ) -> RosterImport:
        """What :meth:`import_files` would make of the files; nothing is saved. Raises :class:`records.errors.RosterFileError`."""
        return self._checked(schools, teachers, students, unwatched)

    def _checked(self, schools: RosterFile | None, teachers: RosterFile | None, students: RosterFile | None, watch: Watch) -> RosterImport:
        return import_roster(
            schools=schools,
            teachers=teachers,
            students=students,
            known_schools=self.roster.schools(),
            held_codes=self._held_codes(),
            watch=watch,
        )

    def people_to_enrol(self, *, school_id: str | None = None) -> Iterator[Person]:
        """Those who may have a certificate, with their codes: not blocked, and of a role that signs."""
        barred = {entry.person.id for entry in self.roster.blocked(school_id=school_id)}
        codes = dict(self.roster.wrapped_codes(school_id=school_id))
        for who in self._people(school_id):
            if who.id in barred or (isinstance(who, Teacher) and who.role is Role.ADMINISTRATOR):
                continue
            wrapped = codes.get(who.id)
            if wrapped is not None:
                yield replace(who, code=unwrap_code(wrapped, person_id=who.id, keys=self.keys))

    def waiting(self, *, holder_keys: HolderKeyStore, school_id: str | None = None) -> list[Person]:
        """Everybody who may have a certificate over a key made here, and has none."""
        return [who for who in self.people_to_enrol(school_id=school_id) if not holder_keys.of_holder(who.id)]

    def enrolment_request(self, people: Sequence[Person], *, authority: Authority) -> Order:
        """What is to be approved before these people get certificates: one person, or many at once, which is a batch."""
        enrolees = [Enrolee(who, self.roster.wrapped_code(who.id), newest_serial(authority, who.id)) for who in people]
        wanted = {who.school_id for who in people}
        return enrolment_order(enrolees, [school for school in self.roster.schools() if school.id in wanted])

    def enrol_all(
        self,
        people: Sequence[Person],
        *,
        authority: Authority,
        holder_keys: HolderKeyStore,
        kdf: KeyDerivation,
        registration: Registration,
        approval: Redeemed | None = None,
    ) -> Iterator[Enrolled | NotEnrolled]:
        """Enrols people, one by one; an error stops only its own person.

        `approval` is of :meth:`enrolment_request` for just these people. Before the first, raises
        :class:`pki.registration.approval.NotApprovedError` where the policy asks for one (for more than one person it does), or
        OtherDigestError.
        """
        if not people:
            return
        registration.require(self.enrolment_request(people, authority=authority), approval)
        schools = {school.id: school for school in self.roster.schools()}
        for who in people:
            try:
                school = schools[who.school_id]
                yield enrol(who, school, authority=authority, keys=self.keys, holder_keys=holder_keys, kdf=kdf, clock=self.clock)
            except (RecordsError, PkiError) as exc:
                yield NotEnrolled(who.id, exc)

    def person(self, person_id: str) -> Person:
        """With their code where the books hold one; raises :class:`records.errors.NotFoundError`."""
        who = self.roster.person(person_id)
        if who is None:
            raise NotFoundError(f"{person_id} is not in the roster")
        wrapped = self.roster.wrapped_code(person_id)
        return replace(who, code=unwrap_code(wrapped, person_id=person_id, keys=self.keys)) if wrapped else who

    def _people(self, school_id: str | None = None) -> list[Person]:
        return [*self.roster.teachers(school_id=school_id), *self.roster.students(school_id=school_id)]

    def _held_codes(self) -> Iterator[tuple[str, PersonalCode]]:
        """Codes in the books, with the ids of those who hold them."""
        for holder, wrapped in self.roster.wrapped_codes():
            yield holder, unwrap_code(wrapped, person_id=holder, keys=self.keys)
