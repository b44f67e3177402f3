"""The transcript of a ceremony: JSON lines that carry the file, every public thing that was made, and who took part; written once.

Nothing secret stands in it: of shares their SHA-256 alone. It is complete: :func:`check_transcript` verifies it again from nothing else.

    transcript = Transcript("hold", plan, program="eduseal 0.1.0", clock=clock)
    transcript.add("certificate", name="root", sha256=…, data=…)
    octets = transcript.close()
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pki.ceremony.hold import Made, Outcome
from pki.ceremony.plan import CeremonyPlan
from pki.errors import PkiError
from pki.ports import Clock
from pki.structures.algorithms import PublicKey

FORMAT = "eduseal-transcript/1"
MAX_TRANSCRIPT = 4 * 1024 * 1024  # octets; one has about 20,000
STEPS = ("begin", "request", "hold", "install")


class TranscriptError(PkiError):
    """A transcript is not whole, or does not say what a ceremony of its file must; the message names the line."""


class Transcript:
    """Collects events; times come from `clock`."""

    def __init__(self, step: str, plan: CeremonyPlan, *, program: str, clock: Clock) -> None:
        self._clock = clock
        self._lines: list[dict[str, Any]] = []
        self.add(
            "transcript",
            format=FORMAT,
            step=step,
            title=plan.title,
            program=program,
            sha256=plan.sha256.hex(),
            data=base64.b64encode(plan.text).decode(),
        )
        for person in plan.participants:
            self.add("participant", name=person.name, role=person.role.value)

    def add(self, event: str, *, at: datetime | None = None, **fields: Any) -> None:
        self._lines.append({"n": len(self._lines) + 1, "time": _time(at or self._clock()), "event": event, **fields})

    def share(self, number: int, holder: str, content: bytes) -> None:
        self.add("share", number=number, holder=holder, sha256=hashlib.sha256(content).hexdigest())

    def public(self, kind: str, name: str, der: bytes, *, fresh: bool = True, at: datetime | None = None) -> None:
        """A request, certificate or list, whole."""
        described = _described(der) if kind in ("certificate", "standing") else {}
        data = base64.b64encode(der).decode()
        self.add(kind, at=at, name=name, fresh=fresh, **described, sha256=hashlib.sha256(der).hexdigest(), data=data)

    def made(self, things: Iterable[Made]) -> None:
        for each in things:
            if each.der is not None:
                self.public(each.kind, each.name, each.der, fresh=each.fresh, at=each.at)
            elif each.public_key is not None:
                self.key(each.name, each.public_key, fresh=each.fresh, at=each.at)

    def key(self, name: str, public_key: PublicKey, *, fresh: bool, at: datetime | None = None) -> None:
        spki = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.add("key", at=at, name=name, fresh=fresh, public_key_sha256=hashlib.sha256(spki).hexdigest())

    def outcome(self, outcome: Outcome) -> None:
        approval = outcome.approval
        self.add(
            "approval",
            request=approval.request_id,
            requested_by=approval.requested_by,
            approved_by=list(approval.approved_by),
            redeemed_at=_time(approval.redeemed_at),
            sha256=approval.order.digest.hex(),
        )
        for name, der in outcome.standing.items():
            self.public("standing", name, der, fresh=False)
        self.made(outcome.made)

    def close(self) -> bytes:
        """The whole transcript."""
        self.add("end")
        return b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in self._lines)


def _described(der: bytes) -> dict[str, str]:
    certificate = x509.load_der_x509_certificate(der)
    return {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "serial": f"{certificate.serial_number:x}",
        "not_before": _time(certificate.not_valid_before_utc),
        "not_after": _time(certificate.not_valid_after_utc),
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True)
class Line:
    """One event as it was read. `data` is decoded, and its SHA-256 is what the line says."""

    n: int
    event: str
    fields: Mapping[str, Any]
    data: bytes | None = None

    def text(self, key: str) -> str:
        """Raises :class:`TranscriptError`."""
        value = self.fields.get(key)
        if not isinstance(value, str):
            raise TranscriptError(f"transcript, line {self.n}: {key} is missing or not a text")
        return value


def read_lines(octets: bytes) -> tuple[Line, ...]:
    """Every line in order, from the heading to the end, each digest recomputed. Raises :class:`TranscriptError`."""
    if len(octets) > MAX_TRANSCRIPT:
        raise TranscriptError(f"transcript: {len(octets)} octets, more than the {MAX_TRANSCRIPT} that are read")
    lines = tuple(_line(number, text) for number, text in enumerate(octets.splitlines(), start=1))
    if not lines or lines[0].event != "transcript" or lines[-1].event != "end" or not octets.endswith(b"\n"):
        raise TranscriptError("transcript: it does not run from its heading to its end; a part is missing")
    return lines


def _line(number: int, text: bytes) -> Line:
    try:
        fields = json.loads(text)
        event, n, data = fields["event"], fields["n"], fields.get("data")
        decoded = base64.b64decode(data, validate=True) if data is not None else None
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise TranscriptError(f"transcript, line {number}: not an event ({type(exc).__name__})") from exc
    if n != number or not isinstance(event, str):
        raise TranscriptError(f"transcript, line {number}: numbered {str(n)[:20]}; a line was added, removed or moved")
    line = Line(number, event, fields, decoded)
    if decoded is not None and hashlib.sha256(decoded).hexdigest() != line.text("sha256"):
        raise TranscriptError(f"transcript, line {number}: the octets of {event} have another SHA-256 than the line says")
    return line
