"""Column types: what Python values become in both databases."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

SERIAL_DIGITS = 40  # hexadecimal digits: RFC 5280 section 4.1.2.2 allows 20 octets


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An aware UTC datetime, to the microsecond; a naive one is refused. PostgreSQL: timestamptz, SQLite: text in UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime; expected aware UTC")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Serial(sa.TypeDecorator[int]):
    """A certificate serial number, 0 < s < 2^160, as 40 lower-case hexadecimal digits: it fits no SQL integer."""

    impl = sa.String(SERIAL_DIGITS)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None:
            return None
        if not 0 <= value < 1 << (4 * SERIAL_DIGITS):
            return "-"  # equals no stored serial: a hostile OCSP request may ask for any integer
        return f"{value:0{SERIAL_DIGITS}x}"

    def process_result_value(self, value: str | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else int(value, 16)


class CanonicalJson(sa.TypeDecorator[Any]):
    """A JSON value as text with sorted keys and no white space, the same octets wherever it is read (the log hashes them)."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(value)


def canonical_json(value: Any) -> str:
    """Sorted keys, no white space, UTF-8 text unescaped; NaN and infinities are refused."""
    return _ENCODER.encode(value)


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)  # `json.dumps` makes one a call
