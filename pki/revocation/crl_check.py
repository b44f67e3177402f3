"""What CRLs say of a certificate: complete, partitioned by place or reason, indirect, and deltas with their base (RFC 5280 section 6.3.3).

A CRL counts when: 1. it can be read, and holds no critical extension that is not understood; 2. its issuer is the certificate's, or the
one that the certificate's distribution point names; 3. it is not from the future; 4. the certificate lies in its scope; 5. it is signed
under the issuer's own key or under another certificate of that name, for CRL signing, unrevoked, below the same trust anchor; 6. a delta
has its base.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pki.errors import EncodingError, PkiError
from pki.paths.chain import KeyPurpose, TrustAnchor, anchors_above, validate_path
from pki.paths.chain_errors import ChainError
from pki.revocation.crl_entries import Entry
from pki.revocation.crl_evidence import Crl
from pki.revocation.inquiry import ALL_REASONS, EvidenceLimitError, Finding, Inquiry
from pki.structures.certificate import CRL_SIGN, Certificate, load_certificate
from pki.structures.extensions import Point, PointName
from pki.structures.names import GeneralName, GeneralNameKind


@dataclass(frozen=True)
class _Accepted:
    """A CRL that counts: who signed it and which revocation reasons it covers for the certificate."""

    crl: Crl
    signer: Certificate
    reasons: frozenset[int]


def crl_findings(inquiry: Inquiry) -> list[Finding]:
    """One finding for each complete CRL that counts; the others leave a message. Raises EvidenceLimitError alone."""
    accepted = [found for crl in inquiry.read.crls if (found := _accept(inquiry, crl)) is not None]
    for text in inquiry.read.unreadable_crls:
        inquiry.ignore("EVIDENCE_UNREADABLE", text)
    deltas = [item for item in accepted if item.crl.delta_base is not None]
    bases = [item for item in accepted if item.crl.delta_base is None]
    if deltas and not bases:
        inquiry.ignore("CRL_DELTA_ONLY", "delta CRL without the complete CRL that it builds upon")
    findings: list[Finding] = []
    for base in bases:
        try:
            findings += _judge(inquiry, base, _delta_for(base, deltas))
        except EncodingError as exc:
            inquiry.ignore("EVIDENCE_UNREADABLE", str(exc))
    return findings


def _accept(inquiry: Inquiry, crl: Crl) -> _Accepted | None:
    certificate = inquiry.certificate
    named = [issuer for point in certificate.extensions.distribution_points for issuer in point.crl_issuers]
    if crl.issuer != certificate.issuer and crl.issuer not in named:
        return None
    if crl.unknown_critical is not None:
        inquiry.ignore("CRL_CRITICAL_EXTENSION", f"CRL with the critical extension {crl.unknown_critical}, which is not understood")
        return None
    if crl.this_update > inquiry.now:
        inquiry.ignore("EVIDENCE_FROM_FUTURE", f"CRL issued at {crl.this_update.isoformat()}, after {inquiry.now.isoformat()}")
        return None
    if crl.next_update is not None and crl.next_update < crl.this_update:
        inquiry.ignore("EVIDENCE_INCONSISTENT", f"CRL of {crl.this_update.isoformat()}: its nextUpdate lies before its thisUpdate")
        return None
    reasons = _scope(inquiry, crl)
    if not reasons:
        return None
    signer = _signer(inquiry, crl)
    return _Accepted(crl, signer, reasons) if signer is not None else None


def _scope(inquiry: Inquiry, crl: Crl) -> frozenset[int]:
    """The reasons that the CRL covers for the certificate; none, after a message, where it is about others (RFC 5280 6.3.3 b, d)."""
    certificate, scope = inquiry.certificate, crl.scope
    constraint = certificate.extensions.basic_constraints
    authority = constraint is not None and constraint.ca
    if scope.only_attributes or (scope.only_users and authority) or (scope.only_authorities and not authority):
        inquiry.ignore("CRL_OUT_OF_SCOPE", "CRL confined to another kind of certificate (issuingDistributionPoint)")
        return frozenset()
    covered: frozenset[int] = frozenset()
    implied = Point(PointName(full=(GeneralName(GeneralNameKind.DIRECTORY, certificate.issuer),)), None, ())
    for point in (*certificate.extensions.distribution_points, implied):
        if _matches(crl, point, certificate):
            of_point = ALL_REASONS if point.reasons is None else point.reasons & ALL_REASONS
            covered |= of_point if scope.reasons is None else of_point & scope.reasons
    if not covered:
        inquiry.ignore("CRL_OUT_OF_SCOPE", "CRL for another distribution point than the certificate's (issuingDistributionPoint)")
    return covered


def _matches(crl: Crl, point: Point, certificate: Certificate) -> bool:
    if point.crl_issuers:
        if crl.issuer not in point.crl_issuers or not crl.scope.indirect:
            return False
    elif crl.issuer != certificate.issuer:
        return False
    if crl.scope.point is None:
        return True
    theirs = crl.scope.point.names((crl.issuer,))
    if point.name is None:
        return any(GeneralName(GeneralNameKind.DIRECTORY, issuer) in theirs for issuer in point.crl_issuers)
    return bool(theirs & point.name.names(point.crl_issuers or (certificate.issuer,)))


def _signer(inquiry: Inquiry, crl: Crl) -> Certificate | None:
    """The certificate that vouches for the CRL, or None after a message saying why there is none."""
    refusal = ("CRL_SIGNER_NOT_FOUND", "CRL: no certificate of its issuer verifies it")
    for candidate in _candidates(inquiry, crl):
        try:
            inquiry.signed_by(candidate, crl.signature_algorithm_der, crl.signature, crl.tbs_der, crl.this_update)
        except EvidenceLimitError:
            raise
        except PkiError as exc:
            refusal = ("CRL_SIGNATURE_INVALID", f"CRL of {crl.this_update.isoformat()}: {exc}")
            continue
        problem = _not_authorised(inquiry, candidate, crl)
        if problem is None:
            return candidate
        inquiry.budget.refuse_signer()
        refusal = ("CRL_SIGNER_NOT_AUTHORISED", f"CRL of {crl.this_update.isoformat()}: its signer may not vouch for it ({problem})")
    inquiry.ignore(*refusal)
    return None


def _candidates(inquiry: Inquiry, crl: Crl) -> Iterator[Certificate]:
    if inquiry.issuer.subject == crl.issuer:
        yield inquiry.issuer
    anchors = (anchor.certificate_der for anchor in inquiry.anchors)
    for der in dict.fromkeys((*anchors, *inquiry.evidence.certificates)):
        try:
            certificate = load_certificate(der)
        except EncodingError:
            continue
        if certificate.subject == crl.issuer and certificate.der != inquiry.issuer.der:
            yield certificate


def _not_authorised(inquiry: Inquiry, signer: Certificate, crl: Crl) -> str | None:
    if signer.der == inquiry.issuer.der:
        if not signer.may(CRL_SIGN):
            return "its keyUsage lacks cRLSign"
        return None if signer.not_before <= crl.this_update <= signer.not_after else "it was not valid then"
    try:
        path = validate_path(
            signer.der,
            intermediates=inquiry.evidence.certificates,
            anchors=inquiry.anchors,
            at=crl.this_update,
            purpose=KeyPurpose.CRL_SIGNING,
            policy=inquiry.policy,
            cache=inquiry.cache,
        )
    except ChainError as exc:
        return str(exc)
    if not _shares_anchor(inquiry, path.anchor, crl):
        return "it stands below another trust anchor than the certificate's issuer"
    for one, above in path.pairs:
        # a CRL may be the one that its signer's own certificate points to (PKITS 4.14.30): then there is no other to ask
        if one != inquiry.certificate and not inquiry.signer_is_unrevoked(one, above, crl.this_update):
            return "whether the signer itself was revoked is not shown"
    return None


def _shares_anchor(inquiry: Inquiry, anchor: TrustAnchor, crl: Crl) -> bool:
    """RFC 5280 6.3.3 f: the same trust anchor must stand above the CRL's signer and the certificate.

    Where one of our own does, another authority's counts no longer, though it certify the keys between (as in :func:`validate_path`).
    """
    if len(set(inquiry.anchors)) == 1:
        return True
    try:
        above = anchors_above(
            inquiry.issuer,
            intermediates=inquiry.evidence.certificates,
            anchors=inquiry.anchors,
            at=crl.this_update,
            policy=inquiry.policy,
        )
    except ChainError:
        return False
    own = {each for each in above if each.constraints is None}
    return anchor in (own or above)


def _delta_for(base: _Accepted, deltas: list[_Accepted]) -> _Accepted | None:
    """The newest delta that completes `base` (RFC 5280 sections 5.2.4 and 6.3.3 c)."""
    fitting = [
        item
        for item in deltas
        if item.crl.issuer == base.crl.issuer
        and item.crl.scope_der == base.crl.scope_der
        and item.crl.authority_key_identifier == base.crl.authority_key_identifier
        and base.crl.number is not None
        and item.crl.number is not None
        and item.crl.delta_base is not None
        and item.crl.delta_base <= base.crl.number <= item.crl.number
    ]
    return max(fitting, key=lambda item: item.crl.this_update, default=None)


def _judge(inquiry: Inquiry, base: _Accepted, delta: _Accepted | None) -> list[Finding]:
    """What a complete CRL says, and its newest delta beside it: a hold that the delta lifts was a hold until then."""
    certificate = inquiry.certificate
    entry = base.crl.entry(certificate.serial_number, certificate.issuer)
    if delta is None:
        return [_finding(base, base, entry)]
    change = delta.crl.entry(certificate.serial_number, certificate.issuer)
    latest = _finding(base, delta, change or entry)
    return [latest, _finding(base, base, entry)] if entry is not None and latest.state == "good" else [latest]


def _finding(base: _Accepted, newest: _Accepted, entry: Entry | None) -> Finding:
    revoked = entry if entry is not None and entry.reason != "removeFromCRL" else None
    return Finding(
        source="CRL",
        state="good" if revoked is None else "revoked",
        this_update=newest.crl.this_update,
        next_update=newest.crl.next_update,
        signer_not_after=min(base.signer.not_after, newest.signer.not_after),
        covers_expired_since=base.crl.expired_since,
        reasons=base.reasons & newest.reasons,
        revoked_at=revoked.revoked_at if revoked else None,
        reason=revoked.reason if revoked else None,
        invalid_since=revoked.invalid_since if revoked else None,
    )
