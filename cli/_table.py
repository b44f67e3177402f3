"""Rows for people (aligned columns) and for spreadsheets (CSV)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len

from cli._verify_table import printable

GAP = "  "
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def aligned(headings: Sequence[str], rows: Iterable[Sequence[str]], *, indent: str = "") -> Iterator[str]:
    """One line a row under the headings, without a line end. Widths count Chinese as two; characters that move a cursor are replaced."""
    lines = [list(headings), *([printable(cell) for cell in row] for row in rows)]
    widths = [max(cell_len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
        yield indent + GAP.join(padded).rstrip()


def csv_line(cells: Sequence[str]) -> str:
    """One line of RFC 4180 with its line end. A cell that a spreadsheet would run as a formula gets an apostrophe before it (OWASP)."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells)
    return buffer.getvalue()
