"""Rows of a verification run, and what a run comes to: counts by indication and the exit status.

A row is one object of the outside contract (:meth:`signing.verdict.Verdict.as_dict`).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from signing.verdict import Indication, RecordStatus

Row = dict[str, Any]

PASSED, FAILED, UNDETERMINED, SUPERSEDED = 0, 1, 2, 3


class Summary:
    """Counts a run as it streams by, and says its exit status (docs: `eduseal verify`)."""

    def __init__(self) -> None:
        self.indications: Counter[str] = Counter()
        self.outdated = 0

    def add(self, row: Row) -> None:
        self.indications[row["indication"]] += 1
        if (row.get("record") or {}).get("status") in {RecordStatus.SUPERSEDED.value, RecordStatus.WITHDRAWN.value}:
            self.outdated += 1

    @property
    def total(self) -> int:
        return self.indications.total()

    @property
    def exit_status(self) -> int:
        """0 all passed and none outdated; 1 at least one failed; 2 none failed but not all passed; 3 all passed, one outdated."""
        if self.indications[Indication.TOTAL_FAILED.value]:
            return FAILED
        if self.indications[Indication.TOTAL_PASSED.value] != self.total or not self.total:
            return UNDETERMINED
        return SUPERSEDED if self.outdated else PASSED


def findings(row: Row) -> list[str]:
    """Every message of the document, of its signatures and of its time stamps, without repeats, as `CODE: text`."""
    groups = [row["messages"], *(s["messages"] for s in row["signatures"]), *(t["messages"] for t in row["timestamps"])]
    return list(dict.fromkeys(f"{m['code']}: {m['text']}" for group in groups for m in group))
