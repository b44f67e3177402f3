"""Answers that a process keeps: what others may do with them, and when it must not give them out."""

from __future__ import annotations

import asyncio
import base64
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from api.ocsp_cache import KEPT, MAX_AGE, MAX_PATH, TRUSTED_SECONDS, OcspCache, ReadyAnswer, ready
from api.status_watch import INTERVAL, StatusWatch
from config.house import House
from config.rekey import rekey_service
from db.errors import DatabaseError
from db.status_changes import MAX_READ, StatusChanges
from pki.status.ocsp_answer import OcspAnswer, ResponseStatus
from tests.api.conftest import PASSPHRASE, Clock
from tests.api.test_authority_routes import issue, request_der

NOW = datetime(2026, 9, 5, 8, 0, tzinfo=UTC)
PATH = "/ocsp/MAA="


class Monotonic:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Books:
    """Answers what the test puts in, or raises it."""

    def __init__(self) -> None:
        self.asked: list[int | None] = []
        self.answer: tuple[int, bool] | Exception = (7, False)

    def since(self, position: int | None) -> tuple[int, bool]:
        self.asked.append(position)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def answer(**changes: object) -> OcspAnswer:
    given: dict[str, object] = {
        "der": b"answer", "status": ResponseStatus.SUCCESSFUL, "states": ("good",), "cacheable": True, "this_update": NOW,
        "next_update": NOW + timedelta(hours=12),
    }  # fmt: skip
    return OcspAnswer(**{**given, **changes})  # type: ignore[arg-type]  # a test changes any of them


def kept(**changes: object) -> ReadyAnswer:
    return ready(answer(**changes), media_type=b"application/ocsp-response", now=NOW)[0]


@pytest.fixture
def monotonic() -> Monotonic:
    return Monotonic()


@pytest.fixture
def cache(monotonic: Monotonic) -> OcspCache:
    made = OcspCache(monotonic=monotonic)
    made.confirm(as_of=monotonic.seconds)
    made.put(PATH, kept(), generation=made.generation)
    return made


def test_a_kept_answer_is_given_while_it_is_confirmed(cache: OcspCache, monotonic: Monotonic) -> None:
    monotonic.seconds += TRUSTED_SECONDS - 0.01
    assert cache.get(PATH, now=NOW) is not None


def test_what_nobody_confirms_is_not_given_after_less_than_a_second(cache: OcspCache, monotonic: Monotonic) -> None:
    monotonic.seconds += TRUSTED_SECONDS
    assert cache.get(PATH, now=NOW) is None
    assert INTERVAL < TRUSTED_SECONDS < 1


def test_a_cache_that_was_never_confirmed_gives_nothing(monotonic: Monotonic) -> None:
    cache = OcspCache(monotonic=monotonic)
    cache.put(PATH, kept(), generation=cache.generation)
    assert cache.get(PATH, now=NOW) is None


def test_a_change_empties_the_cache(cache: OcspCache) -> None:
    cache.clear()
    assert cache.get(PATH, now=NOW) is None


def test_an_answer_begun_before_a_change_is_not_kept_after_it(cache: OcspCache) -> None:
    before = cache.generation
    cache.clear()
    cache.put(PATH, kept(), generation=before)
    assert cache.get(PATH, now=NOW) is None


def test_an_answer_is_not_given_beyond_its_hour(cache: OcspCache) -> None:
    assert cache.get(PATH, now=NOW + KEPT - timedelta(seconds=1)) is not None
    assert cache.get(PATH, now=NOW + KEPT) is None


def test_an_answer_made_while_the_clock_was_ahead_is_not_given_again(cache: OcspCache) -> None:
    assert cache.get(PATH, now=NOW - timedelta(seconds=1)) is None
    assert cache.get(PATH, now=NOW) is not None


def test_the_oldest_answers_make_room(monotonic: Monotonic) -> None:
    cache = OcspCache(most=3, monotonic=monotonic)
    cache.confirm(as_of=monotonic.seconds)
    for number in range(5):
        cache.put(f"/ocsp/{number}", kept(), generation=cache.generation)
    assert [cache.get(f"/ocsp/{number}", now=NOW) is not None for number in range(5)] == [False, False, True, True, True]
    assert len(cache) == 3


def test_a_long_request_is_not_kept(cache: OcspCache) -> None:
    long = "/ocsp/" + "A" * MAX_PATH
    cache.put(long, kept(), generation=cache.generation)
    assert cache.get(long, now=NOW) is None


@pytest.mark.parametrize("hours", [1, 2, 12])
def test_nobody_holds_an_answer_beyond_its_next_update(hours: float) -> None:
    made, may_be_kept = ready(answer(next_update=NOW + timedelta(hours=hours)), media_type=b"x", now=NOW)
    age = int(dict(made.start["headers"])[b"cache-control"].split(b",")[0].removeprefix(b"max-age="))
    assert may_be_kept
    assert age <= MAX_AGE.total_seconds()
    assert made.until + timedelta(seconds=age) <= NOW + timedelta(hours=hours)


def test_what_is_unknown_is_not_kept() -> None:
    made, may_be_kept = ready(answer(cacheable=False, states=("unknown",)), media_type=b"x", now=NOW)
    assert not may_be_kept
    assert (b"cache-control", b"no-store") in made.start["headers"]


