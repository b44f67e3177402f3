"""What is due to be published, and what a publisher does about it; the store is a dictionary."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.errors import PkiError
from pki.issuing.urls import shard_of
from pki.status.crl import CrlSigner
from pki.status.publication import CrlState, PublishedCrl, Publisher, Shard, StatusChange, due, overdue
from pki.structures.algorithms import SigningKey
from tests.support.authority import BASE_URL
from tests.support.status_house import SHARDS, House

NOW = datetime(2026, 9, 5, 8, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


def state(shard: int = 0, *, age: timedelta = timedelta(0), covers: int = 10) -> CrlState:
    return CrlState("issuing", shard, 1, NOW - age, NOW - age + WEEK, covers)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(0), ()),
        (WEEK * 0.4 - timedelta(seconds=1), ()),
        (WEEK * 0.4, (("issuing", 0),)),
        (WEEK / 2, (("issuing", 0),)),
        (WEEK * 3, (("issuing", 0),)),
        (-timedelta(minutes=5), ()),  # made on a machine whose clock is a little ahead
        (-timedelta(hours=1), (("issuing", 0),)),  # made while the clock was wrong
    ],
)
def test_a_list_is_due_before_half_of_its_life_has_passed(age: timedelta, expected: tuple[Shard, ...]) -> None:
    assert due({"issuing": 1}, [state(age=age)], {}, now=NOW) == expected


@pytest.mark.parametrize(("position", "expected"), [(9, ()), (10, (("issuing", 0),)), (99, (("issuing", 0),))])
def test_a_list_is_due_where_a_change_is_logged_that_it_does_not_cover(position: int, expected: tuple[Shard, ...]) -> None:
    assert due({"issuing": 1}, [state(covers=10)], {("issuing", 0): position}, now=NOW) == expected


def test_the_most_urgent_comes_first() -> None:
    states = [state(0), state(1, age=WEEK), state(3, covers=5), state(4, age=-WEEK)]
    found = due({"issuing": 5}, states, {("issuing", 3): 7}, now=NOW)
    assert [shard for _, shard in found] == [3, 2, 1, 4]  # changed, missing, old, from the future


def test_what_is_missing_or_past_half_of_its_life_is_overdue() -> None:
    states = [state(0), state(1, age=WEEK / 2), state(2, age=WEEK / 2 - timedelta(seconds=1))]
    assert overdue({"root": 1, "issuing": 3}, states, now=NOW) == (("root", 0), ("issuing", 1))


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    steps=st.lists(st.tuples(st.floats(0, 0.1), st.lists(st.integers(0, 3), max_size=3)), max_size=60),
    shards=st.integers(1, 4),
)
def test_looking_often_enough_nothing_is_ever_overdue_or_uncovered(steps: list[tuple[float, list[int]]], shards: int) -> None:
    """`steps`: shares of a list's life between two looks, and the shards whose status changed meanwhile."""
    now, logged, changed = NOW, 0, dict[Shard, int]()
    lists: dict[Shard, CrlState] = {}
    for share, hit in steps:
        now += WEEK * share
        for shard in hit:
            changed["issuing", shard % shards] = logged
            logged += 1
        for issuer, shard in due({"issuing": shards}, lists.values(), changed, now=now):
            lists[issuer, shard] = CrlState(issuer, shard, 1, now, now + WEEK, covers=logged)
        assert overdue({"issuing": shards}, lists.values(), now=now) == ()
        assert all(changed.get(key, -1) < state.covers for key, state in lists.items())
        assert due({"issuing": shards}, lists.values(), changed, now=now) == ()


class MemoryPublications:
    """:class:`pki.status.publication.PublicationStore` in a dictionary."""

    def __init__(self) -> None:
        self.lists: dict[Shard, PublishedCrl] = {}
        self.log: list[tuple[str, int]] = []
        self.looked = 0

    def states(self) -> tuple[CrlState, ...]:
        return tuple(crl.state for crl in self.lists.values())

    def state(self, issuer: str, shard: int) -> CrlState | None:
        found = self.load(issuer, shard)
        return found.state if found else None

    def load(self, issuer: str, shard: int) -> PublishedCrl | None:
        return self.lists.get((issuer, shard))

    def save(self, crl: PublishedCrl) -> bool:
        key = (crl.state.issuer, crl.state.shard)
        if key in self.lists and self.lists[key].state.number >= crl.state.number:
            return False
        self.lists[key] = crl
        return True

    def log_size(self) -> int:
        return len(self.log)

    def changes(self, start: int, stop: int) -> Iterator[StatusChange]:
        self.looked += 1
        yield from (StatusChange(*self.log[position], position) for position in range(start, stop))


class Turns:
    """:class:`pki.status.publication.Turns`; somebody else is at what stands in `taken`."""

    def __init__(self, *taken: str) -> None:
        self.taken = taken

    @contextmanager
    def turn(self, name: str, *, at_most: timedelta) -> Iterator[bool]:
        yield name not in self.taken


