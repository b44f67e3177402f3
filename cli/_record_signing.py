"""`eduseal record sign` and `eduseal record seal`: many records in one run, a result for each, safe to repeat."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import groupby
from typing import Annotated

import typer

from cli._bar import bar
from cli._home import DatabaseUrl, Home, PassphraseFile, opened
from cli._people import actor, person, seal_actor
from cli._record_choice import Choice, ClassName, Everything, Ids, Standing
from cli._secret import secret
from cli._signers import holder_signer, require_certificate
from cli.main import UsageError
from config.house import House
from config.signers import seal_signer
from pki.keys.pin import Pin
from records.service import StepResult
from records.state import Actor
from signing.workflow import Step

FAILED = 1
LIFETIME = timedelta(minutes=15)  # of one authorisation; a run of 5,000 records takes less than ten


def sign(
    by: Annotated[str, typer.Option("--by", metavar="HOLDER", help="Roster id of the person who signs.")],
    step: Annotated[str | None, typer.Option(metavar="STEP", help="The workflow's step, such as homeroom or principal.")] = None,
    ids: Ids = None,
    class_name: ClassName = None,
    everything: Everything = False,
    resume: Annotated[
        str | None, typer.Option(metavar="AUTHORISATION", help="Sign what is left of an authorisation that was interrupted.")
    ] = None,
    pin_file: Annotated[str | None, typer.Option(metavar="FILE", help="First line: their PIN; - is a line of standard input.")] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Sign a step of many records under one PIN.

    The PIN is asked for once. It authorises exactly the records listed, as they stand, for 15 minutes. An error stops only its own
    record. Repeating is safe: what carries the step's signature already is passed over. After an interruption the same command signs the
    rest, under a new authorisation; `--resume` with the id shown signs it under the one that was given. Exit status 1 where a record
    could not be signed.
    """
    if resume is not None:
        if class_name or everything:
            raise UsageError("--resume names an authorisation, and that its records; leave out --class and --all")
        with opened(home, database_url, passphrase_file) as house:
            return _resume(house, resume, by, step, tuple(ids or ()), pin_file)
    if step is None:
        raise UsageError("name the step that is signed: --step STEP (or go on with --resume AUTHORISATION)")
    choice = Choice(tuple(ids or ()), class_name, everything)
    with opened(home, database_url, passphrase_file) as house:
        who = actor(house.stores.roster, by)
        standings = list(choice.standings(house.stores.records, step=step, by=who, at=house.clock()))
        run = Run(standings, verb="signed")
        if run.waiting and run.waiting[0].step is not None:
            require_certificate(house, by, run.waiting[0].step)
            print(f"{len(run.waiting)} to sign: step {step}, by {by}.", file=sys.stderr)
            pin = Pin(secret("PIN", flag="--pin-file", file=pin_file))
            run.tell(_signed(house, who, run.waiting[0].step, run.waiting, pin))
    return run.finish()


def seal(
    school: Annotated[str, typer.Option(metavar="ID", help="Roster id of the school whose seal it is.")],
    ids: Ids = None,
    class_name: ClassName = None,
    everything: Everything = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Close records with the school's seal.

    They are at level B-LTA then. The seal's key lies in the key store: whoever has the passphrase seals. An error stops only its own
    record; repeating is safe. Exit status 1 where a record could not be sealed.
    """
    choice = Choice(tuple(ids or ()), class_name, everything)
    with opened(home, database_url, passphrase_file) as house:
        who = seal_actor(house.stores.roster.school(school))
        run = Run(list(choice.standings(house.stores.records, step=None, by=who, at=house.clock())), verb="sealed")
        if run.waiting:
            run.tell(_sealed(house, school, who, run.waiting))
    return run.finish()


class Run:
    """What became of each record, told as it happens and summed up at the end."""

    def __init__(self, standings: list[Standing], *, verb: str) -> None:
        self._verb = verb
        self.waiting = [standing for standing in standings if standing.waits]
        self._versions = {standing.record_id: standing.version for standing in standings}
        self._done = self._failed = 0
        self._before = sum(standing.done for standing in standings)
        for standing in standings:
            if standing.done:
                print(f"already  {standing.record_id}  version {standing.version}")
            elif standing.refusal is not None:
                self._failed += 1
                print(f"failed   {standing.record_id}  {standing.refusal}")

    def tell(self, results: Iterable[StepResult]) -> None:
        with bar(f"{self._verb.capitalize()}", len(self.waiting)) as shown:
            for result in results:
                if result.error is not None:
                    self._failed += 1
                    shown.advance(f"failed   {result.record_id}  {result.error}")
                else:
                    self._done += 1
                    shown.advance(f"{self._verb}   {result.record_id}  version {self._versions[result.record_id]}")

    def finish(self) -> int:
        print(f"{self._done} {self._verb}, {self._before} before, {self._failed} failed.")
        return FAILED if self._failed else 0


def _signed(house: House, by: Actor, step: Step, waiting: list[Standing], pin: Pin) -> Iterator[StepResult]:
    records = house.services.records
    with holder_signer(house, person(house.stores.roster, by.id), pin, step) as signer:
        authorisation = records.authorise([standing.record_id for standing in waiting], step=step.id, by=by, lifetime=LIFETIME)
        print(f"Authorisation {authorisation.id}, until {authorisation.expires_at:%H:%M:%S} UTC.", file=sys.stderr, flush=True)
        yield from records.sign(authorisation, by=by, signer=signer, time_stamper=house.tsa)


def _resume(house: House, authorisation_id: str, by: str, step_id: str | None, ids: tuple[str, ...], pin_file: str | None) -> int:
    """What is left of an authorisation, or of that what is named; what it does not permit is refused by the service and logged."""
    records, who = house.services.records, actor(house.stores.roster, by)
    authorisation = records.authorisations.claim(authorisation_id, by=who)
    left = [(item.record_id, item.step) for item in authorisation.unused]
    wanted = [(record_id, step_id or left[0][1]) for record_id in ids] or [pair for pair in left if step_id in (None, pair[1])]
    states = {record_id: house.stores.records.load(record_id) for record_id, _ in wanted}
    run = Run([Standing(record_id, state.working.number) for record_id, state in states.items()], verb="signed")
    step = next((step for state in states.values() for step in state.workflow.steps if step.id == wanted[0][1]), None)
    if step is None:
        raise UsageError(f"authorisation {authorisation_id} has nothing left of step {step_id}")
    print(f"{len(wanted)} of {len(authorisation.items)} to sign: step {step.id}, by {by}.", file=sys.stderr)
    with holder_signer(house, person(house.stores.roster, by), Pin(secret("PIN", flag="--pin-file", file=pin_file)), step) as signer:
        run.tell(records.resume(authorisation_id, by=who, signer=signer, time_stamper=house.tsa, wanted=wanted))
    return run.finish()


def _sealed(house: House, school: str, by: Actor, waiting: list[Standing]) -> Iterator[StepResult]:
    signer = seal_signer(house, house.stores.roster.school(school))
    by_step = groupby(sorted(waiting, key=step_id), key=step_id)  # workflows may call their seal differently
    for step, standings in by_step:
        ids = [standing.record_id for standing in standings]
        yield from house.services.records.seal(ids, step=step, by=by, signer=signer, time_stamper=house.tsa, validation=house.evidence)


def step_id(standing: Standing) -> str:
    return standing.step.id if standing.step else ""
