"""Whether a certificate was revoked at a time, judged from CRLs and OCSP answers that were handed in: no network is ever touched.

>>> from pki.revocation.judgement import Evidence, revocation_status
>>> result = revocation_status(teacher, issuing, evidence=Evidence(ocsps=(answer,)), at=stamped, now=now, anchors=[root])  # doctest: +SKIP
>>> result.state  # doctest: +SKIP
<RevocationState.GOOD: 'good'>

`at` is the control time: the proven time by which the signature or time stamp existed. `now` is the time of validation, or the time by
which an archive time stamp proves the evidence to have existed: evidence later than it is ignored. The rules, numbered as in the code
(2 to 5 are in :mod:`pki.revocation.result`):

1. Evidence counts that is authentic and about the certificate (:mod:`pki.revocation.ocsp_check`, :mod:`pki.revocation.crl_check`); the
   rest leaves a message.
2. Revoked at or before `at` is REVOKED, however old the evidence. For a compromised key an earlier invalidityDate counts instead of the
   date of revocation. certificateHold is ON_HOLD, which only later evidence can settle: it ends where that says good and `at` lies after
   the hold was last seen; where `at` lies within a hold that was released or became a revocation, the certificate was REVOKED.
3. Evidence issued after the certificate expired says good only where it reaches back: expiredCertsOnCRL or archiveCutoff is not after
   notAfter.
4. Good evidence is fresh for `at` where its thisUpdate is `at` or later, so that no revocation before `at` can be missing from it; or,
   where :class:`Freshness` allows it, where `at` lies between thisUpdate and nextUpdate, and thisUpdate is no older than max_age. Evidence
   of a revocation after `at` is good evidence for `at`.
5. GOOD needs fresh evidence for every revocation reason. NOT_FRESH has good evidence, but not fresh. UNKNOWN has none. Only GOOD is good.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from pki.paths.chain import TrustAnchor
from pki.paths.validation import DOCUMENTS, PathPolicy
from pki.paths.validation_cache import Key, ValidationCache
from pki.revocation.crl_check import crl_findings
from pki.revocation.inquiry import Budget, Evidence, EvidenceLimitError, Finding, Inquiry, RevocationMessage
from pki.revocation.ocsp_check import ocsp_findings
from pki.revocation.readable import ReadEvidence
from pki.revocation.result import (
    ISSUED_AFTER,
    UNTIL_NEXT_UPDATE,
    UNTRUSTWORTHY,
    Freshness,
    RevocationResult,
    RevocationState,
    conclude,
    good,
)
from pki.structures.certificate import Certificate

__all__ = [
    "ISSUED_AFTER",
    "UNTIL_NEXT_UPDATE",
    "Evidence",
    "Freshness",
    "RevocationMessage",
    "RevocationResult",
    "RevocationState",
    "Witnesses",
    "revocation_status",
]

MAX_OCSPS = 2_000  # in one document's evidence; bounds work on hostile input
MAX_CRLS = 500
MAX_CERTIFICATES = 1_000
MAX_EVIDENCE_OCTETS = 64 * 1024 * 1024
_TESTIMONY_OCTETS = 512  # that a finding or a message is taken to hold
MAX_DEPTH = 2  # evidence about whoever signed evidence about whoever signed evidence


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
    """The status of `certificate` at `at`; `issuer` is the certificate above it in a path that :func:`pki.paths.chain.validate_path`
    accepted.

    Never raises for what evidence holds: what cannot be used becomes a message. Pass one `cache` for a document, or for a run of them:
    evidence is read and its signatures are checked once.
    """
    witnesses = Witnesses(evidence, now=now, anchors=anchors, policy=policy, cache=cache)
    return witnesses.status(certificate, issuer, at=at, freshness=freshness)


class Witnesses:
    """What a body of evidence says as of `now`, for many questions: what it says of one certificate is worked out once.

    Only the control time and the freshness asked for differ from question to question, and both are looked at afresh each time.
    """

    def __init__(
        self,
        evidence: Evidence,
        *,
        now: datetime,
        anchors: Sequence[TrustAnchor],
        policy: PathPolicy = DOCUMENTS,
        cache: ValidationCache | None = None,
    ) -> None:
        self._evidence = evidence
        self._now = now
        self._anchors = anchors
        # what the caller asks of a signer's certificate policies is not asked of whoever signs evidence
        self._policy = PathPolicy(algorithms=policy.algorithms)
        self._cache = cache if cache is not None else ValidationCache()
        self._in_size = False
        self._read = ReadEvidence(evidence, self._cache)
        self._answered: dict[tuple[Hashable, ...], RevocationResult] = {}
        self._heard: dict[tuple[bytes, bytes, int], _Testimony] = {}

    def as_of(self, now: datetime) -> Witnesses:
        """The same evidence as of another moment: this very object where none of it is later than either, for then all of it counts."""
        latest = self._read.latest
        if latest is None or latest <= min(now, self._now):
            return self
        return Witnesses(self._evidence, now=now, anchors=self._anchors, policy=self._policy, cache=self._cache)

    def status(
        self, certificate: Certificate, issuer: Certificate, *, at: datetime, freshness: Freshness = ISSUED_AFTER
    ) -> RevocationResult:
        """As :func:`revocation_status`."""
        key = (certificate.der, issuer.der, at, freshness.accept_issued_before, freshness.max_age)
        found = self._answered.get(key)
        if found is None:
            known = self._testimony((certificate.der, issuer.der, 0))
            found = known.undisputed(at, freshness) if known is not None else None
            if found is None:
                found = self._ask(certificate, issuer, Budget(), at=at, freshness=freshness, depth=0)
            self._answered[key] = found
        return found

    @property
    def is_complete(self) -> bool:
        """Whether every item of the evidence can be read."""
        return self._read.is_complete

    def _ask(
        self, certificate: Certificate, issuer: Certificate, budget: Budget, *, at: datetime, freshness: Freshness, depth: int
    ) -> RevocationResult:
        def signer_is_unrevoked(signer: Certificate, above: Certificate, when: datetime) -> bool:
            if depth >= MAX_DEPTH:
                return False
            result = self._ask(signer, above, budget, at=when, freshness=UNTIL_NEXT_UPDATE, depth=depth + 1)
            return result.state is RevocationState.GOOD and (result.revoked_at is None or result.reason not in UNTRUSTWORTHY)

        inquiry = Inquiry(
            certificate=certificate,
            issuer=issuer,
            evidence=self._evidence,
            read=self._read,
            anchors=self._anchors,
            now=self._now,
            policy=self._policy,
            cache=self._cache,
            budget=budget,
            signer_is_unrevoked=signer_is_unrevoked,
        )
        try:
            findings = self._findings(inquiry, depth)
        except EvidenceLimitError as exc:
            inquiry.ignore("EVIDENCE_LIMIT", str(exc))
            return RevocationResult(RevocationState.UNKNOWN, messages=tuple(inquiry.messages))
        return conclude(findings, inquiry, at, freshness)

    def _findings(self, inquiry: Inquiry, depth: int) -> tuple[Finding, ...]:
        """What every piece of evidence says of the certificate. Said again, it costs the question's budget what it cost at first."""
        key, budget = (inquiry.certificate.der, inquiry.issuer.der, depth), inquiry.budget
        known = self._testimony(key)
        if known is not None:
            budget.charge(known.cost)
            inquiry.messages.extend(known.messages)
            return known.findings
        if not self._in_size:
            _check_size(self._evidence)
            self._in_size = True
        before = replace(budget)
        findings = (*ocsp_findings(inquiry), *crl_findings(inquiry))
        cost = Budget(budget.candidates - before.candidates, budget.refusals - before.refusals)
        self._heard[key] = _Testimony(findings, tuple(inquiry.messages), cost, good(findings, inquiry))
        if self._timeless is not None:
            octets = _TESTIMONY_OCTETS * (1 + len(findings) + len(inquiry.messages)) + sum(map(len, key[:2]))
            self._cache.put((self._timeless, *key), self._heard[key], octets=octets)
        return findings

    def _testimony(self, key: tuple[bytes, bytes, int]) -> _Testimony | None:
        """What was heard of a certificate, from this issuer and at this depth, here or on behalf of another document."""
        known = self._heard.get(key)
        if known is None and self._timeless is not None:
            known = self._cache.get((self._timeless, *key))
            if known is not None:
                self._heard[key] = known
        return known

    @cached_property
    def _timeless(self) -> Key | None:
        """What the evidence says of a certificate depends on, besides the certificate; None where it depends on `now` as well.

        That is where some of the evidence is later. Documents that were archived together carry the same evidence.
        """
        latest = self._read.latest
        if latest is None or latest > self._now:
            return None
        return Key("testimony", self._read.digest, tuple(self._anchors), self._policy)


@dataclass(frozen=True)
class _Testimony:
    """What the evidence said of one certificate, what was left out and why, and what it cost to find out."""

    findings: tuple[Finding, ...]
    messages: tuple[RevocationMessage, ...]
    cost: Budget
    good: RevocationResult | None
    """See :func:`pki.revocation.result.good`."""

    def undisputed(self, at: datetime, freshness: Freshness) -> RevocationResult | None:
        """The answer for `at`, where it follows from one finding that is good, as it nearly always does."""
        return self.good if self.good is not None and freshness.allows(self.findings[0], at) else None


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
