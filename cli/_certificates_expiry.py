"""`eduseal certificates expiring`: what ends soon, told once at each threshold."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer

from cli._home import DatabaseUrl, Home, books
from cli._rows import Form, write_rows
from config.bootstrap import utc_now
from config.expiry import expiry_thresholds
from db.expiry import ExpiryNotices
from pki.issuing.expiry import Ending

OWN_DUE = 1
HEADINGS = ("HOLDER", "SCHOOL", "PROFILE", "SERIAL", "STATE", "ENDS", "DAYS", "NOTICE")


def expiring(
    days: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=3650, help="What ends within N days.  [default: the longest notice]")
    ] = None,
    school: Annotated[str | None, typer.Option(metavar="ID", help="Only this school's people and seal.")] = None,
    new: Annotated[bool, typer.Option("--new", help="Only what a notice is raised for now: for a mail once a day.")] = False,
    look: Annotated[bool, typer.Option("--look", help="Raise no notice: the next run tells it again.")] = False,
    form: Annotated[Form, typer.Option("--format", help="Aligned columns, CSV, or a JSON object a line.")] = Form.TABLE,
    home: Home = None,
    database_url: DatabaseUrl = None,
) -> int:
    """List certificates that end soon and that no later one follows: people's, seals, and the authority's own.

    A notice is raised once at each threshold of the policy (60, 30 and 7 days before the end), and stands in the log. Exit status 1 where
    something of the authority's own ends. Meant to run once a day.
    """
    thresholds, now = expiry_thresholds(), utc_now()
    with books(home, database_url) as stores:
        notices = ExpiryNotices(stores.database)
        if school is not None:
            stores.roster.school(school)
        # noticed is what any threshold says; listed is what was asked for
        found = notices.ending(at=now, by=now + timedelta(days=max(days or 0, *thresholds)), school_id=school)
        due = [(ending, notice) for ending in found if (notice := ending.notice(now, thresholds)) is not None]
        raised = tuple(ending for ending, _ in due) if look else notices.raise_notices(due, at=now)
    within = timedelta(days=days or max(thresholds))
    listed = [each for each in found if each.entry.not_after - now <= within and (not new or each in raised)]
    fresh = {(each.entry.issuer, each.entry.serial): each.notice(now, thresholds) for each in raised}
    if form is Form.TABLE and not listed:
        print("Nothing new ends soon." if new else f"Nothing ends within {within.days} days.")
    else:
        write_rows(HEADINGS, (_cells(each, now, fresh.get((each.entry.issuer, each.entry.serial))) for each in listed), form)
    return OWN_DUE if any(each.is_own for each in listed) else 0


def _cells(ending: Ending, now: datetime, notice: int | None) -> tuple[str, ...]:
    entry = ending.entry
    told = f"{notice} days" if notice is not None else ""
    ends = f"{entry.not_after:%Y-%m-%d}"
    return (
        *(entry.holder, ending.school_id or "", entry.profile, f"{entry.serial:x}", entry.state.value),
        *(ends, str(ending.days_left(now)), told),
    )
