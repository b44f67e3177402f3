"""Who acts: people and schools of the roster, as the life cycle of records names them."""

from __future__ import annotations

from typing import Annotated

import typer

from records.enrolment import seal_holder
from records.errors import NotFoundError
from records.person import Person, Role, School, Student
from records.roster_ports import RosterStore
from records.state import Actor

TRUSTED = "The operator of this machine is believed: that --by is the person at work, no password proves here."
"""Accounts come later; until then the help of every command with --by says so."""

By = Annotated[str, typer.Option("--by", metavar="ID", help="Roster id of the person who does it.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why, in so many words; kept in the log.")]


def person(roster: RosterStore, person_id: str) -> Person:
    """Without their code. Raises :class:`records.errors.NotFoundError`."""
    who = roster.person(person_id)
    if who is None:
        raise NotFoundError(f"{person_id} is not in the roster; `eduseal roster show --school SCHOOL` lists who is")
    return who


def actor(roster: RosterStore, person_id: str) -> Actor:
    """In the role and school that the roster gives them. Raises :class:`records.errors.NotFoundError`."""
    who = person(roster, person_id)
    return Actor(who.id, role_of(who), roster.school(who.school_id).identifier)


def seal_actor(school: School) -> Actor:
    return Actor(seal_holder(school), Role.SCHOOL_SEAL, school.identifier)


def role_of(who: Person) -> Role:
    return Role.STUDENT if isinstance(who, Student) else who.role
