"""What happened to a document after a signature: each update compared once with the revision before it.

    report = changes_after(document, signature.revision, mdp=signature.lock)
    if not report.allows(Changes.LTA): ...

1. The update is laid out without a gap (signing/changes/tiling.py), its trailer changes nothing but offsets.
2. Every changed object is claimed by a role, walking from the trailer: catalog, validation data, form, fields, signatures,
   appearances, pages. What no role claims is undefined.
3. A redefined object may be referred to only in its role's capacity, a new one not at all by what was there before
   (signing/changes/references.py).
4. The worst update since the signature is the answer; DocMDP and field locks are held against what was filled or added.

Unchanged octets are transitive, so the cost grows with what the updates bring, not with signatures times document.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from signing.changes.comparison import RANK, Comparison, worse
from signing.changes.leftovers import refuse_unclaimed, review_containers, review_inbound
from signing.changes.references import References
from signing.changes.role_catalog import review_catalog, review_metadata, review_trailer
from signing.changes.role_page import review_pages
from signing.changes.tiling import tile
from signing.coverage.mdp import Mdp
from signing.coverage.structure import forms
from signing.errors import LimitError, PdfError
from signing.pdf.document import Document, XrefEntry
from signing.pdf.fields import Form
from signing.verdict import Changes, Message

MAX_UNDEFINED = 8  # updates that nothing permits, after which the rest is not looked at: the answer is known


@dataclass(frozen=True)
class Update:
    """What one revision did to the one before it."""

    revision: int
    kind: Changes
    findings: tuple[Message, ...] = ()
    filled_fields: tuple[str, ...] = ()
    added_fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChangeReport:
    """What happened after one signature. `kind` is the worst of it; `findings` say why it is undefined, or which rule was broken."""

    kind: Changes
    findings: tuple[Message, ...] = ()
    filled_fields: tuple[str, ...] = ()
    added_fields: tuple[str, ...] = ()
    violates_mdp: bool = False
    """Whether the signature's own DocMDP or lock forbids what was done."""

    def allows(self, limit: Changes) -> bool:
        """Whether nothing worse than `limit` happened and no rule of the signature was broken."""
        return not self.violates_mdp and RANK[self.kind] <= RANK[limit]


@dataclass
class ChangeAnalysis:
    """The updates of one document, each judged once and remembered.

    `strict` is the `record` policy: only signature fields that stood before are filled, document information and XMP are left alone.
    Without it (the `ades` policy) those edits count as LTA, other fields may be filled, and signature fields added.
    """

    document: Document
    strict: bool = True
    forms: tuple[Form, ...] = field(default=(), repr=False)
    """`Structure.forms`, where it has been read already."""
    _updates: dict[int, Update] = field(default_factory=dict, repr=False)
    _references: References | None = field(default=None, repr=False)

    def update(self, revision: int) -> Update:
        """What `revision` (1 or more) did. What cannot be read is undefined, with the reason as a finding."""
        found = self._updates.get(revision)
        if found is None:
            try:
                found = self._judge(revision)
            except PdfError as exc:
                found = Update(revision, Changes.UNDEFINED, (Message("UPDATE_UNREADABLE", f"revision {revision}: {exc}"),))
            self._updates[revision] = found
        return found

    def after(self, signed_revision: int, *, mdp: Mdp | None = None) -> ChangeReport:
        """What happened after `signed_revision`, held against the signature's own rules `mdp`. Raises nothing."""
        kind = Changes.NONE
        findings: list[Message] = []
        filled: list[str] = []
        added: list[str] = []
        undefined = 0
        for revision in range(signed_revision + 1, len(self.document.revisions)):
            update = self._updates.get(revision) or self.update(revision)
            kind = worse(kind, update.kind)
            undefined += update.kind is Changes.UNDEFINED
            findings += update.findings
            filled += update.filled_fields
            added += update.added_fields
            if undefined >= MAX_UNDEFINED:
                break
        if self.document.trailing:
            kind = Changes.UNDEFINED
            findings.append(Message("TRAILING_BYTES", f"{len(self.document.trailing)} octets follow the last revision"))
        broken = _broken_rules(mdp or Mdp(), kind, [*filled, *added])
        return ChangeReport(kind, (*findings, *broken), tuple(filled), tuple(added), bool(broken))

    def _judge(self, revision: int) -> Update:
        if not self.forms:
            self.forms = tuple(forms(self.document))
        if self._references is None:
            self._references = References(self.document)
        document, bounds = self.document, self.document.revisions[revision]
        earlier = {number: document.entry(number, revision - 1) for number in bounds.entries}
        changed = {number: entry for number, entry in bounds.entries.items() if _differs(earlier[number], entry)}
        if len(changed) > document.limits.changed_objects:
            raise LimitError(f"revision {revision} changes {len(changed)} objects, more than {document.limits.changed_objects}")
        old_form, new_form = self.forms[revision - 1], self.forms[revision]
        brought = {number for number in changed if (found := earlier[number]) is None or found.kind == "free"}
        comparison = Comparison(document, revision, changed, brought, old_form, new_form, self._references, self.strict)
        tiling = tile(document, bounds, changed, strict=self.strict)
        comparison.inert = tiling.inert
        for finding in tiling.findings:
            comparison.refuse(finding.code, finding.text)
        review_trailer(comparison)
        review_catalog(comparison)
        review_pages(comparison)
        review_containers(comparison)
        review_metadata(comparison)
        refuse_unclaimed(comparison)
        review_inbound(comparison)
        return Update(revision, comparison.kind, tuple(comparison.findings), tuple(comparison.filled), tuple(comparison.added))


def changes_after(document: Document, signed_revision: int, *, mdp: Mdp | None = None, strict: bool = True) -> ChangeReport:
    """As :meth:`ChangeAnalysis.after`, for one question; keep a :class:`ChangeAnalysis` where there are several signatures."""
    return ChangeAnalysis(document, strict).after(signed_revision, mdp=mdp)


def _differs(old: XrefEntry | None, new: XrefEntry) -> bool:
    if new.kind == "free":
        return old is not None and old.kind != "free"
    return old != new


def _broken_rules(mdp: Mdp, kind: Changes, filled: Iterable[str]) -> list[Message]:
    broken = []
    if mdp.permissions is not None and RANK[kind] > RANK[mdp.permitted]:
        text = f"the signature permits {mdp.permitted.value} (DocMDP level {mdp.permissions}), but changes after it are {kind.value}"
        broken.append(Message("DOCMDP_VIOLATED", text))
    for name in filled:
        if mdp.locked(name):
            broken.append(Message("FIELDMDP_VIOLATED", f"the signature locks field {name!r}, which was filled or added after it"))
    return broken
