"""`eduseal log`."""

from __future__ import annotations

import base64
import json
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

NAME = "pki.eduseal.example/log"


@pytest.fixture
def key(desk) -> str:
    return (desk.home / "log" / "vkey").read_text().strip()


@pytest.fixture
def sealed(desk) -> int:
    """The log's size, all of it under a checkpoint."""
    assert desk("log", "checkpoint")[0] == 0
    with desk.books() as books:
        return books.log.size()


@pytest.fixture
def older(desk) -> tuple[str, int]:
    """A checkpoint from when the authority was young, and its size."""
    note = (desk.home / "log" / "checkpoint").read_text()
    return note, int(note.splitlines()[1])


def tampered(home: Path, *statements: str) -> None:
    with sqlite3.connect(home / "eduseal.sqlite") as connection:
        for verb in ("update", "delete"):
            connection.execute(f"DROP TRIGGER log_entries_no_{verb}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_the_home_has_a_key_and_a_checkpoint(desk, key):
    assert key.startswith(f"{NAME}+")
    assert (desk.home / "log" / "checkpoint").read_text().startswith(f"{NAME}\n")
    assert (desk.home / "log" / "key").stat().st_mode & 0o777 == 0o600


def test_a_whole_log(desk, key, sealed):
    status, out, err = desk("log", "verify")
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert lines[0] == f"The log is whole: {sealed} entries, {sealed} of them under a signed checkpoint."
    assert lines[1].startswith("Root of all: ")
    assert lines[2:] == [f"Held against: the database, {desk.home}/log/checkpoint", f"Log key: {key}"]


def test_verifying_needs_no_passphrase(desk, sealed, monkeypatch):
    monkeypatch.delenv("EDUSEAL_PASSPHRASE")
    assert desk("log", "verify")[0] == 0


def test_what_a_command_does_is_sealed_when_it_ends(desk):
    with desk.books() as books:
        serial = books.certificates.of_holder("SM-GV05")[0].serial
    assert desk("revoke", f"{serial:x}", "--reason", "superseded", "--yes")[0] == 0
    with desk.books() as books:
        assert books.log_tree.sealed().size == books.log.size()


def test_a_checkpoint_is_shown_with_the_key_beside_it(desk, key):
    status, out, err = desk("log", "checkpoint")
    assert (status, err) == (0, f"Log key: {key}\n")
    assert out == (desk.home / "log" / "checkpoint").read_text()


def test_a_checkpoint_is_written_and_held_against_later(desk, sealed):
    assert desk("log", "checkpoint", "--to", "kept")[1] == "Written: kept\n"
    status, out, _ = desk("log", "verify", "--checkpoint", "kept", "--save", "kept")
    assert status == 0
    assert "Held against: the database, " in out
    assert out.endswith("Written: kept\n")


def test_entries_are_listed(desk):
    lines = desk("log", "list", "--last", "3")[1].splitlines()
    assert lines[0].split() == ["INDEX", "AT", "EVENT", "SUBJECT"]
    assert len(lines) == 4
    found = [line.split()[2] for line in desk("log", "list", "--subject", "record/R-3")[1].splitlines()[1:]]
    assert found == ["record.opened"]


def test_an_entry_is_proven_to_somebody_without_a_home(desk, key, sealed, monkeypatch):
    assert desk("log", "prove", "3", "--to", "e.tlog-proof") == (0, "Written: e.tlog-proof\n", "")
    monkeypatch.delenv("EDUSEAL_HOME")
    status, out, err = desk("log", "verify", "--proof", "e.tlog-proof", "--key", key)
    assert (status, err) == (0, "")
    first, entry = out.splitlines()
    assert first == f"Proven: entry 3 of {sealed} in the log {NAME}:"
    assert json.loads(entry)["index"] == 3


def test_a_proof_in_which_one_letter_differs_proves_nothing(desk, key, sealed):
    proof = desk("log", "prove", "3")[1]
    Path("e.tlog-proof").write_text(proof.replace("extra A", "extra B") if "extra A" in proof else proof.replace("extra ", "extra AAAA"))
    assert desk("log", "verify", "--proof", "e.tlog-proof", "--key", key) == (
        1,
        f"Not proven: inclusion of 3 in {sealed}: the proof leads to another root.\n",
        "",
    )


def test_a_proof_under_another_key_proves_nothing(desk, sealed):
    Path("e.tlog-proof").write_text(desk("log", "prove", "3")[1])
    other = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    assert desk("log", "verify", "--proof", "e.tlog-proof", "--key", other) == (
        1,
        "Not proven: note: example.com/foo (530d903a) has not signed it.\n",
        "",
    )


def test_an_entry_that_is_not_there_cannot_be_proven(desk, sealed):
    assert desk("log", "prove", sealed)[::2] == (
        64,
        f"eduseal: there is no entry {sealed}; the log has {sealed}, numbered from 0\n",
    )


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE log_entries SET subject = 'x' WHERE position = 5", "entry 5 was altered: its leaf is that of another"),
        ("DELETE FROM log_entries WHERE position = 5", "entries were removed"),
        ("UPDATE log_entries SET position = -1 - position WHERE position = 5", "entry 5 is missing"),
    ],
)
def test_a_log_that_was_tampered_with(desk, sealed, statement, found):
    tampered(desk.home, statement)
    status, out, err = desk("log", "verify")
    assert (status, err) == (1, "")
    assert out.startswith("NOT WHOLE: ")
    assert found in out


