"""Publication of revocation lists: what is due, and the publisher that makes it and keeps it where every process finds it.

A list is made anew before half of its life has passed, and at once after a revocation, suspension or release in its shard, whoever made it:
each stands in the log, in the transaction that made it, and a published list remembers how much of the log it covers. What is due is a pure
function of the published lists, the changes logged since and the time.

    publisher = Publisher(sources=signers, store=store, turns=turns, clock=clock)
    done = publisher.publish_due()        # again and again, in every process; they take turns
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from cryptography import x509

from pki.errors import PkiError
from pki.issuing.urls import shard_of
from pki.ports import Clock, CrlSource
from pki.status.crl import CrlSigner

RENEW_AFTER = 0.4  # of a list's life; docs/cps.md 2.2
OVERDUE_AFTER = 0.5  # of a list's life: by now another was to be out
AHEAD = timedelta(minutes=5)  # that a list may be dated ahead of this machine's clock: machines that publish in turn differ a little
TURN = timedelta(seconds=30)  # a shard that a process was renewing when it died is taken over after this

Shard = tuple[str, int]
"""An issuer's name in the books, and the number of a shard of its list."""


@dataclass(frozen=True)
class CrlState:
    """A published list, without its octets. Times are aware UTC; `covers` is the size of the log when its entries were read."""

    issuer: str
    shard: int
    number: int
    this_update: datetime
    next_update: datetime
    covers: int

    def after(self, share: float) -> datetime:
        """When `share` of its life has passed."""
        return self.this_update + (self.next_update - self.this_update) * share


@dataclass(frozen=True)
class PublishedCrl:
    state: CrlState
    der: bytes


@dataclass(frozen=True)
class StatusChange:
    """A revocation, suspension or release, and where the log tells of it."""

    issuer: str
    serial: int
    position: int


@dataclass(frozen=True)
class Round:
    """What one call of :meth:`Publisher.publish_due` did. `failed` says why a shard that is due has no new list."""

    published: tuple[CrlState, ...] = ()
    failed: Mapping[Shard, Exception] = field(default_factory=dict)


class PublicationStore(Protocol):
    """Where published lists are kept, durable and shared, and the log of status changes."""

    def states(self) -> tuple[CrlState, ...]: ...

    def state(self, issuer: str, shard: int) -> CrlState | None: ...

    def load(self, issuer: str, shard: int) -> PublishedCrl | None: ...

    def save(self, crl: PublishedCrl) -> bool:
        """False, and nothing changed, where a list of this number or a higher one stands."""
        ...

    def log_size(self) -> int:
        """What was logged below this position is seen by whoever reads the books from now on."""
        ...

    def changes(self, start: int, stop: int) -> Iterable[StatusChange]:
        """Those logged at positions `start` to `stop` (excluded)."""
        ...


class Turns(Protocol):
    """Keeps processes from doing the same work at once."""

    def turn(self, name: str, *, at_most: timedelta) -> AbstractContextManager[bool]:
        """Whether the work is ours while the block lasts; it falls to others after `at_most`."""
        ...


def due(shards: Mapping[str, int], states: Iterable[CrlState], changed: Mapping[Shard, int], *, now: datetime) -> tuple[Shard, ...]:
    """The shards whose list is to be made now, most urgent first: status changed, none there, old, dated ahead of the clock.

    `shards` says how many each issuer has, `changed` where in the log the newest change of a shard stands.
    """
    published = {(state.issuer, state.shard): state for state in states}
    urgency: dict[Shard, int] = {}
    for key in _all(shards):
        state = published.get(key)
        if state is not None and changed.get(key, -1) >= state.covers:
            urgency[key] = 0
        elif state is None:
            urgency[key] = 1
        elif now >= state.after(RENEW_AFTER):
            urgency[key] = 2
        elif now < state.this_update - AHEAD:
            urgency[key] = 3  # made while the clock was ahead; verifiers would call it a list from the future
    return tuple(sorted(urgency, key=lambda key: (urgency[key], key)))


def overdue(shards: Mapping[str, int], states: Iterable[CrlState], *, now: datetime) -> tuple[Shard, ...]:
    """The shards whose list is missing, or half of whose life has passed: publication does not work, or an imported list wants renewing."""
    published = {(state.issuer, state.shard): state for state in states}
    return tuple(key for key in _all(shards) if key not in published or now >= published[key].after(OVERDUE_AFTER))


