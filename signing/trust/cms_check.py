"""One CMS signature, checked by itself: format, signer's certificate, digest, signature value (EN 319 102-1 clauses 5.2.2, 5.2.3, 5.2.7).

Not checked here: the certificate's chain, validity or revocation, and what the signature covers.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import TLV, Null

from pki.errors import EncodingError, PkiError, SignatureError, UnsupportedAlgorithmError
from pki.structures.algorithms import Digest, digest_from_der
from pki.structures.cms import (
    CONTENT_TYPE,
    DATA,
    MESSAGE_DIGEST,
    OID,
    SIGNING_CERTIFICATE,
    SIGNING_CERTIFICATE_V2,
    ParsedSignedData,
    identifier_der,
    parse_signed_data,
)
from signing.failure import CheckFailedError
from signing.trust.carried import CarriedCertificate, carried
from signing.verdict import SubIndication

MAX_CERTIFICATES = 64  # in one CMS; bounds work on hostile input

_CONTENT_TYPE, _MESSAGE_DIGEST = identifier_der(CONTENT_TYPE), identifier_der(MESSAGE_DIGEST)
_ESS_V1, _ESS_V2 = identifier_der(SIGNING_CERTIFICATE), identifier_der(SIGNING_CERTIFICATE_V2)

ContentDigest = Callable[[Digest], bytes]
"""The digest of the octets that are signed, made with the algorithm that the signature names."""


@asn1.sequence
class _Algorithm:
    algorithm: OID
    parameters: Null | None


@asn1.sequence
class _IssuerSerial:
    issuer: TLV
    serial_number: int


@asn1.sequence
class _CertId:
    """ESSCertIDv2 as others write it too: an explicit SHA-256, NULL parameters (RFC 5035 section 4)."""

    hash_algorithm: _Algorithm | None
    cert_hash: bytes
    issuer_serial: _IssuerSerial | None


@asn1.sequence
class _SigningCertificate:
    certs: list[_CertId]
    policies: list[TLV] | None


@asn1.sequence
class _CertIdV1:
    cert_hash: bytes
    issuer_serial: _IssuerSerial | None


@asn1.sequence
class _SigningCertificateV1:
    certs: list[_CertIdV1]
    policies: list[TLV] | None


class CheckedCms(NamedTuple):
    """A CMS signature whose value, digest and signing certificate agree. `certificates` are all that it carried, DER."""

    cms: ParsedSignedData
    signer: CarriedCertificate
    certificates: tuple[bytes, ...]


def check_detached(contents: bytes, content_digest: ContentDigest, *, ess_required: bool = True) -> CheckedCms:
    """Checks a PDF signature's CMS (DER, no trailing octets) over the document's digest; raises :class:`CheckFailedError`."""
    cms = read(contents)
    if cms.encapsulated is not None:
        raise _malformed("CMS_ENCLOSED_CONTENT", "the signature encloses content of its own; expected a detached signature")
    return check(cms, content_type=DATA, content_digest=content_digest, ess_required=ess_required)


def read(contents: bytes) -> ParsedSignedData:
    """Parses DER SignedData with exactly one SignerInfo; raises :class:`CheckFailedError`."""
    try:
        return parse_signed_data(contents)
    except PkiError as exc:
        raise _malformed("CMS_MALFORMED", str(exc)) from exc


def check(
    cms: ParsedSignedData, *, content_type: OID, content_digest: ContentDigest, ess_required: bool = True, ess_v1: bool = False
) -> CheckedCms:
    """The checks that document signatures and time-stamp tokens share, in order; raises :class:`CheckFailedError`.

    1 signed attributes present, content-type as expected, one message-digest; 2 the signer's certificate found, and named by the
    ESS attribute; 3 the content's digest equal; 4 the signature value good under a key and algorithm that still count as strong.
    `ess_v1`: where there is no signing-certificate-v2 attribute, signing-certificate will do, which names its certificate by SHA-1.
    """
    digest = _digest(cms)
    _check_content_type(cms, content_type)
    expected = _message_digest(cms)
    signer = _signer(cms, ess_required=ess_required, ess_v1=ess_v1)
    if not hmac.compare_digest(expected, content_digest(digest)):
        raise CheckFailedError(
            SubIndication.HASH_FAILURE, "DIGEST_MISMATCH", "the signed bytes were altered: their digest is not the one that was signed"
        )
    _check_value(cms, signer)
    return CheckedCms(cms=cms, signer=signer, certificates=cms.certificates)


def _digest(cms: ParsedSignedData) -> Digest:
    if cms.signed_attributes is None:
        # without them, a signature over attributes can be replayed as one over content (RFC 5652 section 11; attack class 25)
        raise _malformed("CMS_NO_SIGNED_ATTRIBUTES", "the signature has no signed attributes; PAdES requires them")
    try:
        return cms.digest
    except UnsupportedAlgorithmError as exc:
        raise _weak(str(exc)) from exc


def _check_content_type(cms: ParsedSignedData, content_type: OID) -> None:
    expected = identifier_der(content_type)
    if cms.content_type_der != expected:
        raise _malformed("CMS_CONTENT_TYPE", f"content type is {cms.content_type.dotted_string}, expected {content_type.dotted_string}")
    value = _only_value(cms, _CONTENT_TYPE, "content-type")
    if value != expected:
        raise _malformed("CMS_CONTENT_TYPE", f"signed content-type attribute does not say {content_type.dotted_string}")


def _message_digest(cms: ParsedSignedData) -> bytes:
    value = _only_value(cms, _MESSAGE_DIGEST, "message-digest")
    try:
        # any other form is left to the declaration, which takes eight times as long
        return value[2:] if len(value) == 34 and value.startswith(b"\x04\x20") else asn1.decode_der(bytes, value)
    except ValueError as exc:
        raise _malformed("CMS_MESSAGE_DIGEST", "signed message-digest attribute is not an OCTET STRING") from exc


def _carriers(cms: ParsedSignedData, kind_der: bytes) -> list[tuple[bytes, ...]]:
    """The values of each signed attribute of this type."""
    return [values for found, values in cms.signed_attributes or () if found == kind_der]


def _only_value(cms: ParsedSignedData, kind_der: bytes, name: str) -> bytes:
    # RFC 5652 section 11: these attributes appear once, with one value; two would let two readers see two documents
    carriers = _carriers(cms, kind_der)
    if len(carriers) != 1 or len(carriers[0]) != 1:
        raise _malformed(
            f"CMS_{name.upper().replace('-', '_')}",
            f"{len(carriers)} signed {name} attributes with {sum(map(len, carriers))} values, expected exactly one with one",
        )
    return carriers[0][0]


def _signer(cms: ParsedSignedData, *, ess_required: bool, ess_v1: bool) -> CarriedCertificate:
    """The certificate that SignerInfo names and that the signed ESS attribute fixes by its hash (attack classes 26 and 28)."""
    if len(cms.certificates) > MAX_CERTIFICATES:
        raise _malformed("CMS_TOO_MANY_CERTIFICATES", f"{len(cms.certificates)} certificates in the CMS, more than {MAX_CERTIFICATES}")
    named = [found for der in cms.certificates if (found := carried(der)) is not None and _is_named(cms, found)]
    if not named:
        raise _unfound("SIGNER_CERTIFICATE_MISSING", "the CMS does not carry the certificate that its SignerInfo names")
    has_v2 = any(_carriers(cms, _ESS_V2))
    if ess_required or has_v2:
        by_v1 = ess_v1 and not has_v2 and any(_carriers(cms, _ESS_V1))
        if not has_v2 and not by_v1:
            raise _malformed("ESS_MISSING", "the signing-certificate-v2 attribute is missing; PAdES requires it (EN 319 142-1 clause 6.3)")
        named = [found for found in named if (_ess_v1_fits if by_v1 else _ess_fits)(cms, found)]
        if not named:
            raise _unfound("SIGNER_CERTIFICATE_MISMATCH", "the signing-certificate-v2 attribute names another certificate than SignerInfo")
    if len({found.der for found in named}) != 1:
        raise _unfound("SIGNER_CERTIFICATE_AMBIGUOUS", f"{len(named)} certificates fit SignerInfo, expected one")
    return named[0]


def _is_named(cms: ParsedSignedData, candidate: CarriedCertificate) -> bool:
    try:
        if cms.issuer_der is not None:
            return candidate.serial_number == cms.serial_number and candidate.issuer_der == cms.issuer_der
        extension = candidate.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        return extension.value.digest == cms.subject_key_identifier
    except (ValueError, TypeError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return False


def _ess_fits(cms: ParsedSignedData, candidate: CarriedCertificate) -> bool:
    value = _only_value(cms, _ESS_V2, "signing-certificate-v2")
    if value == candidate.ess_der:
        return True
    try:
        first = asn1.decode_der(_SigningCertificate, value).certs[0]  # RFC 5035 section 3: the first names the signer
        digest = Digest.SHA256 if first.hash_algorithm is None else digest_from_der(asn1.encode_der(first.hash_algorithm))
    except (ValueError, IndexError) as exc:
        raise _malformed("ESS_MALFORMED", "the signing-certificate-v2 attribute is not valid DER") from exc
    except UnsupportedAlgorithmError as exc:
        raise _weak(str(exc)) from exc
    return hmac.compare_digest(first.cert_hash, digest.of(candidate.der))


def _ess_v1_fits(cms: ParsedSignedData, candidate: CarriedCertificate) -> bool:
    value = _only_value(cms, _ESS_V1, "signing-certificate")
    try:
        first = asn1.decode_der(_SigningCertificateV1, value).certs[0]
    except (ValueError, IndexError) as exc:
        raise _malformed("ESS_MALFORMED", "the signing-certificate attribute is not valid DER") from exc
    # SHA-1 by definition (RFC 2634 section 5.4.1): it tells certificates of one name apart, whose chain and signature are checked besides
    return hmac.compare_digest(first.cert_hash, hashlib.sha1(candidate.der, usedforsecurity=False).digest())


def _check_value(cms: ParsedSignedData, signer: CarriedCertificate) -> None:
    try:
        cms.verify(signer.strong_key)
    except SignatureError as exc:
        raise CheckFailedError(
            SubIndication.SIG_CRYPTO_FAILURE, "SIGNATURE_VALUE", f"the signature value is not the signer's: {exc}"
        ) from exc
    except UnsupportedAlgorithmError as exc:
        raise _weak(str(exc)) from exc
    except EncodingError as exc:
        raise _malformed("CMS_MALFORMED", str(exc)) from exc
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise _weak("the signer's public key is of a kind that is not supported") from exc


def _malformed(code: str, text: str) -> CheckFailedError:
    return CheckFailedError(SubIndication.FORMAT_FAILURE, code, text)


def _unfound(code: str, text: str) -> CheckFailedError:
    return CheckFailedError(SubIndication.NO_SIGNING_CERTIFICATE_FOUND, code, text)


def _weak(text: str) -> CheckFailedError:
    return CheckFailedError(SubIndication.CRYPTO_CONSTRAINTS_FAILURE, "ALGORITHM_NOT_ACCEPTED", text)
