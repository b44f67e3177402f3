"""The book of authorisations (`design.md`, idea 8): granted for minutes, kept, claimed again after a crash, each refusal in the log."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from pki.ports import Clock
from records.errors import AlreadySpentError, NotEntitledError
from records.ports import AuthorisationStore
from records.state import Actor
from signing.applying.authorisation import Authorisation, AuthorisationError, AuthorisedItem

MAX_LIFETIME = timedelta(minutes=30)  # an authorisation expires in minutes; 5,000 records take less than ten


@dataclass(frozen=True)
class Authorisations:
    """Who may grant, and whether the PIN is right, have been settled before."""

    store: AuthorisationStore
    clock: Clock

    def grant(self, items: Iterable[AuthorisedItem], *, by: Actor, lifetime: timedelta) -> Authorisation:
        """Durable when it returns.

        Raises :class:`signing.applying.authorisation.AuthorisationError` for a lifetime over :data:`MAX_LIFETIME`.
        """
        if lifetime > MAX_LIFETIME:
            raise AuthorisationError(f"an authorisation for {lifetime}, expected {MAX_LIFETIME} at most")
        now = self.clock()
        granted = Authorisation(secrets.token_hex(16), by.id, now, now + lifetime, tuple(items))
        self.store.grant(granted)
        return granted

    def claim(self, authorisation_id: str, *, by: Actor) -> Authorisation:
        """The authorisation as it stands now. Refused, and in the log: another person's, one that ran out, one wholly used.

        Raises :class:`records.errors.NotFoundError`, NotEntitledError, AlreadySpentError and AuthorisationError.
        """
        found, now = self.store.load(authorisation_id), self.clock()
        error: AuthorisationError | AlreadySpentError | NotEntitledError | None = None
        if found.holder != by.id:
            error = NotEntitledError(f"authorisation {found.id} was granted by {found.holder}, got {by.id}")
        elif not found.granted_at <= now < found.expires_at:
            error = AuthorisationError(f"authorisation {found.id} is not in force: it ran until {found.expires_at:%Y-%m-%d %H:%M:%S} UTC")
        elif not found.unused:
            error = AlreadySpentError(f"authorisation {found.id}: each of its {len(found.items)} items is used already")
        if error is not None:
            self.note(authorisation_id, by=by, error=error)
            raise error
        return found

    def note(self, authorisation_id: str, *, by: Actor, error: Exception, record_id: str | None = None) -> None:
        """Writes what an authorisation did not permit to the log; errors of other kinds are none of its business."""
        if isinstance(error, AuthorisationError | AlreadySpentError | NotEntitledError):
            self.store.refused(authorisation_id, by=by.id, reason=str(error), at=self.clock(), record_id=record_id)
