"""Reads one TOML table of a profile key by key, strictly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cryptography import x509

from pki.errors import PkiError


class ProfileError(PkiError):
    """A profile file does not say what it must, or a request does not fit its profile."""


class Table:
    """One TOML table, read key by key; what nobody asked for is an error, so that a misspelt key is not a silent default."""

    def __init__(self, data: object, where: str) -> None:
        if not isinstance(data, Mapping):
            raise ProfileError(f"profile: table [{where}] is missing")
        self._data, self._where, self._seen = data, where, set[str]()

    def has(self, key: str) -> bool:
        return key in self._data

    def _get(self, key: str, kind: type) -> Any:
        self._seen.add(key)
        value = self._data.get(key)
        if type(value) is not kind:
            raise ProfileError(f"profile: {self._where}.{key} is missing or not a {kind.__name__}")
        return value

    def text(self, key: str) -> str:
        value: str = self._get(key, str)
        if not value:
            raise ProfileError(f"profile: {self._where}.{key} is empty")
        return value

    def flag(self, key: str) -> bool:
        self._seen.add(key)
        return bool(self._get(key, bool)) if key in self._data else False

    def number(self, key: str, low: int, high: int) -> int:
        value: int = self._get(key, int)
        if not low <= value <= high:
            raise ProfileError(f"profile: {self._where}.{key} is {value}, expected {low} to {high}")
        return value

    def choice(self, key: str, among: Iterable[str]) -> str:
        value, names = self.text(key), [str(name) for name in among]
        if value not in names:
            raise ProfileError(f"profile: {self._where}.{key} is {value!r}, expected one of {', '.join(names)}")
        return value

    def texts(self, key: str, among: Iterable[str], *, empty: bool = False) -> tuple[str, ...]:
        if empty and key not in self._data:
            return ()
        values, names = self._get(key, list), list(among)
        for value in values:
            if value not in names:
                raise ProfileError(f"profile: {self._where}.{key} holds {value!r}, expected some of {', '.join(names)}")
        if len(set(values)) != len(values) or not (values or empty):
            raise ProfileError(f"profile: {self._where}.{key} is empty or repeats a value")
        return tuple(values)

    def oids(self, key: str) -> tuple[str, ...]:
        if key not in self._data:
            return ()
        try:
            return tuple(x509.ObjectIdentifier(value).dotted_string for value in self._get(key, list))
        except (ValueError, TypeError) as exc:
            raise ProfileError(f"profile: {self._where}.{key} holds something that is not an object identifier") from exc

    def finish(self, *tables: str) -> None:
        unknown = sorted(set(self._data) - self._seen - set(tables))
        if unknown:
            raise ProfileError(f"profile: {self._where} has unknown keys {', '.join(unknown)}")
