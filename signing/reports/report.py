"""The forms that the rows of a verification run are written in: JSON Lines, CSV, one self-contained HTML page.

:mod:`signing.reports.report_html` has the page. Writers stream: memory does not grow with the run.
File names and signers' names come from strangers, so each form neutralises what its reader would act on.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator

from signing.ports import RecordBook
from signing.reports.report_html import html_report
from signing.reports.summary import Row, Summary, findings

__all__ = ["COLUMNS", "FORMATS", "Row", "Summary", "findings", "flat", "jsonl_line", "with_status", "write"]

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
_ROWS = json.JSONEncoder(ensure_ascii=False)
# Control characters act on a terminal that a report is shown on. JSON escapes those below space by itself.
# Surrogates stand for octets of a file name that are no UTF-8, and UTF-8 has none.
_CONTROL = re.compile("[\x7f-\x9f\ud800-\udfff]")  # looked for first: replacing takes several times as long as writing the row
_ESCAPED = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), *range(0xD800, 0xE000))}
_REPLACED = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], "\N{REPLACEMENT CHARACTER}")


def with_status(row: Row, book: RecordBook | None) -> Row:
    """The row, its record's status filled in from the school's books where there are any."""
    record = row.get("record")
    if book is None or not record:
        return row
    status = book.status(record["id"], record["version"])
    return {**row, "record": {**record, "status": status.value if status else None}}


def write(rows: Iterable[Row], form: str) -> Iterator[str]:
    """The report's text in pieces, `form` one of :data:`FORMATS`; the caller writes them out as UTF-8."""
    return {"jsonl": _jsonl, "csv": _csv, "html": html_report}[form](rows)


def jsonl_line(row: Row) -> str:
    text = _ROWS.encode(row)
    return (text.translate(_ESCAPED) if _CONTROL.search(text) else text) + "\n"


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
