"""The differences between two versions of a record, field by field: what the log of a revision keeps and administrators read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from records.canonical import content_as_dict
from records.ledger import Change
from records.record import RecordContent

KEYS = {"years": "year", "marks": "subject"}
"""Lists whose entries are matched by a member, not by their place."""


def differences(old: RecordContent, new: RecordContent) -> tuple[Change, ...]:
    """Every field that differs, in the order of the old contents and then of what is new.

    Paths read like `years[2025-2026].marks[Toán].hk1`. An entry that comes or goes shows each of its fields, the other side None.
    The mere order of years or subjects is not a difference.
    """
    return tuple(_compare("", content_as_dict(old), content_as_dict(new)))


def _compare(path: str, old: Any, new: Any) -> Iterator[Change]:
    if isinstance(old, dict) or isinstance(new, dict):
        before, after = old or {}, new or {}
        for key in list(before) + [key for key in after if key not in before]:
            yield from _compare(f"{path}.{key}" if path else key, before.get(key), after.get(key))
    elif isinstance(old, list) or isinstance(new, list):
        key = KEYS[path.rpartition(".")[2]]
        before = {entry[key]: entry for entry in old or []}
        after = {entry[key]: entry for entry in new or []}
        for name in list(before) + [name for name in after if name not in before]:
            yield from _compare(f"{path}[{name}]", before.get(name), after.get(name))
    elif old != new:
        yield Change(path, old, new)
