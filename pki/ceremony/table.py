"""Reads one TOML table of a ceremony file key by key: what nobody asked for is refused, so that a misspelt key is not a silent default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pki.errors import PkiError

MAX_TEXT = 200  # characters
MAX_TABLES = 50  # of one kind


class PlanError(PkiError):
    """A ceremony file does not say what it must, or says something impossible."""


class PlanTable:
    """`where` opens messages."""

    def __init__(self, data: object, where: str) -> None:
        if not isinstance(data, Mapping):
            raise PlanError(f"{where}: missing, or not a table")
        self.where = where
        self._data: Mapping[str, Any] = data
        self._seen: set[str] = set()

    def text(self, key: str) -> str:
        value = self._get(key)
        if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT or not value.isprintable():
            raise PlanError(f"{self.where} {key}: expected a text of 1 to {MAX_TEXT} printable characters")
        return value

    def number(self, key: str, low: int, high: int) -> int:
        value = self._get(key)
        if type(value) is not int or not low <= value <= high:
            raise PlanError(f"{self.where} {key}: got {str(value)[:40]}, expected a whole number from {low} to {high}")
        return value

    def choice(self, key: str, among: Iterable[str]) -> str:
        value, names = self.text(key), tuple(among)
        if value not in names:
            raise PlanError(f"{self.where} {key}: got {value!r}, expected {' or '.join(names)}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of distinct texts."""
        values = self._get(key)
        if not isinstance(values, list):
            raise PlanError(f"{self.where} {key}: expected a list of texts")
        found = tuple(PlanTable({key: value}, self.where).text(key) for value in values[:MAX_TABLES])
        if len(set(found)) != len(values):
            raise PlanError(f"{self.where} {key}: a text stands twice, or there are more than {MAX_TABLES}")
        return found

    def finish(self, *tables: str) -> None:
        """Raises :class:`PlanError` for keys that nobody asked for."""
        unknown = sorted(set(self._data) - self._seen - set(tables))
        if unknown:
            raise PlanError(f"{self.where}: unknown key {unknown[0][:60]!r}; expected {', '.join(sorted({*self._seen, *tables}))}")

    def _get(self, key: str) -> Any:
        self._seen.add(key)
        if key not in self._data:
            raise PlanError(f"{self.where} {key}: missing")
        return self._data[key]


def tables(data: Mapping[str, Any], key: str) -> list[PlanTable]:
    """An array of tables, `[[key]]`; none where it is missing."""
    found = data.get(key, [])
    if not isinstance(found, list) or len(found) > MAX_TABLES:
        raise PlanError(f"[[{key}]]: expected at most {MAX_TABLES} tables")
    return [PlanTable(item, f"[[{key}]] {number}") for number, item in enumerate(found, start=1)]
