"""One step of a workflow as data, and the order that the steps' `after` gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signing.errors import PolicyError

MAX_TEXT = 200  # characters of an id, role, field or label
MAX_LISTED = 50  # entries of one list in a step; bounds work on hostile input
MEMBERS = frozenset({"id", "role", "field", "seal", "after", "certifies", "locks", "label"})


@dataclass(frozen=True)
class Step:
    """One signature: the step's `id`, its `role` (a name of the policy's role table), the `field` it fills.

    What the signature permits afterwards is said by three members. An ordinary step permits the others to sign and locks the fields in
    `locks`, its own where that is None. `seal` closes the record: every field is locked and nothing may change. `certifies` makes the
    opening signature a certification (DocMDP) that permits filling of signature fields and nothing else.
    """

    id: str
    role: str
    field: str
    seal: bool = False
    after: tuple[str, ...] | None = None
    """Steps that must be signed before it; None is the step listed before it. Steps that do not wait for each other are parallel."""
    certifies: bool = False
    locks: tuple[str, ...] | None = None
    label: str = ""
    """What people call the step, such as "Giáo viên Toán"; empty where the role says it."""

    @property
    def locked_fields(self) -> tuple[str, ...]:
        """What an ordinary step's signature locks (the seal locks everything, a certification nothing)."""
        return (self.field,) if self.locks is None else self.locks

    def as_dict(self) -> dict[str, Any]:
        """Members that say nothing new are left out: a strictly sequential workflow has the same JSON since the first version."""
        said: dict[str, Any] = {"id": self.id, "role": self.role, "field": self.field, "seal": self.seal}
        if self.after is not None:
            said["after"] = list(self.after)
        if self.certifies:
            said["certifies"] = True
        if self.locks is not None:
            said["locks"] = list(self.locks)
        if self.label:
            said["label"] = self.label
        return said

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> Step:
        """Raises KeyError, TypeError or AttributeError where `data` is of another shape, :class:`PolicyError` for a member unknown."""
        if unknown := sorted(set(data.keys()) - MEMBERS):
            raise PolicyError(f"step has the unknown member {unknown[0]!r:.60}; expected only {', '.join(sorted(MEMBERS))}")
        return cls(
            id=text(data["id"]),
            role=text(data["role"]),
            field=text(data["field"]),
            seal=_flag(data.get("seal", False)),
            after=_texts(data["after"]) if "after" in data else None,
            certifies=_flag(data.get("certifies", False)),
            locks=_texts(data["locks"]) if "locks" in data else None,
            label=text(data["label"]) if "label" in data else "",
        )


def predecessors(workflow: str, steps: Sequence[Step]) -> dict[str, frozenset[str]]:
    """For each step's id: all steps that must be signed before it, however indirectly.

    Raises :class:`PolicyError` where a step waits for one that is not there, or for itself (and so can never be signed). Ids are unique.
    """
    direct: dict[str, frozenset[str]] = {}
    for position, step in enumerate(steps):
        listed = step.after if step.after is not None else tuple(before.id for before in steps[max(position - 1, 0) : position])
        direct[step.id] = frozenset(listed)
    for step in steps:
        if missing := sorted(direct[step.id] - direct.keys()):
            raise PolicyError(f"workflow {workflow}: step {step.id} can never be signed: it comes after {missing[0]!r}, which is no step")
    every: dict[str, frozenset[str]] = {}
    while len(every) < len(steps):
        ready = [step.id for step in steps if step.id not in every and direct[step.id] <= every.keys()]
        if not ready:
            stuck = ", ".join(step.id for step in steps if step.id not in every)
            raise PolicyError(f"workflow {workflow}: steps {stuck} can never be signed: they wait for each other in a circle")
        for name in ready:
            every[name] = direct[name].union(*(every[before] for before in direct[name]))
    return every


def text(value: object) -> str:
    """`value` where it is a text of reasonable length, of characters that can be shown and that databases take; else TypeError."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT or not value.isprintable():
        raise TypeError(f"expected a text of 1 to {MAX_TEXT} printable characters")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_LISTED:
        raise TypeError(f"expected a list of at most {MAX_LISTED} texts")
    return tuple(text(item) for item in value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("expected true or false")
    return value
