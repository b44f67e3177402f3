"""What an authority answers: lists, status, time stamps.

    crl, publication                         revocation lists, made and published
    ocsp, ocsp_request, ocsp_answer,         status by OCSP: one responder, its parts, several behind one address
    ocsp_credential, ocsp_group
    ocsp_status                              what a responder asks of the books
    timestamp, clock_trust, clock_checks     time stamps, and a clock that says when it is not to be trusted
    evidence                                 revocation data for signatures that are made here

What other authorities answer is judged in :mod:`pki.revocation`.
"""

__all__ = [
    "clock_checks",
    "clock_trust",
    "crl",
    "evidence",
    "ocsp",
    "ocsp_answer",
    "ocsp_group",
    "ocsp_status",
    "publication",
    "timestamp",
]
