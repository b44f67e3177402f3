"""From what evidence says of a certificate to one answer: rules 2 to 5 of :mod:`pki.revocation.judgement`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pki.revocation.inquiry import ALL_REASONS, Finding, Inquiry, RevocationMessage

_COMPROMISE = frozenset({"keyCompromise", "cACompromise", "aACompromise"})
# a signer revoked for one of these may have signed anything under any date
UNTRUSTWORTHY = _COMPROMISE | {None, "unspecified"}


class RevocationState(StrEnum):
    """Only GOOD is good."""

    GOOD = "good"
    REVOKED = "revoked"
    ON_HOLD = "on-hold"
    """Suspended (certificateHold), and nothing says how that ended: it may become good again, or revoked."""
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
    """The answer. `revoked_at` is set for REVOKED and ON_HOLD, and for GOOD where a later revocation is known of (`reason` likewise).

    `source` ("OCSP" or "CRL"), `this_update` and `next_update` are of the evidence that decided, None for UNKNOWN. `signer_not_after` is
    when the key behind that evidence expires: past it, the evidence needs a proof of existence from before.
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
        return self.state in (RevocationState.GOOD, RevocationState.REVOKED, RevocationState.ON_HOLD)


def conclude(findings: Sequence[Finding], inquiry: Inquiry, at: datetime, freshness: Freshness) -> RevocationResult:
    # 2.
    revocations = [finding for finding in findings if finding.state == "revoked"]
    past = [finding for finding in revocations if _since(finding) <= at]
    for finding in sorted(past, key=_is_hold):
        if not _is_hold(finding):
            return _result(RevocationState.REVOKED, finding, inquiry, revoked=finding)
        if not _lifted(finding, findings, at):
            state = RevocationState.REVOKED if _is_over(finding, findings) else RevocationState.ON_HOLD
            return _result(state, finding, inquiry, revoked=finding)
    # 3.
    usable = [finding for finding in findings if _reaches(finding, inquiry)]
    # 4.
    fresh = [finding for finding in usable if freshness.allows(finding, at)]
    later = min((finding for finding in revocations if _since(finding) > at), key=_since, default=None) if revocations else None
    # 5.
    for state, group in ((RevocationState.GOOD, fresh), (RevocationState.NOT_FRESH, usable)):
        covered: frozenset[int] = frozenset().union(*[finding.reasons for finding in group])
        if covered >= ALL_REASONS:
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


def good(findings: Sequence[Finding], inquiry: Inquiry) -> RevocationResult | None:
    """What :func:`conclude` says for every moment for which the one finding is fresh; None where there are more, or it is not all good."""
    if len(findings) != 1 or findings[0].state != "good":
        return None
    apart = replace(inquiry, messages=list(inquiry.messages))
    result = conclude(findings, apart, findings[0].this_update, ISSUED_AFTER)
    return result if result.state is RevocationState.GOOD else None


def _since(finding: Finding) -> datetime:
    """From when on a revoked certificate counts as such."""
    assert finding.revoked_at is not None  # noqa: S101 - both readers set it for a revoked certificate
    if finding.reason in _COMPROMISE and finding.invalid_since is not None:
        return min(finding.revoked_at, finding.invalid_since)
    return finding.revoked_at


def _is_hold(finding: Finding) -> bool:
    return finding.state == "revoked" and finding.reason == "certificateHold"


def _lifted(hold: Finding, findings: Sequence[Finding], at: datetime) -> bool:
    """Whether the hold was last seen before `at` and was released since: a signature of that time is made after it."""
    return hold.this_update < at and any(other.state == "good" and other.this_update > hold.this_update for other in findings)


def _is_over(hold: Finding, findings: Sequence[Finding]) -> bool:
    """Whether waiting changes nothing any more: the hold was released, or became a revocation. What fell into it stays without validity

    (Regulation (EU) 910/2014 article 28(5)(a): a suspended certificate loses its validity for the period of suspension).
    """
    later = [other for other in findings if other.this_update > hold.this_update]
    return any(other.state == "good" for other in later) or any(other.state == "revoked" and not _is_hold(other) for other in findings)


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
