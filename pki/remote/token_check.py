"""A time-stamp token that was just received, checked by who asked for it (RFC 3161 section 2.2): is it an answer to what was asked?

    token = check_token(token_der, digest=sha256, algorithm="sha256", nonce=nonce, at=now)

A verifier asks more, later, of the whole document (:mod:`signing.trust.stamp`); this keeps a wrong answer out of a document in the first
place.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat import asn1

from pki.errors import EncodingError, PkiError
from pki.paths.chain import TrustAnchor, validate_path
from pki.paths.key_purpose import KeyPurpose, check_purpose
from pki.structures.certificate import Certificate, load_certificate
from pki.structures.cms import CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_CERTIFICATE_V2, TST_INFO, octet_string, signing_certificate_v2
from pki.structures.issuer_order import ordered_chain
from pki.structures.tsp import TimeStampToken, parse_time_stamp_token

MAX_CERTIFICATES = 16  # in one token; bounds work on hostile input
MAX_CLOCK_SKEW = timedelta(minutes=5)  # between the authority's clock and ours; more means that one of them cannot be relied on


class WrongTokenError(PkiError):
    """A time-stamp token is not an answer to what was asked, or not one that a verifier would accept."""


@dataclass(frozen=True)
class CheckedToken:
    """`certificates` are those that the token carries, DER: the authority's own first, then its issuers, nearest first."""

    token: TimeStampToken
    certificates: tuple[bytes, ...]


def check_token(
    token_der: bytes,
    *,
    digest: bytes,
    algorithm: str,
    nonce: int | None,
    at: datetime,
    anchors: Sequence[TrustAnchor] = (),
) -> CheckedToken:
    """Raises :class:`WrongTokenError` and the errors of :mod:`pki.paths.chain_errors`, or returns what was found.

    1 the imprint and its digest are those sent; 2 the nonce is; 3 the time is ours but for :data:`MAX_CLOCK_SKEW`; 4 the signed attributes
    are about this TSTInfo and name the signer's certificate; 5 that certificate's one critical purpose is timeStamping, and it is valid
    now; 6 the signature verifies; 7 where `anchors` are given, a chain leads to one. Not checked: revocation.
    """
    token = parse_time_stamp_token(token_der)
    if token.imprint_digest.value != algorithm or not hmac.compare_digest(token.imprint, digest):  # 1.
        raise WrongTokenError("time-stamp token: it is about another digest than the one that was sent")
    if token.nonce != nonce:  # 2.
        raise WrongTokenError("time-stamp token: its nonce is not the one that was sent; it may be an old answer")
    if abs(token.gen_time - at) > MAX_CLOCK_SKEW:  # 3.
        raise WrongTokenError(f"time-stamp token: it says {token.gen_time:%Y-%m-%d %H:%M:%S} UTC, our clock {at:%Y-%m-%d %H:%M:%S} UTC")
    signer = _signer(token)
    _check_attributes(token, signer)  # 4.
    check_purpose(signer, (), KeyPurpose.TIME_STAMPING)  # 5.
    if not signer.not_before <= token.gen_time <= signer.not_after:
        raise WrongTokenError(f"time-stamp token: certificate {signer.serial_hex} was not valid when the token was made")
    token.cms.verify(signer.public_key)  # 6.
    if anchors:  # 7.
        validate_path(
            signer.der, intermediates=token.cms.certificates, anchors=anchors, at=token.gen_time, purpose=KeyPurpose.TIME_STAMPING
        )
    return CheckedToken(token, ordered_chain(signer.der, token.cms.certificates))


def _signer(token: TimeStampToken) -> Certificate:
    carried = token.cms.certificates
    if len(carried) > MAX_CERTIFICATES:
        raise WrongTokenError(f"time-stamp token: {len(carried)} certificates, more than the {MAX_CERTIFICATES} that are read")
    for der in carried:
        certificate = _loaded(der)
        if certificate and certificate.serial_number == token.cms.serial_number and certificate.issuer_der == token.cms.issuer_der:
            return certificate
    raise WrongTokenError("time-stamp token: it does not carry the certificate that it names as its signer's, though it was asked to")


def _check_attributes(token: TimeStampToken, signer: Certificate) -> None:
    cms = token.cms
    if cms.signed_values(CONTENT_TYPE) != (asn1.encode_der(TST_INFO),):
        raise WrongTokenError("time-stamp token: the signed content type is not TSTInfo")
    if cms.signed_values(MESSAGE_DIGEST) != (octet_string(cms.digest.of(token.tst_info_der)),):
        raise WrongTokenError("time-stamp token: the signed digest is not that of its TSTInfo")
    named = cms.signed_values(SIGNING_CERTIFICATE_V2)
    # RFC 5816 section 2.2.1. Forms with issuer and serial beside the hash are left to the verifier, who reads them all
    ours = [asn1.encode_der(value) for value in signing_certificate_v2(signer.der).values.as_list()]
    if not named or (len(named[0]) == len(ours[0]) and list(named) != ours):
        raise WrongTokenError("time-stamp token: it has no signing-certificate-v2 attribute that names its signer's certificate")


def _loaded(der: bytes) -> Certificate | None:
    try:
        return load_certificate(der)
    except EncodingError:
        return None  # attribute certificates and the like are of no use here
