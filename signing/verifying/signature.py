"""One signature of a document, judged: steps 1 to 6 of :mod:`signing.verifying.verify` for it alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import NamedTuple

from pki.paths.chain import KeyPurpose, ValidatedPath
from signing.changes.analysis import ChangeAnalysis
from signing.coverage.structure import SignatureField
from signing.failure import CheckFailedError
from signing.policy import CADES, VerificationPolicy
from signing.trust.cms_check import CheckedCms, check_detached
from signing.trust.ground import Horizon, Standing
from signing.trust.stamp import MAX_CLOCK_SKEW, StampFinding
from signing.trust.standing import chain_of, unrevoked
from signing.trust.store import Registered
from signing.trust.subject import Subject
from signing.trust.times import DocumentProofs, signature_stamps
from signing.verdict import (
    Changes,
    Coverage,
    Indication,
    Message,
    SignatureVerdict,
    SubIndication,
    TimestampVerdict,
    rfc3339,
)
from signing.verifying.level import LevelFacts, baseline_level

_PURPOSE = KeyPurpose.DOCUMENT_SIGNING
MAX_MESSAGES = 20  # shown for one signature: a hostile document may earn thousands


class JudgedSignature(NamedTuple):
    """A signature's verdict, and what entitlement and the order of time need of it."""

    field: SignatureField
    verdict: SignatureVerdict
    stamps: tuple[TimestampVerdict, ...]
    subject: Subject | None
    chained: bool
    """The signer's chain leads to an anchor, and nothing failed for good: who signed is known, whatever else is not."""
    ours: bool
    registered: Registered | None
    """What the books say of its certificate, where another authority issued that."""
    proven_since: datetime | None
    """The latest time stamp that the signature itself carries: what signs over it must be later."""
    certificates: tuple[bytes, ...]
    """All that the signature and its time stamps carry, DER."""