class BrokenKey:
    """A key whose token was pulled out."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        self.broken = True

    def __getattr__(self, name: str) -> object:
        return getattr(self._key, name)

    def sign(self, message: bytes) -> bytes:
        if self.broken:
            raise PkiError("the token does not answer")
        return self._key.sign(message)


class Press:
    """A publisher over an authority in memory, and what it needs."""

    def __init__(self, house: House, *, turns: Turns | None = None) -> None:
        self.house = house
        self.store = MemoryPublications()
        self.signers = [house.crl_signer("root"), house.crl_signer("issuing", SHARDS)]
        self.publisher = self.another(turns)

    def another(self, turns: Turns | None = None) -> Publisher:
        return Publisher(sources=self.signers, store=self.store, turns=turns or Turns(), clock=self.house.authority.clock)

    def revoke(self) -> Shard:
        self.house.revoke(self.house.teacher, "superseded")
        self.store.log.append(("issuing", self.house.teacher.serial))
        return "issuing", shard_of(self.house.teacher.serial, SHARDS)


@pytest.fixture
def press(house: House) -> Press:
    return Press(house)


def keys_of(states: tuple[CrlState, ...]) -> list[Shard]:
    return [(each.issuer, each.shard) for each in states]


def test_every_shard_is_published_at_first(press: Press) -> None:
    done = press.publisher.publish_due()
    assert keys_of(done.published) == [*(("issuing", shard) for shard in range(SHARDS)), ("root", 0)]
    assert (done.failed, press.publisher.publish_due().published) == ({}, ())


def test_only_the_shard_of_a_revocation_is_published_anew(press: Press) -> None:
    press.publisher.publish_due()
    key = press.revoke()
    assert keys_of(press.publisher.publish_due().published) == [key]
    crl = x509.load_der_x509_crl(press.store.lists[key].der)
    assert crl.get_revoked_certificate_by_serial_number(press.house.teacher.serial) is not None


def test_another_process_finds_what_happened_before_it_began(press: Press) -> None:
    press.publisher.publish_due()
    key = press.revoke()
    assert keys_of(press.another().publish_due().published) == [key]
    assert press.publisher.publish_due().published == ()


def test_the_log_is_read_once(press: Press) -> None:
    press.publisher.publish_due()
    press.revoke()
    for _ in range(5):
        press.publisher.publish_due()
    assert press.store.looked == 1


def test_a_log_that_became_shorter_is_read_anew(press: Press) -> None:
    """The database was brought back from a backup while the service ran."""
    press.store.log += [("issuing", 1)] * 10
    press.publisher.publish_due()
    press.revoke()
    press.publisher.publish_due()
    kept = {key: crl for key, crl in press.store.lists.items() if crl.state.covers <= 10}
    press.store.lists, press.store.log = kept, press.store.log[:5]
    for key, crl in kept.items():
        press.store.lists[key] = replace(crl, state=replace(crl.state, covers=5))
    press.publisher.publish_due()
    assert press.publisher.publish_due().published == ()
    key = press.house.teacher.serial % SHARDS
    press.store.log.append(("issuing", press.house.teacher.serial))
    assert keys_of(press.publisher.publish_due().published) == [("issuing", key)]


def test_a_shard_that_another_process_is_making_is_left_to_it(house: House) -> None:
    press = Press(house, turns=Turns("crl/issuing/1"))
    assert ("issuing", 1) not in keys_of(press.publisher.publish_due().published)


def test_what_fails_is_named_and_tried_again_and_the_rest_is_published(press: Press) -> None:
    key = BrokenKey(press.house.root.key)
    root = CrlSigner(
        issuer="root",
        issuer_certificate_der=press.house.root.der,
        key=key,  # type: ignore[arg-type]  # hands on to the key
        store=press.house.books,
        clock=press.house.authority.clock,
        shards=1,
        base_url=BASE_URL,
    )
    press.signers[0] = root
    publisher = press.another()
    done = publisher.publish_due()
    assert [(at, str(exc)) for at, exc in done.failed.items()] == [(("root", 0), "the token does not answer")]
    assert len(done.published) == SHARDS
    key.broken = False
    assert keys_of(publisher.publish_due().published) == [("root", 0)]


class Brought:
    """A :class:`pki.ports.CrlSource` of a list that was made elsewhere."""

    issuer, shards = "root", 1

    def __init__(self, der: bytes, issuer_certificate_der: bytes) -> None:
        self.der = der
        self.issuer_certificate_der = issuer_certificate_der

    def crl(self, shard: int) -> bytes:
        return self.der


def test_a_list_that_was_brought_is_published_once_and_gives_way_to_a_newer_one(press: Press) -> None:
    signer = press.house.crl_signer("root")
    source = Brought(signer.crl(0), press.house.root.der)
    publisher = Publisher(sources=[source], store=press.store, turns=Turns(), clock=press.house.authority.clock)
    assert [each.number for each in publisher.publish_due().published] == [1]
    old = source.der
    source.der = signer.crl(0)
    assert [each.number for each in publisher.publish_due().published] == [2]
    source.der = old
    assert publisher.publish_due().published == ()
    assert press.store.lists["root", 0].state.number == 2
    with pytest.raises(PkiError, match="CRL of root: its key is not here"):
        publisher.publish("root", 0)


def test_issuers_of_one_name_stand_on_each_others_lists(press: Press) -> None:
    clock = press.house.authority.clock
    publisher = Publisher(sources=press.signers, store=press.store, turns=Turns(), clock=clock, together=[["root", "root-2"]])
    publisher.publish_due()
    press.store.log.append(("root-2", 5))
    assert keys_of(publisher.publish_due().published) == [("root", 0)]
