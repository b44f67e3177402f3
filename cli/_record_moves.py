"""`eduseal record request-unlock, confirm-unlock, refuse-unlock, relock, withdraw`: the moves of a record that sign nothing."""

from __future__ import annotations

from collections.abc import Callable

from cli._home import DatabaseUrl, Home, PassphraseFile, opened
from cli._people import By, Reason, actor
from cli._record_books import RecordId
from records.service import RecordService
from records.state import Actor, RecordState

Moving = Callable[[RecordService, Actor], RecordState]


def request_unlock(
    record_id: RecordId, by: By, reason: Reason, home: Home = None, database_url: DatabaseUrl = None, passphrase_file: PassphraseFile = None
) -> int:
    """Ask for the unlock of a locked record.

    It can then be revised, once it is confirmed; signing pauses until that is decided.
    """
    state = _move(lambda records, who: records.request_unlock(record_id, by=who, reason=reason), by, home, database_url, passphrase_file)
    print(f"{record_id} version {state.working.number}: unlock asked for by {by}. Another administrator or the principal decides.")
    return 0


def confirm_unlock(
    record_id: RecordId, by: By, home: Home = None, database_url: DatabaseUrl = None, passphrase_file: PassphraseFile = None
) -> int:
    """Confirm an unlock, as another than asked.

    For an administrator or the principal of the school.
    """
    state = _move(lambda records, who: records.confirm_unlock(record_id, by=who), by, home, database_url, passphrase_file)
    print(f"{record_id} version {state.working.number} is unlocked by {by}, for one revision.")
    return 0


def refuse_unlock(
    record_id: RecordId, by: By, reason: Reason, home: Home = None, database_url: DatabaseUrl = None, passphrase_file: PassphraseFile = None
) -> int:
    """Refuse an unlock: the record stands as before.

    For an administrator or the principal of the school, not for the one who asked.
    """
    state = _move(lambda records, who: records.refuse_unlock(record_id, by=who, reason=reason), by, home, database_url, passphrase_file)
    print(f"{record_id} version {state.working.number}: unlock refused by {by}; the record is {state.phase} as before.")
    return 0


def relock(record_id: RecordId, by: By, home: Home = None, database_url: DatabaseUrl = None, passphrase_file: PassphraseFile = None) -> int:
    """End an unlock that needs no revision."""
    state = _move(lambda records, who: records.relock(record_id, by=who), by, home, database_url, passphrase_file)
    print(f"{record_id} version {state.working.number} is {state.phase} again.")
    return 0


def withdraw(
    record_id: RecordId, by: By, reason: Reason, home: Home = None, database_url: DatabaseUrl = None, passphrase_file: PassphraseFile = None
) -> int:
    """Withdraw an official record, for good.

    It stays genuine and counts no longer. For an administrator or the principal of the school.
    """
    _move(lambda records, who: records.withdraw(record_id, by=who, reason=reason), by, home, database_url, passphrase_file)
    print(f"{record_id} is withdrawn by {by}.")
    return 0


def _move(move: Moving, by: str, home: str | None, database_url: str | None, passphrase_file: str | None) -> RecordState:
    with opened(home, database_url, passphrase_file) as house:
        return move(house.services.records, actor(house.stores.roster, by))