def test_the_watch_confirms_what_did_not_change(monotonic: Monotonic) -> None:
    cache, books = OcspCache(), Books()
    watch = StatusWatch(cache, books)
    books.answer = (7, True)
    asyncio.run(watch.look())
    cache.put(PATH, kept(), generation=cache.generation)
    books.answer = (9, False)
    asyncio.run(watch.look())
    assert cache.get(PATH, now=NOW) is not None
    assert books.asked == [None, 7]


def test_the_watch_empties_the_cache_when_a_status_changed() -> None:
    cache, books = OcspCache(), Books()
    watch = StatusWatch(cache, books)
    asyncio.run(watch.look())
    cache.put(PATH, kept(), generation=cache.generation)
    books.answer = (8, True)
    asyncio.run(watch.look())
    assert cache.get(PATH, now=NOW) is None


def test_a_watch_that_cannot_see_the_books_confirms_nothing_and_begins_anew() -> None:
    cache, books = OcspCache(trusted=0.0), Books()
    watch = StatusWatch(cache, books)
    asyncio.run(watch.look())
    books.answer = DatabaseError("gone")
    asyncio.run(watch.look())
    cache.put(PATH, kept(), generation=cache.generation)
    assert cache.get(PATH, now=NOW) is None
    books.answer = (9, True)
    asyncio.run(watch.look())
    assert books.asked == [None, 7, None]


@pytest.fixture
def changes(house: House) -> StatusChanges:
    return StatusChanges(house.stores.database)


def test_issuing_is_no_change_of_a_status_that_anybody_keeps(house: House, changes: StatusChanges) -> None:
    start, first = changes.since(None)
    issue(house)
    end, changed = changes.since(start)
    assert (first, changed) == (True, False)
    assert end > start


@pytest.mark.parametrize("event", ["revoke", "suspend", "release"])
def test_revoking_suspending_and_releasing_are_changes(house: House, changes: StatusChanges, event: str) -> None:
    issuing, serial = house.authority.issuing, issue(house).serial
    if event == "release":
        issuing.suspend(serial)
    start, _ = changes.since(None)
    getattr(issuing, event)(serial)
    end, changed = changes.since(start)
    assert changed
    assert changes.since(end) == (end, False)


@pytest.mark.parametrize("ahead", [1, -MAX_READ - 1])
def test_a_log_that_became_shorter_or_much_longer_is_a_change(changes: StatusChanges, ahead: int) -> None:
    size, _ = changes.since(None)
    assert changes.since(size + ahead) == (size, True)


@pytest.fixture
def path(house: House) -> str:
    return f"/ocsp/{base64.b64encode(request_der(house, issue(house).certificate_der)).decode()}"


def test_others_may_keep_an_answer_for_ten_minutes(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["cache-control"] == "max-age=600, public, no-transform, must-revalidate"


def test_whoever_has_the_answer_already_hears_that_it_is_unchanged(client: httpx.Client, path: str) -> None:
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "cache-control", "expires"):
        assert again.headers[name] == first.headers[name]
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_head_gives_the_headers_alone(client: httpx.Client, path: str) -> None:
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(got.content))


def test_the_same_answer_is_given_again_until_something_changes(client: httpx.Client, house: House, path: str) -> None:
    first = client.get(path)
    assert client.get(path).content == first.content
    serial = ocsp.load_der_ocsp_response(first.content).serial_number
    house.authority.issuing.revoke(serial)
    deadline = 200
    while ocsp.load_der_ocsp_response(client.get(path).content).certificate_status is ocsp.OCSPCertStatus.GOOD:
        deadline -= 1
        assert deadline, "it is still good"
        asyncio.run(asyncio.sleep(0.05))
    assert client.get(path, headers={"If-None-Match": first.headers["etag"]}).status_code == 200


def test_no_kept_answer_outlives_the_responders_certificate_or_key(doomed_client: httpx.Client, doomed_house: House, clock: Clock) -> None:
    path = f"/ocsp/{base64.b64encode(request_der(doomed_house, issue(doomed_house).certificate_der)).decode()}"
    before = [doomed_client.get(path).content for _ in range(3)][-1]
    clock.moment += timedelta(seconds=1)  # entries of one moment have no order
    done = rekey_service(doomed_house.settings, "ocsp", reason=None, clock=clock, passphrase=PASSPHRASE)
    deadline = time.monotonic() + 20
    while (found := doomed_client.get(path).content) == before:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    (certificate,) = ocsp.load_der_ocsp_response(found).certificates
    assert certificate == x509.load_der_x509_certificate(done.issued[0].certificate_der)


def test_a_suspended_certificate_is_revoked_for_the_time_being(client: httpx.Client, house: House) -> None:
    issued = issue(house)
    house.authority.issuing.suspend(issued.serial)
    content = {"content": request_der(house, issued.certificate_der), "headers": {"Content-Type": "application/ocsp-request"}}
    held = ocsp.load_der_ocsp_response(client.post("/ocsp", **content).content)  # type: ignore[arg-type]
    assert (held.certificate_status, held.revocation_reason) == (ocsp.OCSPCertStatus.REVOKED, x509.ReasonFlags.certificate_hold)
    house.authority.issuing.release(issued.serial)
    freed = ocsp.load_der_ocsp_response(client.post("/ocsp", **content).content)  # type: ignore[arg-type]
    assert freed.certificate_status is ocsp.OCSPCertStatus.GOOD
