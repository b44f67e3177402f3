"""What OCSP answers say of a certificate (RFC 6960 sections 3.2 and 4.2.2.2).

An answer counts when: 1. it can be read and reports success; 2. it is about this certificate, by serial number and by its issuer's name
and key;
3. it is not from the future; 4. its signer is the issuer itself, or was certified by the issuer directly for OCSP signing, was valid when
it answered,
and is unrevoked (or exempt, ocsp-nocheck); 5. its signature verifies; 6. it says good or revoked.
"""

from __future__ import annotations

from collections.abc import Iterator

from pki.errors import EncodingError, PkiError
from pki.paths.chain import KeyPurpose, TrustAnchor, validate_path
from pki.paths.chain_errors import ChainError
from pki.revocation.inquiry import EvidenceLimitError, Finding, Inquiry
from pki.revocation.ocsp_evidence import OcspAnswer, SingleStatus
from pki.structures.certificate import Certificate, load_certificate


def ocsp_findings(inquiry: Inquiry) -> list[Finding]:
    """One finding for each answer that counts; the others leave a message. Raises EvidenceLimitError alone."""
    findings: list[Finding] = []
    answers = inquiry.read.answers_about(inquiry.certificate.serial_number)
    for text in inquiry.read.unreadable_ocsps:
        inquiry.ignore("EVIDENCE_UNREADABLE", text)
    for answer in answers:
        about = [status for status in answer.statuses if status.is_about(inquiry.certificate, inquiry.issuer)]
        if about:
            findings += _judge(inquiry, answer, about)
    return findings


def _judge(inquiry: Inquiry, answer: OcspAnswer, about: list[SingleStatus]) -> Iterator[Finding]:
    latest = max(status.this_update for status in about)
    if max(latest, answer.produced_at) > inquiry.now:
        inquiry.ignore(
            "EVIDENCE_FROM_FUTURE", f"OCSP response produced at {answer.produced_at.isoformat()}, after {inquiry.now.isoformat()}"
        )
        return
    if latest > answer.produced_at or any(status.next_update and status.next_update < status.this_update for status in about):
        inquiry.ignore(
            "EVIDENCE_INCONSISTENT", f"OCSP response produced at {answer.produced_at.isoformat()}: its times contradict one another"
        )
        return
    signer = _signer(inquiry, answer)
    if signer is None:
        return
    for status in about:
        if status.state == "unknown":
            inquiry.ignore("OCSP_UNKNOWN", f"OCSP response of {status.this_update.isoformat()} says that the certificate is unknown")
            continue
        yield Finding(
            source="OCSP",
            state=status.state,
            this_update=status.this_update,
            next_update=status.next_update,
            signer_not_after=min(signer.not_after, inquiry.issuer.not_after),
            covers_expired_since=status.archive_cutoff,
            revoked_at=status.revoked_at,
            reason=status.reason,
            invalid_since=status.invalid_since,
        )


def _signer(inquiry: Inquiry, answer: OcspAnswer) -> Certificate | None:
    """The certificate that vouches for the answer, or None after a message saying why there is none."""
    refusal = ("OCSP_SIGNER_NOT_FOUND", "OCSP response: the responder that it names is neither the issuer nor certified among the evidence")
    for candidate in _candidates(inquiry, answer):
        try:
            inquiry.signed_by(candidate, answer.signature_algorithm_der, answer.signature, answer.tbs_der, answer.produced_at)
        except EvidenceLimitError:
            raise
        except PkiError as exc:
            refusal = ("OCSP_SIGNATURE_INVALID", f"OCSP response: {exc}")
            continue
        problem = _not_authorised(inquiry, candidate, answer)
        if problem is None:
            return candidate
        inquiry.budget.refuse_signer()
        refusal = ("OCSP_RESPONDER_NOT_AUTHORISED", f"OCSP response: its signer is not authorised by the certificate's issuer ({problem})")
    inquiry.ignore(*refusal)
    return None


def _candidates(inquiry: Inquiry, answer: OcspAnswer) -> Iterator[Certificate]:
    if answer.names(inquiry.issuer):
        yield inquiry.issuer
    for der in dict.fromkeys((*answer.certificates, *inquiry.evidence.certificates)):
        try:
            certificate = load_certificate(der)
        except EncodingError:
            continue
        if certificate.issuer == inquiry.issuer.subject and certificate.der != inquiry.issuer.der and answer.names(certificate):
            yield certificate


def _not_authorised(inquiry: Inquiry, signer: Certificate, answer: OcspAnswer) -> str | None:
    issuer = inquiry.issuer
    if signer.der == issuer.der:
        if issuer.not_before <= answer.produced_at <= issuer.not_after:
            return None
        return f"the issuer was not valid at {answer.produced_at.isoformat()}"
    try:
        # the issuer taken as the anchor: the responder must be certified by it directly (RFC 6960 section 4.2.2.2)
        validate_path(
            signer.der,
            intermediates=(),
            anchors=[TrustAnchor(issuer.der)],
            at=answer.produced_at,
            purpose=KeyPurpose.OCSP_SIGNING,
            policy=inquiry.policy,
            cache=inquiry.cache,
        )
    except ChainError as exc:
        return str(exc)
    if signer.extensions.ocsp_no_check or inquiry.signer_is_unrevoked(signer, issuer, answer.produced_at):
        return None
    return "whether the responder itself was revoked is not shown"
