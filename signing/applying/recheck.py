"""A signature that this house has just made or is about to build on, looked at again: octets and mathematics, no trust.

Trust, revocation and later changes are the verifier's business (`signing.verifying.verify`); this is for the signer, who must not build on
a broken signature nor take a stranger's for its own.
"""

from __future__ import annotations

import hashlib

from cryptography import x509

from pki.errors import PkiError
from pki.structures.cms import CONTENT_TYPE, DATA, MESSAGE_DIGEST, ParsedSignedData, octet_string, parse_signed_data
from signing.applying.dss import contents
from signing.applying.form import SignatureField
from signing.errors import SigningError
from signing.pdf.document import Document
from signing.pdf.objects import PdfObject, PdfString


class BrokenSignatureError(SigningError):
    """A signature in the document does not fit the octets that it claims to cover."""


def recheck(document: Document, field: SignatureField) -> tuple[ParsedSignedData, x509.Certificate]:
    """The container of `field` and its signer's certificate, after checking that

    1. /ByteRange is all of the file up to a revision's end but for one hexadecimal string, which is /Contents;
    2. the message digest is that of the range;
    3. the signature value verifies under the certificate that the container names as the signer's.

    Raises :class:`BrokenSignatureError`.
    """
    try:
        return _recheck(document, field)
    except (PkiError, SigningError, ValueError) as exc:
        raise BrokenSignatureError(f"the signature in field {field.name!r} is broken: {exc}") from exc


def _recheck(document: Document, field: SignatureField) -> tuple[ParsedSignedData, x509.Certificate]:
    value = document.get(field.value.get("V"))
    if not isinstance(value, dict):
        raise SigningError("its value is no dictionary")
    start, end, close = _gap(document, value)
    cms = parse_signed_data(contents(document, value))
    digest = hashlib.new(cms.digest.value, memoryview(document.data)[:start])
    digest.update(memoryview(document.data)[end:close])
    if cms.content_type != DATA or len(cms.signed_values(CONTENT_TYPE)) != 1:
        raise SigningError("its container is not over plain data")
    if cms.signed_values(MESSAGE_DIGEST) != (octet_string(digest.digest()),):
        raise SigningError("the digest is not that of the document")
    signer = _signer(cms)
    cms.verify(signer.public_key())
    return cms, signer


def _gap(document: Document, value: dict[str, PdfObject]) -> tuple[int, int, int]:
    listed, octets = value.get("ByteRange"), value.get("Contents")
    numbers = [number for number in listed if isinstance(number, int)] if isinstance(listed, list) else []
    if len(numbers) != 4 or numbers != listed:
        raise SigningError("its byte range is not four integers")
    zero, start, end, length = numbers
    if zero != 0 or not 0 < start < end or end + length not in {revision.end for revision in document.revisions}:
        raise SigningError("its byte range does not reach from the first octet to a revision's end")
    if not isinstance(octets, PdfString) or document.data[start:end].lower() != b"<" + octets.hex().encode("ascii") + b">":
        raise SigningError("the gap in its byte range is not its contents")
    return start, end, end + length


def _signer(cms: ParsedSignedData) -> x509.Certificate:
    for der in cms.certificates:
        certificate = x509.load_der_x509_certificate(der)
        if certificate.serial_number == cms.serial_number and certificate.issuer.public_bytes() == cms.issuer_der:
            return certificate
    raise SigningError("its container does not hold the signer's certificate")
