"""`eduseal renew`: the next archive time stamp for every document that needs one soon. Meant to run by itself, once a day."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, PassphraseFile, opened
from records.renewals import RenewalResult
from signing.applying.renewal import HORIZON, Renewal

UNDONE = 1
HOUR = 3600  # seconds
_WORDS = {
    Renewal.DUE: "due",
    Renewal.NO_GAIN: "waiting",
    Renewal.TOO_LATE: "lost",
}


def command(
    horizon: Annotated[int, typer.Option(metavar="DAYS", min=1, max=3650, help="Renew what ends within so many days.")] = HORIZON.days,
    look: Annotated[bool, typer.Option("--look", help="Say what is due and change nothing.")] = False,
    every: Annotated[
        int | None, typer.Option(metavar="HOURS", min=1, max=24 * 7, help="Go on for ever, with a pause of so many hours between runs.")
    ] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Renew archive time stamps before they end.

    Every version of every record is looked after, superseded ones too. Repeating is safe, and so is stopping at any moment: a document has
    its new time stamp or the old, never half of one and never two new ones. An error stops only its own document. Exit status 1 where a
    document could not be renewed, has no time left, or waits for the time-stamp authority's own new certificate.
    """
    while True:
        # opened anew for each run: that is when the authority's own certificates are renewed
        with opened(home, database_url, passphrase_file) as house:
            run = _Run(look=look)
            for result in house.services.renewals.run(horizon=timedelta(days=horizon), look_only=look):
                run.tell(result)
        status = run.finish()
        if every is None:
            return status
        time.sleep(every * HOUR)


class _Run:
    def __init__(self, *, look: bool) -> None:
        self._look = look
        self._renewed = self._due = self._undone = 0

    def tell(self, result: RenewalResult) -> None:
        where = f"{result.record_id}  version {result.version}"
        if result.error is not None:
            self._undone += 1
            print(f"failed   {where}  {result.error}", flush=True)
        elif result.renewed and not self._look:
            self._renewed += 1
            print(f"renewed  {where}  holds until {result.until:%Y-%m-%d}", flush=True)
        elif result.renewal is not None:
            self._due += result.renewal is Renewal.DUE
            self._undone += result.renewal is not Renewal.DUE
            print(f"{_WORDS[result.renewal]:8} {where}  {_explained(result)}", flush=True)

    def finish(self) -> int:
        told = f"{self._due} due" if self._look else f"{self._renewed} renewed"
        print(f"{told}, {self._undone} not.", flush=True)
        return UNDONE if self._undone else 0


def _explained(result: RenewalResult) -> str:
    if result.renewal is Renewal.TOO_LATE:
        return f"its time stamp held until {result.until:%Y-%m-%d}; restore a copy that was renewed in time"
    if result.renewal is Renewal.NO_GAIN:
        return f"holds until {result.until:%Y-%m-%d}, and a new time stamp would hold no longer: renew the authority's certificates first"
    return f"holds until {result.until:%Y-%m-%d}"
