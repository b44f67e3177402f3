"""Whether a certificate was revoked at a time, judged from CRLs and OCSP answers that were handed in: no network is ever touched.

>>> from pki.revocation import Evidence, revocation_status
>>> result = revocation_status(teacher, issuing, evidence=Evidence(ocsps=(answer,)), at=stamped, now=now, anchors=[root])  # doctest: +SKIP
>>> result.state  # doctest: +SKIP
<RevocationState.GOOD: 'good'>

`at` is the control time: the proven time by which the signature or time stamp existed. `now` is the time of validation, or the time by
which an archive time stamp proves the evidence to have existed: evidence later than it is ignored. The rules, numbered as in the code:

1. Evidence counts that is authentic and about the certificate (:mod:`pki.ocsp_check`, :mod:`pki.crl_check`); the rest leaves a message.
2. Revoked at or before `at` is REVOKED, however old the evidence. For a compromised key an earlier invalidityDate counts instead of the
   date of revocation. certificateHold ends where later evidence says good and `at` lies after the hold was last seen.
3. Evidence issued after the certificate expired says good only where it reaches back: expiredCertsOnCRL or archiveCutoff is not after
   notAfter.
4. Good evidence is fresh for `at` where its thisUpdate is `at` or later, so that no revocation before `at` can be missing from it; or,
   where :class:`Freshness` allows it, where `at` lies between thisUpdate and nextUpdate, and thisUpdate is no older than max_age. Evidence
   of a revocation after `at` is good evidence for `at`.
5. GOOD needs fresh evidence for every revocation reason. NOT_FRESH has good evidence, but not fresh. UNKNOWN has none. Only GOOD is good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pki.certificate import Certificate
from pki.chain import TrustAnchor
from pki.crl_check import crl_findings
from pki.ocsp_check import ocsp_findings
from pki.path_validation import DOCUMENTS, PathPolicy
from pki.revocation_inquiry import ALL_REASONS, Budget, Evidence, EvidenceLimitError, Finding, Inquiry, RevocationMessage
from pki.validation_cache import ValidationCache

__all__ = [
    "ISSUED_AFTER",
    "UNTIL_NEXT_UPDATE",
    "Evidence",
    "Freshness",
    "RevocationMessage",
    "RevocationResult",
    "RevocationState",
    "revocation_status",
]

MAX_OCSPS = 2_000  # in one document's evidence; bounds work on hostile input
MAX_CRLS = 500
MAX_CERTIFICATES = 1_000
MAX_EVIDENCE_OCTETS = 64 * 1024 * 1024
MAX_DEPTH = 2  # evidence about whoever signed evidence about whoever signed evidence

_COMPROMISE = frozenset({"keyCompromise", "cACompromise", "aACompromise"})
# a signer revoked for one of these may have signed anything under any date
_UNTRUSTWORTHY = _COMPROMISE | {None, "unspecified"}


class RevocationState(StrEnum):
    """Only GOOD is good."""

    GOOD = "good"
    REVOKED = "revoked"
    NOT_FRESH = "not-fresh"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Freshness:
    """Whether evidence issued before the control time will do, while its nextUpdate has not passed, and how old it may be then."""

    accept_issued_before: bool = False
    max_age: timedelta | None = None

    def allows(self, finding: Finding, at: datetime) -> bool:
        if finding.this_update >= at:
            return True
        if not self.accept_issued_before or finding.next_update is None or at > finding.next_update:
            return False
        return self.max_age is None or at - finding.this_update <= self.max_age


ISSUED_AFTER = Freshness()
"""Only evidence that cannot have missed a revocation before the control time."""
UNTIL_NEXT_UPDATE = Freshness(accept_issued_before=True)
"""Evidence that was current at the control time: what is asked of CA certificates, whose CRLs come rarely."""


@dataclass(frozen=True)
class RevocationResult:
    """The answer. `revoked_at` is set for REVOKED, and for GOOD where a later revocation is known of (`reason` likewise).

    `source` ("OCSP" or "CRL"), `this_update` and `next_update` are of the evidence that decided, None for UNKNOWN. `signer_not_after` is
    when the key
    behind that evidence expires: past it, the evidence needs a proof of existence from before.
    """

    state: RevocationState
    revoked_at: datetime | None = None
    reason: str | None = None
    source: str | None = None
    this_update: datetime | None = None
    next_update: datetime | None = None
    signer_not_after: datetime | None = None
    messages: tuple[RevocationMessage, ...] = ()

    @property
    def fresh(self) -> bool:
        """Whether the evidence is fresh for the control time; a certificate that is REVOKED stays so, however old the evidence."""
        return self.state in (RevocationState.GOOD, RevocationState.REVOKED)


def revocation_status(
    certificate: Certificate,
    issuer: Certificate,
    *,
    evidence: Evidence,
    at: datetime,
    now: datetime,
    anchors: Sequence[TrustAnchor],
    freshness: Freshness = ISSUED_AFTER,
    policy: PathPolicy = DOCUMENTS,
    cache: ValidationCache | None = None,
) -> RevocationResult:
    """The status of `certificate` at `at`; `issuer` is the certificate above it in a path that :func:`pki.chain.validate_path` accepted.

    Never raises for what evidence holds: what cannot be used becomes a message. Pass one `cache` for a document, or for a run of them:
    evidence is
    read and its signatures are checked once.
    """
    # what the caller asks of a signer's certificate policies is not asked of whoever signs evidence
    plain = PathPolicy(algorithms=policy.algorithms)
    question = _Question(evidence, anchors, now, plain, cache if cache is not None else ValidationCache(), Budget())
    return question.ask(certificate, issuer, at=at, freshness=freshness, depth=0)


@dataclass(frozen=True)
class _Question:
    """All that stays the same when the question is asked about the signers of evidence."""

    evidence: Evidence
    anchors: Sequence[TrustAnchor]
    now: datetime
    policy: PathPolicy
    cache: ValidationCache
    budget: Budget

    def ask(self, certificate: Certificate, issuer: Certificate, *, at: datetime, freshness: Freshness, depth: int) -> RevocationResult:
        def signer_is_unrevoked(signer: Certificate, above: Certificate, when: datetime) -> bool:
            if depth >= MAX_DEPTH:
                return False
            result = self.ask(signer, above, at=when, freshness=UNTIL_NEXT_UPDATE, depth=depth + 1)
            return result.state is RevocationState.GOOD and (result.revoked_at is None or result.reason not in _UNTRUSTWORTHY)

        inquiry = Inquiry(
            certificate=certificate,
            issuer=issuer,
            evidence=self.evidence,
            anchors=self.anchors,
            now=self.now,
            policy=self.policy,
            cache=self.cache,
            budget=self.budget,
            signer_is_unrevoked=signer_is_unrevoked,
        )
        try:
            _check_size(self.evidence)
            findings = [*ocsp_findings(inquiry), *crl_findings(inquiry)]
        except EvidenceLimitError as exc:
            inquiry.ignore("EVIDENCE_LIMIT", str(exc))
            return RevocationResult(RevocationState.UNKNOWN, messages=tuple(inquiry.messages))
        return _conclude(findings, inquiry, at, freshness)


def _check_size(evidence: Evidence) -> None:
    for items, most, what in (
        (evidence.ocsps, MAX_OCSPS, "OCSP responses"),
        (evidence.crls, MAX_CRLS, "CRLs"),
        (evidence.certificates, MAX_CERTIFICATES, "certificates"),
    ):
        if len(items) > most:
            raise EvidenceLimitError(f"revocation data holds {len(items)} {what}, more than the {most} that are read")
    octets = sum(map(len, evidence.ocsps)) + sum(map(len, evidence.crls))
    if octets > MAX_EVIDENCE_OCTETS:
        raise EvidenceLimitError(f"revocation data holds {octets} octets, more than the {MAX_EVIDENCE_OCTETS} that are read")


def _conclude(findings: list[Finding], inquiry: Inquiry, at: datetime, freshness: Freshness) -> RevocationResult:
    # 2.
    for finding in findings:
        if finding.state == "revoked" and _since(finding) <= at and not _lifted(finding, findings, at):
            return _result(RevocationState.REVOKED, finding, inquiry, revoked=finding)
    # 3.
    usable = [finding for finding in findings if _reaches(finding, inquiry)]
    # 4.
    fresh = [finding for finding in usable if freshness.allows(finding, at)]
    later = min((finding for finding in findings if finding.state == "revoked" and _since(finding) > at), key=_since, default=None)
    # 5.
    for state, group in ((RevocationState.GOOD, fresh), (RevocationState.NOT_FRESH, usable)):
        if frozenset[int]().union(*(finding.reasons for finding in group)) >= ALL_REASONS:
            if state is RevocationState.NOT_FRESH:
                newest = max(finding.this_update for finding in group)
                inquiry.ignore("EVIDENCE_NOT_FRESH", f"the newest revocation data is of {newest.isoformat()}, too old for {at.isoformat()}")
            return _result(state, max(group, key=lambda finding: (finding.signer_not_after, finding.this_update)), inquiry, revoked=later)
    if usable:
        inquiry.ignore("CRL_REASONS_MISSING", "the CRLs at hand do not cover every reason for a revocation")
    elif not inquiry.messages:
        counts = f"{len(inquiry.evidence.ocsps)} OCSP responses and {len(inquiry.evidence.crls)} CRLs"
        inquiry.ignore("NO_EVIDENCE", f"none of {counts} is about the certificate {inquiry.certificate.serial_hex}")
    return RevocationResult(RevocationState.UNKNOWN, messages=tuple(inquiry.messages))


def _since(finding: Finding) -> datetime:
    """From when on a revoked certificate counts as such."""
    assert finding.revoked_at is not None  # noqa: S101 - both readers set it for a revoked certificate
    if finding.reason in _COMPROMISE and finding.invalid_since is not None:
        return min(finding.revoked_at, finding.invalid_since)
    return finding.revoked_at


def _lifted(hold: Finding, findings: list[Finding], at: datetime) -> bool:
    if hold.reason != "certificateHold" or hold.this_update >= at:
        return False
    return any(other.state == "good" and other.this_update > hold.this_update for other in findings)


def _reaches(finding: Finding, inquiry: Inquiry) -> bool:
    expiry = inquiry.certificate.not_after
    if finding.this_update <= expiry or finding.state == "revoked":
        return True
    if finding.covers_expired_since is not None and finding.covers_expired_since <= expiry:
        return True
    inquiry.ignore(
        "EVIDENCE_AFTER_EXPIRY",
        f"{finding.source} of {finding.this_update.isoformat()} says nothing of certificates expired at {expiry.isoformat()}",
    )
    return False


def _result(state: RevocationState, finding: Finding, inquiry: Inquiry, *, revoked: Finding | None) -> RevocationResult:
    return RevocationResult(
        state=state,
        revoked_at=_since(revoked) if revoked else None,
        reason=revoked.reason if revoked else None,
        source=finding.source,
        this_update=finding.this_update,
        next_update=finding.next_update,
        signer_not_after=finding.signer_not_after,
        messages=tuple(inquiry.messages),
    )
