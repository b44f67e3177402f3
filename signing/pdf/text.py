"""Text strings and dates (ISO 32000-2 clauses 7.9.2.2 and 7.9.4)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from signing.pdf.objects import PdfObject, PdfString

_BOM_16, _BOM_8 = b"\xfe\xff", b"\xef\xbb\xbf"
_DATE = re.compile(r"D:(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:(Z)(?:00'?00'?)?|([+-])(\d\d)'?(\d\d)'?)?")


def text(value: PdfObject) -> str:
    """A text string (ISO 32000-2 7.9.2.2) decoded; what is no string becomes ""."""
    if not isinstance(value, PdfString):
        return ""
    if value.startswith(_BOM_16):
        return value[2:].decode("utf-16-be", "replace")
    if value.startswith(_BOM_8):
        return value[3:].decode("utf-8", "replace")
    return value.decode("latin-1")  # PDFDocEncoding agrees for the characters that field names use


def pdf_date(value: str) -> datetime | None:
    """A PDF date (ISO 32000-2 7.9.4) in UTC; None where it is none. Without a zone it counts as UTC."""
    match = _DATE.fullmatch(value)
    if match is None:
        return None
    hours, minutes = int(match[9] or 0), int(match[10] or 0)
    if hours > 23 or minutes > 59:
        return None
    year, month, day, hour, minute, second = map(int, match.group(1, 2, 3, 4, 5, 6))
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        return local - timedelta(hours=hours, minutes=minutes) * (-1 if match[8] == "-" else 1) if hours or minutes else local
    except (ValueError, OverflowError):
        return None
