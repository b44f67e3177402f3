"""The table that `eduseal verify` prints for people: one line a document, the reasons below it, a count at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from signing.reports.report import Row, Summary
from signing.trust.store import TrustStore
from signing.verdict import rfc3339

DETAILED = 3  # documents up to which every signature gets its own lines
_COLOURS = {"TOTAL-PASSED": "32", "TOTAL-FAILED": "31", "INDETERMINATE": "33", "NO-SIGNATURE": "33"}


def heading(trust: TrustStore, *, policy: str, at: datetime) -> str:
    """Whom the run trusts, by fingerprint: a verdict means nothing without it."""
    lines = [f"Policy {policy}, as of {rfc3339(at)}."]
    if not trust.anchors:
        lines.append("No trust anchor: name one with --trust FILE.pem, or an authority's folder with --home DIR.")
    for anchor in trust.anchors:
        lines.append(f"Trusting {printable(anchor.name)} ({printable(anchor.source)})\n  SHA-256 {anchor.fingerprint}")
    return "\n".join(lines) + "\n\n"


def table(rows: Iterable[Row], *, detailed: bool, colour: bool) -> Iterator[str]:
    """The table's text, in pieces as rows come."""
    summary = Summary()
    for row in rows:
        summary.add(row)
        yield from _document(row, detailed=detailed, colour=colour)
    counts = ", ".join(f"{count} {name}" for name, count in sorted(summary.indications.items()))
    outdated = f"; {summary.outdated} superseded or withdrawn" if summary.outdated else ""
    yield f"\n{summary.total} document{'' if summary.total == 1 else 's'}: {counts}{outdated}\n"


def _document(row: Row, *, detailed: bool, colour: bool) -> Iterator[str]:
    indication = row["indication"]
    word = f"{indication:<13}"
    if colour:
        word = f"\x1b[{_COLOURS[indication]}m{word}\x1b[0m"
    extra = [text for text in (row["sub_indication"], _record(row)) if text]
    yield f"{word}  {row['entitlement']:<12}  {printable(row['file'])}{'  ' + ', '.join(extra) if extra else ''}\n"
    if detailed or indication != "TOTAL-PASSED":
        yield from _messages(row["messages"], indent=4)
        for signature in row["signatures"]:
            if detailed or signature["indication"] != "TOTAL-PASSED":
                yield from _signature(signature)
        for stamp in [stamp for stamp in row["timestamps"] if stamp["kind"] == "document"]:
            if stamp["indication"] != "TOTAL-PASSED" or (detailed and stamp["messages"]):
                yield f"    time stamp in {printable(stamp['field'])}: {_judged(stamp)}, {stamp['time'] or 'no time'}\n"
                yield from _messages(stamp["messages"], indent=6)


def _signature(signature: Row) -> Iterator[str]:
    signer = signature["signer"]
    who = "unknown signer"
    if signer:
        who = ", ".join(printable(part) for part in (signer["name"], signer["role"], signer["organization"]) if part)
    when = signature["best_signature_time"]
    proven = f", existed by {when}" if when else ""
    yield f"    {printable(signature['field'])}: {_judged(signature)}, {signature['level'] or 'no PAdES level'}, {who}{proven}\n"
    yield from _messages(signature["messages"], indent=6)


def _judged(part: Row) -> str:
    return f"{part['indication']}/{part['sub_indication']}" if part["sub_indication"] else str(part["indication"])


def _messages(messages: list[dict[str, str]], *, indent: int) -> Iterator[str]:
    for message in messages:
        yield f"{' ' * indent}{message['code']}: {printable(message['text'])}\n"


def _record(row: Row) -> str:
    record = row["record"]
    if not record:
        return ""
    status = f", {record['status']}" if record["status"] else ""
    return f"record {printable(record['id'])} version {record['version']}{status}"


def printable(text: str) -> str:
    """`text` without what a terminal would act on: file names and subjects come from strangers."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
