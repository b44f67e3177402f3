"""Rows of a verification run and the forms they are written in: JSON Lines, CSV, one self-contained HTML page.

A row is one object of the outside contract (:meth:`signing.verdict.Verdict.as_dict`). Writers stream: memory does not grow with the run.
File names and signers' names come from strangers, so each form neutralises what its reader would act on.
"""

from __future__ import annotations

import csv
import html
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from signing.ports import RecordBook
from signing.verdict import Indication, RecordStatus

Row = dict[str, Any]

PASSED, FAILED, UNDETERMINED, SUPERSEDED = 0, 1, 2, 3

COLUMNS = (
    "file",
    "indication",
    "sub_indication",
    "entitlement",
    "signers",
    "level",
    "best_signature_time",
    "record_id",
    "record_version",
    "record_status",
    "findings",
    "sha256",
    "engine",
    "ms",
)
FORMATS = ("jsonl", "csv", "html")
# Control characters act on a terminal that a report is shown on. JSON escapes those below space by itself.
_ESCAPED = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}
_REPLACED = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], "\N{REPLACEMENT CHARACTER}")


class Summary:
    """Counts a run as it streams by, and says its exit status (docs: `eduseal verify`)."""

    def __init__(self) -> None:
        self.indications: Counter[str] = Counter()
        self.outdated = 0

    def add(self, row: Row) -> None:
        self.indications[row["indication"]] += 1
        if (row.get("record") or {}).get("status") in {RecordStatus.SUPERSEDED.value, RecordStatus.WITHDRAWN.value}:
            self.outdated += 1

    @property
    def total(self) -> int:
        return self.indications.total()

    @property
    def exit_status(self) -> int:
        """0 all passed and none outdated; 1 at least one failed; 2 none failed but not all passed; 3 all passed, one outdated."""
        if self.indications[Indication.TOTAL_FAILED.value]:
            return FAILED
        if self.indications[Indication.TOTAL_PASSED.value] != self.total or not self.total:
            return UNDETERMINED
        return SUPERSEDED if self.outdated else PASSED


def with_status(row: Row, book: RecordBook | None) -> Row:
    """The row, its record's status filled in from the school's books where there are any."""
    record = row.get("record")
    if book is None or not record:
        return row
    status = book.status(record["id"], record["version"])
    return {**row, "record": {**record, "status": status.value if status else None}}


def write(rows: Iterable[Row], form: str) -> Iterator[str]:
    """The report's text in pieces, `form` one of :data:`FORMATS`; the caller writes them out as UTF-8."""
    return {"jsonl": _jsonl, "csv": _csv, "html": _html}[form](rows)


def jsonl_line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(", ", ": ")).translate(_ESCAPED) + "\n"


def findings(row: Row) -> list[str]:
    """Every message of the document, of its signatures and of its time stamps, without repeats, as `CODE: text`."""
    groups = [row["messages"], *(s["messages"] for s in row["signatures"]), *(t["messages"] for t in row["timestamps"])]
    return list(dict.fromkeys(f"{m['code']}: {m['text']}" for group in groups for m in group))


def flat(row: Row) -> dict[str, str]:
    """The row as one text for each of :data:`COLUMNS`."""
    signatures, record = row["signatures"], row["record"] or {}
    cells = {
        **{name: row[name] for name in ("file", "indication", "sub_indication", "entitlement", "sha256", "engine", "ms")},
        "signers": "; ".join(_signer(signature) for signature in signatures),
        "level": min((signature["level"] or "" for signature in signatures), key=_level_rank, default=""),
        "best_signature_time": max((signature["best_signature_time"] or "" for signature in signatures), default=""),
        "record_id": record.get("id"),
        "record_version": record.get("version"),
        "record_status": record.get("status"),
        "findings": " | ".join(findings(row)),
    }
    return {name: "" if cells[name] is None else str(cells[name]) for name in COLUMNS}


def _signer(signature: Row) -> str:
    signer = signature["signer"]
    if signer is None:
        return f"{signature['field']}: unknown"
    return f"{signer['name']} ({signer['role']})" if signer["role"] else str(signer["name"])


def _level_rank(level: str) -> int:
    return ("", "B", "T", "LT", "LTA").index(level.rpartition("-")[2])


def _jsonl(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        yield jsonl_line(row)


def _csv(rows: Iterable[Row]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_inert(cell) for cell in flat(row).values()])
        yield _taken(buffer)
    yield _taken(buffer)


def _inert(cell: str) -> str:
    # a spreadsheet runs a cell that begins like a formula (OWASP, CSV injection): a leading apostrophe makes it text
    text = f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell
    return text.translate(_REPLACED)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Verification report</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body { font-family: system-ui, sans-serif; margin: 2rem; color: #1a1a1a; background: #fff }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid #ccc; padding: .4rem; text-align: left; vertical-align: top }
th { position: sticky; top: 0; background: #f3f3f3 } td { overflow-wrap: anywhere }
.TOTAL-PASSED { color: #0a5c24 } .TOTAL-FAILED { color: #9b0b16 } .INDETERMINATE, .NO-SIGNATURE { color: #7a4b00 }
</style></head><body><h1>Verification report</h1>
<table><thead><tr>"""
_MARKS = {"TOTAL-PASSED": "✔", "TOTAL-FAILED": "✘", "INDETERMINATE": "?", "NO-SIGNATURE": "–"}


def _html(rows: Iterable[Row]) -> Iterator[str]:
    yield _HEAD + "".join(f'<th scope="col">{name.replace("_", " ")}</th>' for name in COLUMNS) + "</tr></thead><tbody>\n"
    summary = Summary()
    for row in rows:
        summary.add(row)
        cells = {name: html.escape(text) for name, text in flat(row).items()}
        mark = _MARKS[row["indication"]]
        cells["indication"] = f'<strong class="{cells["indication"]}"><span aria-hidden="true">{mark}</span> {cells["indication"]}</strong>'
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells.values()) + "</tr>\n"
    counts = ", ".join(f"{count} {name}" for name, count in sorted(summary.indications.items()))
    yield f"</tbody></table><p>{summary.total} documents: {counts or 'none'}.</p></body></html>\n"
