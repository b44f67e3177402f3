"""Rows for people (aligned columns) and for spreadsheets (CSV)."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from rich.cells import cell_len

from cli._verify_table import printable

GAP = "  "
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def aligned(headings: Sequence[str], rows: Iterable[Sequence[str]], *, indent: str = "", wrap: int | None = None) -> Iterator[str]:
    """One line a row under the headings, without a line end; `wrap` breaks longer cells over several lines.

    Widths count a Chinese character as two; characters that move a cursor are replaced.
    """
    lines = [list(headings)]
    for row in rows:
        cells = [printable(cell) for cell in row]
        broken = [textwrap.wrap(cell, wrap) if wrap else [cell] for cell in cells]
        lines += map(list, zip_longest(*broken, fillvalue=""))
    widths = [max(cell_len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
        yield indent + GAP.join(padded).rstrip()


def csv_line(cells: Sequence[str]) -> str:
    """One line of RFC 4180 with its line end. A cell that a spreadsheet would run as a formula gets an apostrophe before it (OWASP)."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells)
    return buffer.getvalue()
