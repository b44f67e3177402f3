"""Verifies a transcript again, from its own octets alone.

1. whole: numbered lines from heading to end, every digest as stated
2. the ceremony's file parses, and the participants are those it names
3. requests prove possession and ask for what the file says
4. an approval of exactly that file and those keys, by another than who asked
5. every certificate that the file asks for is there once, says what the file says, and is signed by its issuer
6. every list is its issuer's
7. as many shares as the file says, each different
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pki.authority.offline import check_imported_crl
from pki.ceremony.check import CeremonyError, check_certificate
from pki.ceremony.order import ceremony_order, requests_of
from pki.ceremony.plan import CROSS, CeremonyPlan, parse_plan
from pki.ceremony.transcript import FORMAT, STEPS, Line, TranscriptError, read_lines
from pki.errors import EncodingError
from pki.registration.ca_request import CaRequest


@dataclass(frozen=True)
class Review:
    """What a transcript proves. `found` counts events by kind."""

    step: str
    title: str
    program: str
    sha256: str
    found: dict[str, int]


def review(octets: bytes) -> Review:
    """Raises :class:`pki.ceremony.transcript.TranscriptError`, CeremonyMismatchError, PlanError and other errors of `pki`."""
    lines = read_lines(octets)
    head = lines[0]
    step = head.text("step")
    if head.text("format") != FORMAT or step not in STEPS or head.data is None:
        raise TranscriptError(f"transcript, line 1: format {head.text('format')!r:.40}, step {step!r:.40}; expected {FORMAT}")
    plan = parse_plan(head.data)
    _participants(plan, lines)
    if step == "begin":
        _shares(plan, lines)
    if step in ("request", "hold"):
        requests = _requests(plan, lines)
        if step == "hold":
            _approval(plan, requests, lines)
    if step in ("hold", "install"):
        _certificates(plan, lines)
        _lists(lines)
    found = {event: sum(line.event == event for line in lines) for event in dict.fromkeys(line.event for line in lines)}
    return Review(step, plan.title, head.text("program"), hashlib.sha256(octets).hexdigest(), found)


def _named(lines: Sequence[Line], event: str) -> dict[str, Line]:
    found: dict[str, Line] = {}
    for line in lines:
        if line.event == event:
            name = line.text("name")
            if name in found:
                raise TranscriptError(f"transcript, line {line.n}: {event} {name} stands twice")
            found[name] = line
    return found


def _octets(line: Line) -> bytes:
    if line.data is None:
        raise TranscriptError(f"transcript, line {line.n}: {line.event} without its octets")
    return line.data


def _participants(plan: CeremonyPlan, lines: Sequence[Line]) -> None:
    """2."""
    told = [(line.text("name"), line.text("role")) for line in lines if line.event == "participant"]
    if told != [(person.name, person.role.value) for person in plan.participants]:
        raise TranscriptError("transcript: the participants are not those of the ceremony's file")


def _shares(plan: CeremonyPlan, lines: Sequence[Line]) -> None:
    """7."""
    told = [(line.text("holder"), line.text("sha256")) for line in lines if line.event == "share"]
    holders = plan.split.holders if plan.split is not None else ()
    if tuple(holder for holder, _ in told) != holders or len({digest for _, digest in told}) != len(told):
        raise TranscriptError(f"transcript: {len(told)} shares, expected a different one for each of {len(holders)} holders")


def _approval(plan: CeremonyPlan, requests: Mapping[str, CaRequest], lines: Sequence[Line]) -> None:
    """4."""
    found = [line for line in lines if line.event == "approval"]
    if len(found) != 1:
        raise TranscriptError(f"transcript: {len(found)} approvals by a second person, expected one")
    line = found[0]
    approvers = line.fields.get("approved_by")
    if line.text("sha256") != ceremony_order(plan, requests).digest.hex():
        raise TranscriptError(f"transcript, line {line.n}: the approval is of another file, or of another key")
    if not isinstance(approvers, list) or not [by for by in approvers if by != line.text("requested_by")]:
        raise TranscriptError(f"transcript, line {line.n}: nobody but the requester approved")


def _requests(plan: CeremonyPlan, lines: Sequence[Line]) -> dict[str, CaRequest]:
    """3."""
    try:
        return requests_of(plan, {label: _octets(line) for label, line in _named(lines, "request").items()})
    except CeremonyError as exc:
        raise TranscriptError(f"transcript: {exc}") from exc


def _certificates(plan: CeremonyPlan, lines: Sequence[Line]) -> None:
    """5. A certificate that stood before the ceremony is a `standing` one."""
    made, standing = _named(lines, "certificate"), _named(lines, "standing")
    if set(made) != {wanted.title for wanted in plan.certificates}:
        raise TranscriptError(f"transcript: certificates {', '.join(made) or 'none'}; the file asks for others")
    known = {name: _octets(line) for name, line in (*standing.items(), *made.items())}
    for wanted in plan.certificates:
        check_certificate(
            plan,
            wanted,
            known[wanted.title],
            _known(known, wanted.issuer),
            subject_der=_known(known, wanted.subject) if wanted.profile == CROSS else None,
        )


def _known(known: dict[str, bytes], name: str) -> bytes:
    if name not in known:
        raise TranscriptError(f"transcript: the certificate of {name} is missing, which others hang on")
    return known[name]


def _lists(lines: Sequence[Line]) -> None:
    """6."""
    certificates = {**_named(lines, "standing"), **_named(lines, "certificate")}
    lists = _named(lines, "crl")
    if not lists:
        raise TranscriptError("transcript: no revocation list")
    for name, line in lists.items():
        if name not in certificates:
            raise TranscriptError(f"transcript, line {line.n}: a list of {name}, whose certificate is missing")
        try:
            check_imported_crl(_octets(line), _octets(certificates[name]), issuer=name)
        except EncodingError as exc:
            raise TranscriptError(f"transcript, line {line.n}: {exc}") from exc
