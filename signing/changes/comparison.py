"""One update beside the revision before it: what differs, what a role has accounted for so far, what speaks against it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from signing.changes.references import References
from signing.pdf.document import Document, XrefEntry
from signing.pdf.fields import Form
from signing.pdf.objects import PdfObject, Ref, Stream
from signing.verdict import Changes, Message

MAX_FINDINGS = 20  # for one update; the first ones say enough
RANK = {change: rank for rank, change in enumerate(Changes)}
"""The greater, the greater the concern."""
_NUMBERS = frozenset({int, float})
_COMPOUND = frozenset({dict, list, Stream})


def worse(one: Changes, other: Changes) -> Changes:
    """The greater concern of the two."""
    return one if one is other or RANK[one] > RANK[other] else other


@dataclass
class Comparison:
    """The state of one analysis. `before` and `after` are revision indices; `changed` holds the entries of `after` that differ.

    `brought` are the numbers among them that did not exist before.
    """

    document: Document
    after: int
    changed: dict[int, XrefEntry]
    brought: set[int]
    old_form: Form
    new_form: Form
    references: References
    strict: bool
    kind: Changes = Changes.NONE
    findings: list[Message] = field(default_factory=list)
    claimed: dict[int, str] = field(default_factory=dict)
    filled: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    new_widgets: set[Ref] = field(default_factory=set)
    inert: dict[Ref, tuple[int, ...]] = field(default_factory=dict)
    """What objects of this update are known to reach by their octets alone, all of it inert; see :mod:`signing.changes.run`."""
    before: int = field(init=False)

    def __post_init__(self) -> None:
        self.before = self.after - 1

    def old(self, value: PdfObject) -> PdfObject:
        return self.document.get(value, revision=self.before)

    def new(self, value: PdfObject) -> PdfObject:
        return self.document.get(value, revision=self.after)

    def is_changed(self, value: PdfObject) -> bool:
        return isinstance(value, Ref) and value.number in self.changed

    def is_new(self, value: PdfObject) -> bool:
        """Whether `value` refers to an object that this update brings and that did not exist before."""
        return isinstance(value, Ref) and value.number in self.brought

    def claim(self, ref: Ref, role: str) -> None:
        self.claimed.setdefault(ref.number, role)

    def permit(self, kind: Changes) -> None:
        """Records a change of this kind."""
        self.kind = worse(self.kind, kind)

    def refuse(self, code: str, text: str, kind: Changes = Changes.UNDEFINED) -> None:
        """Records a change that nothing permits; or, with a lesser `kind`, one that wants a word of explanation."""
        self.permit(kind)
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Message(code, f"revision {self.after}: {text}"))

    def only(self, old: dict[str, PdfObject], new: dict[str, PdfObject], keys: Iterable[str]) -> set[str]:
        """The keys outside `keys` in which two dictionaries differ."""
        if old is new:
            return set()
        asked = (old.keys() | new.keys()).difference(keys)
        return {key for key in asked if (one := old.get(key)) is not (other := new.get(key)) and not same(one, other)}


def same(one: PdfObject, other: PdfObject) -> bool:
    """Equal as PDF objects. Unlike ==, true is not 1 and a name is not a string."""
    if one is other:
        return True
    kind = type(one)
    if kind is not type(other):
        return kind in _NUMBERS and type(other) in _NUMBERS and one == other
    if kind not in _COMPOUND:
        return one == other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Stream) and isinstance(other, Stream):
        return one.raw == other.raw and same(one.dictionary, other.dictionary)
    return False


def appended(old: PdfObject, new: PdfObject) -> list[PdfObject] | None:
    """What was appended to an array; None where it was changed in any other way. An absent array counts as empty."""
    if old is new and isinstance(new, list):
        return []
    before = [] if old is None else old
    if not isinstance(before, list) or not isinstance(new, list) or not same(before, new[: len(before)]):
        return None
    return new[len(before) :]
