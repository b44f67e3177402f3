"""Judges one document, as a numbered list that fails closed. Never raises for what the document holds: a hostile document is a verdict.

1. structure: fields, byte ranges, containers, removed signatures       5. revocation at that time
2. coverage, and what was changed after each signature                  6. time stamps: from the outside in, then each signature's own
3. CMS: format, signer's certificate, digest, signature value           7. policy and entitlement
4. the signer's chain at a proven time                                  8. the second opinion, where one is asked; then the verdict

The proven time that 4 and 5 need comes from 6, so that 6 is worked out before them (:mod:`signing.verifying.signature` has 1 to 6 for one
signature). Sources: ETSI EN 319 102-1 (indications, order of validation), EN 319 142-1 (PAdES), ISO 32000-2 clause 12.8. Revocation data
are those in the document and those handed in: no network.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import datetime

from pki.paths.chain import TrustAnchor
from pki.paths.validation_cache import ValidationCache
from pki.remote.lack import Lack
from pki.revocation.judgement import Evidence
from signing.changes.analysis import ChangeAnalysis
from signing.coverage.structure import Structure, read_structure
from signing.errors import LimitError, PdfError, PolicyError
from signing.pdf.document import Document
from signing.policy import VerificationPolicy
from signing.ports import RecordBook
from signing.trust.store import Supplied, TrustStore
from signing.trust.times import DocumentProofs, document_proofs
from signing.verdict import (
    Entitlement,
    Indication,
    Message,
    RecordReference,
    SignatureVerdict,
    SubIndication,
    TimestampVerdict,
    Verdict,
    worst,
)
from signing.verifying.conclude import document_stamps, held_to_entitlement, lower
from signing.verifying.entitlement import EntitlementFinding, StepSignature, judge
from signing.verifying.manifest import find_manifest
from signing.verifying.opinion import Question, SecondOpinion
from signing.verifying.own_make import is_own_make, is_understood
from signing.verifying.signature import JudgedSignature, SignatureJudge
from signing.verifying.unreadable import claims_signature, unreadable
from signing.workflow import Manifest


@dataclass
class Caches:
    """What one process remembers from document to document: certificates, chains, evidence. Times are always looked at afresh."""

    validation: ValidationCache = field(default_factory=ValidationCache)


def verify(
    document: bytes,
    policy: VerificationPolicy,
    *,
    trust: TrustStore,
    at: datetime,
    supplied: Supplied | None = None,
    second_opinion: SecondOpinion | None = None,
    records: RecordBook | None = None,
    caches: Caches | None = None,
    lacks: list[Lack] | None = None,
) -> Verdict:
    """The verdict on `document` as of `at` (aware UTC); `supplied` evidence issued later is ignored. `lacks` collects what was missing.

    Not checked: conformance to PDF/A, what the pages say, signatures inside embedded files. An empty `trust` passes nothing.
    """
    started = time.perf_counter()
    judging = _Judging(document, policy, trust, at, supplied or Supplied(), second_opinion, caches or Caches(), lacks)
    try:
        verdict = judging.verdict()
    except PdfError as exc:
        verdict = unreadable(document, exc)
    except RecursionError:
        verdict = unreadable(document, LimitError("the document is nested more deeply than is read"))
    if records is not None and verdict.record is not None:
        status = records.status(verdict.record.id, verdict.record.version)
        verdict = replace(verdict, record=replace(verdict.record, status=status))
    return replace(verdict, ms=(time.perf_counter() - started) * 1000)


@dataclass
class _Judging:
    data: bytes
    policy: VerificationPolicy
    trust: TrustStore
    at: datetime
    supplied: Supplied
    second_opinion: SecondOpinion | None
    caches: Caches
    lacks: list[Lack] | None

    def verdict(self) -> Verdict:
        # 1.
        document = Document.parse(self.data)
        structure = read_structure(document)
        # 6. document time stamps, for the times that they prove
        proofs = self._proofs(document, structure)
        if all(one.is_timestamp for one in structure.signed):
            return self._without_signature(structure, proofs)
        # 1. to 6. for each signature
        judged = self._judge_each(document, structure, proofs)
        # 7.
        manifest, notes = self._manifest(document, structure)
        finding = self._entitlement(manifest, judged)
        signatures = held_to_entitlement(tuple(one.verdict for one in judged), finding)
        # 8.
        carried = [der for one in judged for der in one.certificates]
        understood = is_understood(document, signatures, proofs, carried)
        own_make = understood and is_own_make(document, structure, signatures, finding, self.policy, ours=all(one.ours for one in judged))
        signatures = self._held_against(signatures, proofs, understood=understood, own_make=own_make)
        stamps = tuple(stamp for one in judged for stamp in one.stamps) + document_stamps(proofs)
        return _verdict(
            proofs,
            *worst(signatures),
            entitlement=finding.entitlement,
            signatures=signatures,
            timestamps=stamps,
            record=RecordReference(manifest.record_id, manifest.version) if manifest else None,
            messages=(*structure.findings, *notes, *finding.messages),
        )

    def _proofs(self, document: Document, structure: Structure) -> DocumentProofs:
        anchors = tuple(TrustAnchor(anchor.certificate_der, anchor.constraints) for anchor in self.trust.anchors)
        supplied = Evidence(self.supplied.certificates, self.supplied.crls, self.supplied.ocsps)
        return document_proofs(
            document,
            structure.signed,
            anchors=anchors,
            at=self.at,
            supplied=supplied,
            cache=self.caches.validation,
            lenient=self.policy.lenient_outermost_tsa,
            lacks=self.lacks,
        )

    def _judge_each(self, document: Document, structure: Structure, proofs: DocumentProofs) -> list[JudgedSignature]:
        fields = [one for one in structure.signed if not one.is_timestamp]
        judge = SignatureJudge(
            changes=ChangeAnalysis(document, strict=self.policy.strict_changes, forms=structure.forms),
            proofs=proofs,
            policy=self.policy,
            findings=structure.findings,
            last_revision=fields[-1].revision,
            registered=self.trust.registered,
        )
        judged: list[JudgedSignature] = []
        for one in fields:
            inside = [earlier.proven_since for earlier in judged if earlier.field.revision < one.revision]
            inside += [stamp.finding.time for stamp in proofs.stamps if stamp.field.revision < one.revision and stamp.finding.passed]
            judged.append(judge.judge(one, not_before=max((moment for moment in inside if moment), default=None)))
        return judged

    def _manifest(self, document: Document, structure: Structure) -> tuple[Manifest | None, tuple[Message, ...]]:
        first = next(one for one in structure.signed if not one.is_timestamp)
        try:
            return find_manifest(document, first.revision), ()
        except PolicyError as exc:
            return None, (Message("MANIFEST_UNREADABLE", str(exc)),)

    def _entitlement(self, manifest: Manifest | None, judged: list[JudgedSignature]) -> EntitlementFinding:
        steps = [
            StepSignature(one.field.name, one.chained, one.ours, one.subject, one.field.lock.certifies, one.registered) for one in judged
        ]
        return judge(manifest, steps, self.policy)

    def _held_against(
        self, signatures: tuple[SignatureVerdict, ...], proofs: DocumentProofs, *, understood: bool, own_make: bool
    ) -> tuple[SignatureVerdict, ...]:
        """Lowers what passed here and would not pass with the second verifier."""
        passed = [one.field for one in signatures if one.indication is Indication.TOTAL_PASSED]
        if self.second_opinion is None or not passed:
            return signatures
        outermost = proofs.stamps[-1].finding.passed if proofs.stamps else False
        question = Question(
            document=self.data,
            trust=self.trust,
            supplied=self.supplied,
            at=self.at,
            unrevoked_tsa=outermost and self.policy.lenient_outermost_tsa,
            understood=understood,
            own_make=own_make,
        )
        dissents = self.second_opinion.dissents(question, passed)
        return tuple(
            lower(one, dissent.sub_indication, Message("SECOND_OPINION_DISAGREES", dissent.text))
            if one.field in passed and (dissent := dissents.get(one.field)) is not None
            else one
            for one in signatures
        )

    def _without_signature(self, structure: Structure, proofs: DocumentProofs) -> Verdict:
        """No field holds a signature: either there never was one, or it was taken away (attack class 11)."""
        messages = list(structure.findings)
        removed = any(finding.code != "TRAILING_BYTES" for finding in messages)
        if not removed and not structure.signed and claims_signature(self.data):
            removed = True
            messages.append(Message("SIGNATURE_REMOVED", "the file holds the remains of a signature that no field of it shows"))
        if removed:
            return _verdict(
                proofs,
                Indication.TOTAL_FAILED,
                SubIndication.FORMAT_FAILURE,
                timestamps=document_stamps(proofs),
                messages=tuple(messages),
            )
        empty = len(structure.unsigned)
        text = f"the document carries no signature ({empty} empty signature field{'' if empty == 1 else 's'})"
        messages.append(Message("UNSIGNED", text))
        return _verdict(proofs, Indication.NO_SIGNATURE, None, timestamps=document_stamps(proofs), messages=tuple(messages))


def _verdict(
    proofs: DocumentProofs,
    indication: Indication,
    sub_indication: SubIndication | None,
    *,
    entitlement: Entitlement = Entitlement.UNKNOWN,
    signatures: tuple[SignatureVerdict, ...] = (),
    timestamps: tuple[TimestampVerdict, ...] = (),
    record: RecordReference | None = None,
    messages: tuple[Message, ...] = (),
) -> Verdict:
    return Verdict(
        sha256=proofs.digests.sha256.hex(),
        indication=indication,
        sub_indication=sub_indication,
        entitlement=entitlement,
        signatures=signatures,
        timestamps=timestamps,
        record=record,
        messages=messages,
    )
