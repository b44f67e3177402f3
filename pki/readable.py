"""Evidence from its octets, read once for all documents that carry it."""

from __future__ import annotations

from functools import partial

from pki.certificate import load_certificate
from pki.crl_evidence import Crl, load_crl
from pki.errors import EncodingError
from pki.ocsp_evidence import OcspAnswer, load_ocsp
from pki.revocation_inquiry import Evidence
from pki.validation_cache import ValidationCache

# octets that a parsed item is taken to hold for each octet of its DER
_CRL_FACTOR = 8
_OCSP_FACTOR = 4


def crl_of(der: bytes, cache: ValidationCache) -> Crl:
    """Raises :class:`pki.errors.EncodingError`."""
    return cache.remember(("crl", der), partial(load_crl, der), octets=_CRL_FACTOR * len(der))


def ocsp_of(der: bytes, cache: ValidationCache) -> OcspAnswer:
    """Raises :class:`pki.errors.EncodingError`."""
    return cache.remember(("ocsp", der), partial(load_ocsp, der), octets=_OCSP_FACTOR * len(der))


def is_readable(evidence: Evidence, cache: ValidationCache) -> bool:
    """Whether every item is what it is said to be, down to its last octet."""
    try:
        for der in evidence.certificates:
            load_certificate(der)
        for der in evidence.crls:
            crl_of(der, cache)
        for der in evidence.ocsps:
            ocsp_of(der, cache)
    except EncodingError:
        return False
    return True
