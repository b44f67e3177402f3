"""The catalogue: what the pages say, in Vietnamese, English and Chinese. One TOML file a language, the same keys in each."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = {"vi": "Tiếng Việt", "en": "English", "zh": "中文"}
DEFAULT = "vi"
MAX_HEADER = 500  # characters read of Accept-Language
_FOLDER = Path(__file__).parent / "catalogue"


class Words:
    """`words("outcome.current.title")`; `words("row.version_is", number=3)` fills `{number}` in."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, key: str, **values: object) -> str:
        return self._texts[key].format(**values) if values else self._texts[key]

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self._texts)


@cache
def words_of(language: str) -> Words:
    """The catalogue of one of :data:`LANGUAGES`."""
    return Words(language, dict(_flat(tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8")))))


def choose(asked: str | None, accept_language: str | None) -> Words:
    """The language asked for, else the browser's first that we have, else Vietnamese."""
    if asked in LANGUAGES:
        return words_of(asked)
    for tag in _preferred(accept_language or ""):
        if tag in LANGUAGES:
            return words_of(tag)
    return words_of(DEFAULT)


def _preferred(header: str) -> list[str]:
    """Primary subtags of an Accept-Language header, best first (RFC 9110 section 12.5.4)."""
    found: list[tuple[float, str]] = []
    for part in header[:MAX_HEADER].split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            found.append((-float(weight or 1), tag.partition("-")[0].lower()))
        except ValueError:
            continue
    return [tag for _, tag in sorted(found, key=lambda pair: pair[0])]


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)
