"""Transcripts: complete, verified again from themselves alone; whatever is changed in one is found."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.ceremony.plan import CeremonyPlan
from pki.ceremony.review import review
from pki.ceremony.split import split
from pki.ceremony.transcript import MAX_TRANSCRIPT, Transcript, TranscriptError
from pki.errors import PkiError
from tests.support.ceremonies import Vault, shipped_plan

PROGRAM = "eduseal 0.1.0"


def held(vault: Vault, plan: CeremonyPlan) -> bytes:
    transcript = Transcript("hold", plan, program=PROGRAM, clock=vault.clock)
    transcript.outcome(vault.hold(plan))
    return transcript.close()


@cache
def rollover() -> bytes:
    return held(Vault.after("root", "issuing"), shipped_plan("rollover"))


@cache
def beginning() -> bytes:
    vault, plan = Vault(), shipped_plan("root")
    assert plan.split is not None
    transcript = Transcript("begin", plan, program=PROGRAM, clock=vault.clock)
    for share in split(bytes(32), threshold=plan.split.threshold, holders=plan.split.holders):
        transcript.share(share.number, share.holder, share.text().encode())
    return transcript.close()


def test_whole_transcript_is_verified() -> None:
    found = review(rollover())
    assert (found.step, found.title, found.program) == ("hold", "Rollover to the second generation", PROGRAM)
    assert found.sha256 == hashlib.sha256(rollover()).hexdigest()
    counted = {kind: found.found[kind] for kind in ("participant", "approval", "key", "request", "standing", "certificate", "crl")}
    assert counted == {"participant": 2, "approval": 1, "key": 1, "request": 1, "standing": 1, "certificate": 4, "crl": 2}


def test_transcript_of_shares_holds_their_digests_and_no_word() -> None:
    words = {word for share in split(bytes(32), threshold=2, holders=("a", "b", "c")) for word in share.words[4:]}
    assert review(beginning()).found["share"] == 3
    assert not {word for word in words if f" {word} " in beginning().decode()}


def test_times_are_the_clocks_in_utc() -> None:
    times = {json.loads(line)["time"] for line in rollover().splitlines()}
    assert times == {"2026-09-05T08:00:00Z"}


Lines = list[dict[str, Any]]


def changed(octets: bytes, change: Callable[[Lines], None], *, renumber: bool = True) -> bytes:
    lines = [json.loads(line) for line in octets.splitlines()]
    change(lines)
    if renumber:
        for number, line in enumerate(lines, start=1):
            line["n"] = number
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def where(lines: Lines, event: str, name: str | None = None) -> dict[str, Any]:
    return next(line for line in lines if line["event"] == event and (name is None or line.get("name") == name))


def swap(lines: Lines, event: str, name: str, other: dict[str, Any]) -> None:
    """Consistent in itself: octets of something else, with their digest."""
    line = where(lines, event, name)
    line["data"], line["sha256"] = other["data"], other["sha256"]


def other_file(lines: Lines) -> None:
    text = base64.b64decode(lines[0]["data"]).replace(b"First witness", b"Last witness")
    lines[0].update(data=base64.b64encode(text).decode(), sha256=hashlib.sha256(text).hexdigest())


TAMPERED: list[tuple[Callable[[Lines], None], str]] = [
    (lambda lines: lines.pop(), "from its heading to its end"),
    (lambda lines: lines.pop(0), "from its heading to its end"),
    (lambda lines: lines.remove(where(lines, "approval")), "0 approvals by a second person"),
    (lambda lines: where(lines, "approval").update(approved_by=["an"]), "nobody but the requester approved"),
    (lambda lines: where(lines, "approval").update(approved_by="chi"), "nobody but the requester approved"),
    (lambda lines: where(lines, "approval").update(sha256="00" * 32), "the approval is of another file, or of another key"),
    (lambda lines: lines.remove(where(lines, "participant")), "the participants are not those"),
    (other_file, "the participants are not those"),
    (lambda lines: where(lines, "participant").update(name="Somebody"), "the participants are not those"),
    (lambda lines: lines.remove(where(lines, "request")), "certificate issuing-2: its request is missing"),
    (lambda lines: lines.remove(where(lines, "certificate", "issuing-2")), "the file asks for others"),
    (lambda lines: lines.append(lines.pop(-1) | {"event": "end"}), ""),
    (lambda lines: lines.insert(5, dict(where(lines, "certificate", "root-2"))), "certificate root-2 stands twice"),
    (lambda lines: lines.remove(where(lines, "standing", "root")), "the certificate of root is missing"),
    (lambda lines: [lines.remove(where(lines, "crl")) for _ in range(2)] and None, "no revocation list"),
    (lambda lines: swap(lines, "crl", "root", where(lines, "crl", "root-2")), "not signed under the key"),
    (lambda lines: swap(lines, "certificate", "root-2", where(lines, "standing", "root")), "certificate "),
    (lambda lines: swap(lines, "certificate", "issuing-2", where(lines, "certificate", "root-2")), "certificate issuing-2: subject"),
    (
        lambda lines: swap(lines, "certificate", "root-2-by-root", where(lines, "certificate", "root-by-root-2")),
        "certificate root-2-by-root",
    ),
    (lambda lines: where(lines, "certificate").update(sha256="00" * 32), "have another SHA-256 than the line says"),
    (lambda lines: where(lines, "certificate").update(data="!!"), "not an event"),
    (lambda lines: lines[0].update(format="eduseal-transcript/2"), "expected eduseal-transcript/1"),
    (lambda lines: lines[0].update(step="party"), "step 'party'"),
]


@pytest.mark.parametrize("number", [number for number, (_, message) in enumerate(TAMPERED) if message])
def test_changed_transcript_is_refused(number: int) -> None:
    change, message = TAMPERED[number]
    with pytest.raises(PkiError, match=message):
        review(changed(rollover(), change))


def test_moved_line_is_found_by_its_number() -> None:
    with pytest.raises(TranscriptError, match="a line was added, removed or moved"):
        review(changed(rollover(), lambda lines: lines.insert(2, lines.pop(3)), renumber=False))


@pytest.mark.parametrize("count", [2, 1])
def test_shares_must_be_as_many_as_the_file_says(count: int) -> None:
    def fewer(lines: Lines) -> None:
        for _ in range(count):
            lines.remove(where(lines, "share"))

    with pytest.raises(TranscriptError, match=f"{3 - count} shares, expected a different one for each of 3 holders"):
        review(changed(beginning(), fewer))


@pytest.mark.parametrize("octets", [b"", b"\n", b"{}\n", b"[]\n" * 3, b"\xff" * 100, b"[" * 100_000, b"x" * (MAX_TRANSCRIPT + 1)])
def test_what_is_no_transcript_is_refused(octets: bytes) -> None:
    with pytest.raises(TranscriptError):
        review(octets)


@given(place=st.integers(0, 20_000), put=st.binary(min_size=1, max_size=3))
@settings(derandomize=True, max_examples=60, deadline=None)
def test_any_damage_is_refused_or_changes_nothing_that_is_proven(place: int, put: bytes) -> None:
    octets = rollover()
    place %= len(octets)
    try:
        found = review(octets[:place] + put + octets[place + len(put) :])
    except PkiError:
        return
    assert found.found["certificate"] == 4
