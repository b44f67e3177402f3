"""The log as an outsider sees it: everything below is done with what the addresses give."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime

import httpx
import pytest

from config.house import House
from db import log
from db.errors import LogTamperedError
from db.log_tree import MAX_LEAVES
from db.tables_log import log_entries
from pki.log.checkpoint import Checkpoint, opened_checkpoint
from pki.log.merkle import leaf_hash, root_of, verify_consistency, verify_inclusion
from pki.log.note import verifier_key

AT = datetime(2026, 6, 1, tzinfo=UTC)
NAME = "Nguyễn Thị Bí Mật"


def append(house: House, count: int) -> None:
    with house.stores.database.writing() as connection:
        log.append_all(connection, [log.NewEntry("test.happened", f"s{n}", AT, {"name": NAME}) for n in range(count)])


def head(client: httpx.Client) -> Checkpoint:
    key = verifier_key(client.get("/log/key").text)
    return opened_checkpoint(client.get("/log/checkpoint").text, key)


def octets(values: list[str]) -> list[bytes]:
    return [base64.b64decode(value) for value in values]


def leaves(client: httpx.Client, size: int) -> list[bytes]:
    found: list[bytes] = []
    while len(found) < size:
        answer = client.get("/log/leaves", params={"start": len(found), "end": size}).raise_for_status().json()
        found += octets(answer["leaves"])
        assert answer["end"] == len(found)
    return found


def problem(answer: httpx.Response) -> tuple[int, str, str]:
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, body["type"].rpartition("/")[2], body["detail"]


def test_the_checkpoint_is_signed_under_the_authoritys_name(client: httpx.Client, house: House) -> None:
    house.sealer.seal()
    found = head(client)
    assert found.origin == "pki.eduseal.example/log"
    assert found.size == house.stores.log.size()
    assert client.get("/log/checkpoint").headers["cache-control"] == "no-cache"


def test_the_root_is_that_of_the_leaves(client: httpx.Client, house: House) -> None:
    append(house, MAX_LEAVES + 30)
    house.sealer.seal()
    found = head(client)
    assert root_of([leaf_hash(leaf) for leaf in leaves(client, found.size)]) == found.root


def test_every_leaf_has_a_proof(client: httpx.Client, house: House) -> None:
    append(house, 300)
    house.sealer.seal()
    found = head(client)
    data = leaves(client, found.size)
    for index in (0, 1, 255, 256, found.size - 1):
        answer = client.get("/log/proof/inclusion", params={"index": index, "size": found.size}).json()
        verify_inclusion(index, found.size, leaf=leaf_hash(data[index]), proof=octets(answer["hashes"]), root=found.root)


def test_a_later_checkpoint_continues_an_earlier_one(client: httpx.Client, house: House) -> None:
    house.sealer.seal()
    old = head(client)
    append(house, 5)
    house.sealer.seal()
    new = head(client)
    answer = client.get("/log/proof/consistency", params={"from": old.size, "to": new.size}).json()
    verify_consistency(old.size, new.size, old_root=old.root, new_root=new.root, proof=octets(answer["hashes"]))
    assert new.size == old.size + 5


def test_the_running_service_seals_by_itself(client: httpx.Client, house: House) -> None:
    append(house, 1)
    deadline = time.monotonic() + 10
    while head(client).size < house.stores.log.size():
        assert time.monotonic() < deadline, "not sealed within 10 seconds"
        time.sleep(0.1)


def test_leaves_tell_nothing_of_what_was_logged(client: httpx.Client, house: House) -> None:
    append(house, 2)  # two entries alike but for their place
    house.sealer.seal()
    size = head(client).size
    answer = client.get("/log/leaves", params={"start": size - 2, "end": size})
    assert set(answer.json()) == {"start", "end", "leaves"}
    assert [len(leaf) for leaf in octets(answer.json()["leaves"])] == [32, 32]
    assert len(set(answer.json()["leaves"])) == 2


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/log/proof/inclusion?index=0&size=99999999", "size 99999999: the newest checkpoint covers"),
        ("/log/proof/inclusion?index=2&size=2", "index 2 is not in a tree of 2 leaves"),
        ("/log/proof/consistency?from=0&to=2", "sizes 0 and 2: expected the first to be from 1 to the second"),
        ("/log/proof/consistency?from=3&to=2", "sizes 3 and 2: expected the first to be from 1 to the second"),
        ("/log/leaves?start=2&end=2", "leaves 2 to 2: expected a start from 0 to below the end"),
        ("/log/leaves?start=0&end=99999999", "size 99999999: the newest checkpoint covers"),
    ],
)
def test_what_lies_outside_the_tree_is_refused(client: httpx.Client, path: str, detail: str) -> None:
    status, slug, found = problem(client.get(path))
    assert (status, slug) == (422, "tree-range")
    assert found.startswith(detail)


@pytest.mark.parametrize(
    "path",
    [
        "/log/proof/inclusion",
        "/log/proof/inclusion?index=-1&size=1",
        "/log/proof/inclusion?index=x&size=1",
        "/log/proof/consistency?from=1",
        f"/log/leaves?start=0&end={'9' * 5000}",
        f"/log/leaves?start=0&end={1 << 63}",
    ],
)
def test_what_is_no_number_is_refused(client: httpx.Client, path: str) -> None:
    assert problem(client.get(path))[:2] == (422, "invalid-request")


def test_a_log_with_a_hole_is_not_sealed_and_its_leaves_are_not_handed_out(doomed_client: httpx.Client, doomed_house: House) -> None:
    before = head(doomed_client)
    with doomed_house.stores.database.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER log_entries_no_delete")
        connection.execute(log_entries.delete().where(log_entries.c.position == 0))
    append(doomed_house, 1)
    with pytest.raises(LogTamperedError, match="has lost hash 0 of level 0"):
        doomed_house.sealer.seal()
    assert head(doomed_client) == before
    assert problem(doomed_client.get("/log/leaves?start=0&end=2"))[:2] == (503, "unavailable")
