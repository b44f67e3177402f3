"""Rows in the form that was asked for: aligned for people, CSV for spreadsheets, JSON Lines for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum

from cli._table import aligned, csv_line


class Form(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSONL = "jsonl"


def write_rows(headings: Sequence[str], rows: Iterable[Sequence[str]], form: Form) -> None:
    """`headings` in capitals; in CSV and JSON they are the names of the columns, in small letters."""
    names = [heading.lower().replace(" ", "_") for heading in headings]
    if form is Form.TABLE:
        for line in aligned(headings, rows):
            print(line)
    elif form is Form.CSV:
        sys.stdout.write(csv_line(names))
        for row in rows:
            sys.stdout.write(csv_line(row))
    else:
        for row in rows:
            print(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False))
