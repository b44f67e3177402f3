"""`eduseal record certify`: the school's opening signature on records that many sign side by side."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, PassphraseFile, opened
from cli._people import seal_actor
from cli._record_choice import Choice, ClassName, Everything, Ids, Standing
from cli._record_signing import Run, step_id
from config.house import House
from config.signers import seal_signer
from records.service import StepResult
from records.state import Actor


def certify(
    school: Annotated[str, typer.Option(metavar="ID", help="Roster id of the school whose seal it is.")],
    ids: Ids = None,
    class_name: ClassName = None,
    everything: Everything = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Certify exports that open with the school's signature.

    Some workflows, such as school-record-subjects, let many teachers sign side by side; the school certifies first what may change from
    then on: nothing but the signature fields that stand. An error stops only its own record; repeating is safe. Exit status 1 where a
    record could not be certified.
    """
    choice = Choice(tuple(ids or ()), class_name, everything)
    with opened(home, database_url, passphrase_file) as house:
        who = seal_actor(house.stores.roster.school(school))
        standings = choice.standings(house.stores.records, step=None, by=who, at=house.clock(), opening=True)
        run = Run(list(standings), verb="certified")
        if run.waiting:
            run.tell(_certified(house, school, who, run.waiting))
    return run.finish()


def _certified(house: House, school: str, by: Actor, waiting: list[Standing]) -> Iterator[StepResult]:
    signer = seal_signer(house, house.stores.roster.school(school))
    for step, standings in groupby(sorted(waiting, key=step_id), key=step_id):
        ids = [standing.record_id for standing in standings]
        yield from house.services.records.certify(ids, step=step, by=by, signer=signer, time_stamper=house.tsa)