def test_a_log_that_was_cut_back(desk, sealed):
    tampered(desk.home, f"DELETE FROM log_entries WHERE position >= {sealed - 2}", f"UPDATE log_head SET size = {sealed - 2}")
    found = f"the log has {sealed - 2} entries, the checkpoint in the database covers {sealed}: entries were removed"
    assert desk("log", "verify") == (1, f"NOT WHOLE: {found}.\n", "")
    assert desk("log", "checkpoint") == (65, "", f"eduseal: {found}\n")


def test_a_lost_copy_is_no_small_thing(desk, sealed):
    (desk.home / "log" / "checkpoint").unlink()
    status, out, err = desk("log", "verify")
    assert (status, out) == (65, "")
    assert "checkpoint is missing: what the database says of itself is no proof" in err
    assert desk("log", "checkpoint")[0] == 65
    assert desk("log", "checkpoint", "--adopt")[0] == 0
    assert desk("log", "verify")[0] == 0


def test_a_mistyped_key_is_told(desk, key):
    assert desk("log", "verify", "--key", "x")[::2] == (65, "eduseal: verifier key 'x': expected name+id+base64\n")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--proof", "p", "--save", "s"), "--proof goes with --key alone: a proof holds its checkpoint"),
        (
            ("--url", "http://x/log"),
            "whose log is it? name its key with --key; http://x/log/key shows one: compare it with what you were given",
        ),
    ],
)
def test_options_that_do_not_go_together(desk, arguments, why):
    assert desk("log", "verify", *arguments) == (64, "", f"eduseal: {why}\n")


# ---- another authority's log, over the network


class Public(BaseHTTPRequestHandler):
    """What the tests want to be answered, by path."""

    answers: dict[str, str]

    def do_GET(self) -> None:
        body = self.answers.get(self.path)
        self.send_response(404 if body is None else 200)
        self.end_headers()
        self.wfile.write((body or "").encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def public(desk, sealed) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a log, and its answers; those of this home's log at two sizes."""
    with desk.books() as books:
        tree, note = books.log_tree, books.log_tree.sealed().note

        def encoded(values):
            return [base64.b64encode(value).decode() for value in values]

        answers = {
            "/log/checkpoint": note,
            f"/log/leaves?start=0&end={sealed}": json.dumps({"leaves": encoded(tree.leaves(0, sealed))}),
            **{
                f"/log/proof/consistency?from={old}&to={sealed}": json.dumps({"hashes": encoded(tree.consistency(old, sealed))})
                for old in range(1, sealed + 1)
            },
        }
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Answers", (Public,), {"answers": answers}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/log", answers
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_public_log_is_checked_from_outside(desk, public, key, sealed):
    status, out, err = desk("log", "verify", "--url", public[0], "--key", key, "--save", "kept")
    assert (status, err) == (0, "")
    assert out.startswith(f"The log is whole: {sealed} entries, all under its signed checkpoint.\n")
    assert desk("log", "verify", "--url", public[0], "--key", key, "--checkpoint", "kept", "--save", "kept")[0] == 0


def test_a_public_log_with_another_leaf_is_not_whole(desk, public, key, sealed):
    url, answers = public
    path = f"/log/leaves?start=0&end={sealed}"
    leaves = json.loads(answers[path])["leaves"]
    answers[path] = json.dumps({"leaves": [leaves[1], leaves[0], *leaves[2:]]})
    assert desk("log", "verify", "--url", url, "--key", key) == (
        1,
        f"NOT WHOLE: the log's {sealed} leaves are not those of its checkpoint.\n",
        "",
    )


def test_a_public_log_that_was_cut_back_is_not_whole(desk, older, public, key, sealed):
    Path("kept").write_text(desk("log", "checkpoint")[1])
    url, answers = public
    answers["/log/checkpoint"], size = older
    status, out, _ = desk("log", "verify", "--url", url, "--key", key, "--checkpoint", "kept")
    assert (status, out) == (
        1,
        f"NOT WHOLE: the log shows {size} entries, the checkpoint in kept covers {sealed}: entries were removed.\n",
    )


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"leaves": 5}', '{"leaves": ["*"]}', '{"leaves": [5]}', "[" * 100_000])
def test_an_address_that_answers_otherwise_is_no_log(desk, public, key, sealed, body):
    url, answers = public
    path = f"/leaves?start=0&end={sealed}"
    answers[f"/log{path}"] = body
    assert desk("log", "verify", "--url", url, "--key", key) == (74, "", f"eduseal: {url}{path} does not answer as a log does\n")


def test_an_address_that_holds_leaves_back_is_not_whole(desk, public, key, sealed):
    public[1][f"/log/leaves?start=0&end={sealed}"] = '{"leaves": []}'
    status, out, _ = desk("log", "verify", "--url", public[0], "--key", key)
    assert (status, out) == (1, f"NOT WHOLE: the log does not hand out its leaf 0 of {sealed}.\n")


def test_an_address_that_is_not_there(desk, public, key):
    url = public[0].replace("/log", "/nothing")
    assert desk("log", "verify", "--url", url, "--key", key) == (74, "", f"eduseal: {url}/checkpoint answers with status 404\n")
    assert desk("log", "verify", "--url", "http://127.0.0.1:9/log", "--key", key)[::2] == (
        74,
        "eduseal: http://127.0.0.1:9/log cannot be reached (URLError)\n",
    )
    assert desk("log", "verify", "--url", "file:///etc/log", "--key", key)[0] == 64