class Publisher:
    """Publishes what `sources` give: a :class:`pki.status.crl.CrlSigner` makes lists, any other source brings those made elsewhere.

    `together` are groups of issuers that stand on each other's lists, as roots of one name do. Safe between threads and, with `turns` and
    `store` shared, between processes.
    """

    def __init__(
        self,
        *,
        sources: Sequence[CrlSource],
        store: PublicationStore,
        turns: Turns,
        clock: Clock,
        together: Sequence[Collection[str]] = (),
    ) -> None:
        self._signers = {source.issuer: source for source in sources if isinstance(source, CrlSigner)}
        self._brought = [source for source in sources if not isinstance(source, CrlSigner)]
        self._expected = {source.issuer: source.shards for source in sources}
        self._together = {name: tuple(group) for group in together for name in group}
        self._store = store
        self._turns = turns
        self._clock = clock
        self._lock = threading.Lock()
        self._read_to: int | None = None
        self._changed: dict[Shard, int] = {}
        self._taken: dict[str, bytes] = {}

    @property
    def store(self) -> PublicationStore:
        return self._store

    def publish_due(self) -> Round:
        """Makes every list that is due and that no other process is making. Errors of the store, when asked what is due, propagate."""
        published: list[CrlState] = []
        failed: dict[Shard, Exception] = {}
        with self._lock:
            work = [((source.issuer, 0), partial(self._take, source)) for source in self._brought]
            work += [(key, partial(self._in_turn, key)) for key in self._due()]
            for key, run in work:
                try:
                    published += run()
                except Exception as exc:  # the other lists are published all the same; this one is tried again in the next round
                    failed[key] = exc
        return Round(tuple(published), failed)

    def publish(self, issuer: str, shard: int) -> CrlState | None:
        """Makes a list now, due or not; None where another process published a newer one meanwhile. PkiError for an issuer without key."""
        if issuer not in self._signers:
            raise PkiError(f"CRL of {issuer}: its key is not here; import a list that was made where the key is")
        return next(iter(self._publish(issuer, shard)), None)

    def publish_all(self) -> tuple[CrlState, ...]:
        """Makes every list whose key is here now, due or not. Raises what store and key raise."""
        made = (self.publish(name, shard) for name, shard in _all({each.issuer: each.shards for each in self._signers.values()}))
        return tuple(state for state in made if state is not None)

    def makes(self, issuer: str, shard: int) -> bool:
        """Whether this publisher has the key for a shard."""
        return issuer in self._signers and 0 <= shard < self._signers[issuer].shards

    def expects(self, issuer: str, shard: int) -> bool:
        """Whether there is such a shard, made here or imported."""
        return 0 <= shard < self._expected.get(issuer, 0)

    def overdue(self) -> tuple[Shard, ...]:
        """As :func:`overdue`, for every issuer, now."""
        return overdue(self._expected, self._store.states(), now=self._clock())

    def _due(self) -> tuple[Shard, ...]:
        states = self._store.states()
        self._read_log(states)
        return due({name: signer.shards for name, signer in self._signers.items()}, states, self._changed, now=self._clock())

    def _read_log(self, states: Sequence[CrlState]) -> None:
        """Takes in the changes since the last look; at first, all those that some published list may not cover."""
        size = self._store.log_size()
        if self._read_to is not None and size < self._read_to:  # the database was brought back from a backup under our feet
            self._read_to, self._changed = None, {}
        start = min((state.covers for state in states), default=size) if self._read_to is None else self._read_to
        if start < size:
            for change in self._store.changes(start, size):
                for name in self._together.get(change.issuer, (change.issuer,)):
                    if name in self._signers:
                        self._changed[name, shard_of(change.serial, self._signers[name].shards)] = change.position
        self._read_to = size

    def _in_turn(self, key: Shard) -> list[CrlState]:
        with self._turns.turn(f"crl/{key[0]}/{key[1]}", at_most=TURN) as ours:
            # another process may have made it between our look and our turn
            return self._publish(*key) if ours and key in self._due() else []

    def _take(self, source: CrlSource) -> list[CrlState]:
        """Publishes a list that was brought here, where it is newer than the one that is published."""
        der = source.crl(0)
        if self._taken.get(source.issuer) == der:
            return []
        crl = x509.load_der_x509_crl(der)
        number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        ends = crl.next_update_utc or crl.last_update_utc
        state = CrlState(source.issuer, 0, number, crl.last_update_utc, ends, self._store.log_size())
        saved = self._store.save(PublishedCrl(state, der))
        self._taken[source.issuer] = der
        return [state] if saved else []

    def _publish(self, issuer: str, shard: int) -> list[CrlState]:
        covers = self._store.log_size()  # before the entries are read: what is logged from here on makes the list due again
        made = self._signers[issuer].make(shard)
        state = CrlState(issuer, shard, made.number, made.this_update, made.next_update, covers)
        return [state] if self._store.save(PublishedCrl(state, made.der)) else []


def _all(shards: Mapping[str, int]) -> list[Shard]:
    return [(issuer, shard) for issuer, count in shards.items() for shard in range(count)]