@dataclass
class SignatureJudge:
    """Judges the signatures of one document, in order of signing."""

    changes: ChangeAnalysis
    proofs: DocumentProofs
    policy: VerificationPolicy
    findings: tuple[Message, ...]
    """On the document as a whole: they count against every signature."""
    last_revision: int
    """The revision of the last signature that is no time stamp."""
    registered: Mapping[str, Registered] = field(default_factory=dict)
    """See :class:`signing.trust.store.TrustStore`."""
    _failures: list[CheckFailedError] = field(default_factory=list)
    _notes: list[Message] = field(default_factory=list)

    def judge(self, signature: SignatureField, *, not_before: datetime | None) -> JudgedSignature:
        """`not_before`: the latest time proven inside what this signature signs."""
        self._failures, self._notes = [], []
        self._structure(signature)  # 1.
        changes = self._changes(signature)  # 2.
        checked = self._cms(signature)  # 3.
        archived = self.proofs.horizon(signature.revision)
        stamps = signature_stamps(checked.cms, archived, self.proofs.ground) if checked else ()  # 6.
        proof = self._proof(signature, archived, stamps, not_before)
        path = self._chain(checked, proof) if checked else None  # 4.
        stood = self._unrevoked(path, checked, proof) if path and checked else None  # 5.
        registered = self._registration(checked, path, proof)
        ours = self._is_ours(path)
        self._time_proven(proof, ours=ours, registered=registered)
        return self._judged(signature, changes, checked, stamps, proof, path, stood, registered, ours=ours)

    def _fail(self, sub_indication: SubIndication, code: str, text: str) -> None:
        self._failures.append(CheckFailedError(sub_indication, code, text))

    def _structure(self, signature: SignatureField) -> None:
        for finding in (*signature.findings, *self.findings):
            self._fail(SubIndication.FORMAT_FAILURE, finding.code, finding.text)
        if signature.coverage is Coverage.PARTIAL and not signature.findings:
            self._fail(SubIndication.FORMAT_FAILURE, "COVERAGE_PARTIAL", "the signature leaves out bytes that the reader sees")
        if signature.subfilter not in self.policy.subfilters:
            expected = ", ".join(sorted(self.policy.subfilters))
            text = f"signature form {signature.subfilter!r}; policy {self.policy.name} expects {expected}"
            self._fail(SubIndication.SIG_CONSTRAINTS_FAILURE, "SUBFILTER_NOT_ACCEPTED", text)

    def _changes(self, signature: SignatureField) -> Changes:
        report = self.changes.after(signature.revision, mdp=signature.lock)
        allowed = self.policy.permitted_after(last=signature.revision >= self.last_revision)
        if not report.allows(allowed):
            text = f"the document was changed after this signature ({report.kind.value}); permitted is {allowed.value}"
            self._fail(SubIndication.FORMAT_FAILURE, "CHANGED_AFTER_SIGNING", text)
            for finding in report.findings:
                self._fail(SubIndication.FORMAT_FAILURE, finding.code, finding.text)
        return report.kind

    def _cms(self, signature: SignatureField) -> CheckedCms | None:
        if not signature.contents or signature.byte_range is None:
            return None  # there is a finding already
        try:
            return check_detached(signature.contents, partial(self.proofs.digests.of, signature), ess_required=signature.subfilter == CADES)
        except CheckFailedError as exc:
            self._failures.append(exc)
            return None

    def _proof(self, signature: SignatureField, archived: Horizon, stamps: Sequence[StampFinding], not_before: datetime | None) -> Horizon:
        """The earliest moment by which the signature is proven to have existed; by `archived` it is, as document time stamps have it."""
        proof = archived
        for stamp in stamps:
            if stamp.passed and stamp.time is not None:
                proof = Horizon(min(stamp.time, proof.moment) if proof.proven else stamp.time, True)
        covering = self.proofs.covering(signature.revision)
        for finding in [finding for stamp in covering for finding in stamp.field.findings]:
            # a time stamp that does not sign what it seems to leaves octets in the file that nobody answers for
            self._fail(SubIndication.FORMAT_FAILURE, finding.code, f"in a time stamp after it: {finding.text}")
        failed = [*stamps, *(stamp.finding for stamp in covering)]
        self._notes += [note for stamp in covering if stamp.finding.standing for note in stamp.finding.standing.messages]
        for failure in [stamp.failure for stamp in failed if stamp.failure is not None]:
            if self.policy.failed_timestamps_count or failure.code == "TIMESTAMP_ORDER":  # stamps that contradict one another: clause 5.5.4
                weakened = failure.sub_indication if failure.indication is Indication.INDETERMINATE else SubIndication.NO_POE
                self._fail(weakened, "TIMESTAMP_NOT_PASSED", f"a time stamp over this signature does not pass: {failure}")
            else:
                self._notes.append(Message("TIMESTAMP_NOT_PASSED", f"a time stamp over this signature proves nothing: {failure}"))
        if not_before is not None and proof.proven and proof.moment + MAX_CLOCK_SKEW < not_before:
            text = f"proven to exist by {rfc3339(proof.moment)}, but signs over a time stamp of {rfc3339(not_before)}"
            self._fail(SubIndication.TIMESTAMP_ORDER_FAILURE, "TIMESTAMP_ORDER", text)
        if signature.claimed_time and signature.claimed_time > proof.moment + MAX_CLOCK_SKEW:
            text = (
                f"the signer's clock said {rfc3339(signature.claimed_time)}, later than {rfc3339(proof.moment)}; the claim is not believed"
            )
            self._notes.append(Message("CLAIMED_TIME_IMPLAUSIBLE", text))
        return proof

    def _chain(self, checked: CheckedCms, proof: Horizon) -> ValidatedPath | None:
        try:
            return chain_of(checked.signer.der, checked.certificates, purpose=_PURPOSE, horizon=proof, ground=self.proofs.ground)
        except CheckFailedError as exc:
            self._failures.append(exc)
            return None

    def _unrevoked(self, path: ValidatedPath, checked: CheckedCms, proof: Horizon) -> Standing | None:
        try:
            stood = unrevoked(path, checked.certificates, purpose=_PURPOSE, horizon=proof, ground=self.proofs.ground)
        except CheckFailedError as exc:
            self._failures.append(exc)
            return None
        self._notes.extend(stood.messages)
        return stood

    def _time_proven(self, proof: Horizon, *, ours: bool, registered: Registered | None) -> None:
        """A record of ours is time-stamped, always, and so is what another authority's certificate signs of it.

        Without a time stamp, data from before a revocation count until their nextUpdate: a signer who was revoked would leave it out. Nor
        is it known then whether the certificate was registered when it signed.
        """
        if self.policy.entitlement and not proof.proven and (ours or registered is not None):
            text = "no time stamp proves when this was signed; signatures on records carry one"
            self._fail(SubIndication.NO_POE, "NOT_TIME_STAMPED", text)

    def _judged(
        self,
        signature: SignatureField,
        changes: Changes,
        checked: CheckedCms | None,
        stamps: Sequence[StampFinding],
        proof: Horizon,
        path: ValidatedPath | None,
        stood: Standing | None,
        registered: Registered | None,
        *,
        ours: bool,
    ) -> JudgedSignature:
        # roles come with a valid chain: what a stranger's certificate says of itself is not shown as a role
        policies = path.policies if path and path.anchor.constraints is None else frozenset()
        subject = checked.signer.subject.upheld(policies) if checked else None
        worst = next((one for one in self._failures if one.indication is Indication.TOTAL_FAILED), next(iter(self._failures), None))
        messages = dict.fromkeys([*(failure.message for failure in self._failures), *self._notes])
        verdict = SignatureVerdict(
            field=signature.name,
            indication=worst.indication if worst else Indication.TOTAL_PASSED,
            sub_indication=worst.sub_indication if worst else None,
            level=baseline_level(self._level(signature, stamps, proof, stood)) if checked else None,
            signer=subject.signer(self.policy, registered) if subject else None,
            claimed_time=signature.claimed_time,
            best_signature_time=proof.moment if proof.proven and checked else None,
            coverage=signature.coverage,
            changes=changes,
            messages=tuple(messages)[:MAX_MESSAGES],
        )
        return JudgedSignature(
            field=signature,
            verdict=verdict,
            stamps=tuple(stamp.verdict(field=signature.name, kind="signature") for stamp in stamps),
            subject=subject,
            chained=path is not None and verdict.indication is not Indication.TOTAL_FAILED,
            ours=ours,
            registered=registered,
            proven_since=max((stamp.time for stamp in stamps if stamp.passed and stamp.time), default=None),
            certificates=(checked.certificates if checked else ()) + tuple(der for stamp in stamps for der in stamp.certificates),
        )

    def _registration(self, checked: CheckedCms | None, path: ValidatedPath | None, proof: Horizon) -> Registered | None:
        if checked is None or path is None or path.anchor.constraints is None:
            return None
        found = self.registered.get(checked.signer.subject.fingerprint)
        return found if found is not None and found.holds_at(proof.moment) else None

    def _is_ours(self, path: ValidatedPath | None) -> bool:
        """Whether any certificate below the anchor names a policy of our arc: one of ours cannot leave entitlement by leaving it out.

        Below an anchor that is named as another authority's, that arc means nothing.
        """
        if path is not None and path.anchor.constraints is not None:
            return False
        named = [oid for certificate in path.certificates for oid in certificate.extensions.policies or ()] if path else []
        return any(self.policy.is_ours(oid) for oid in named)

    def _level(self, signature: SignatureField, stamps: Sequence[StampFinding], proof: Horizon, stood: Standing | None) -> LevelFacts:
        chains = [stood, *(stamp.standing for stamp in stamps if stamp.passed)]
        covered = any(stamp.finding.passed for stamp in self.proofs.covering(signature.revision))
        return LevelFacts(
            pades=signature.subfilter == CADES,
            timestamped=proof.proven,
            validation_data=all(chain is not None and chain.self_contained for chain in chains),
            archived=covered and all(chain is not None and chain.archived for chain in chains),
        )
