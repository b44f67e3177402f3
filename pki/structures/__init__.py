"""What is signed and exchanged, declared once and read strictly, with the algorithms that sign it.

    algorithms, algorithm_policy     which there are; which a verifier accepts, and until when
    der, ber                         signed octets put together and taken apart; indefinite lengths made definite
    x509_asn1, names, extensions,    certificates and lists as they are read
    certificate
    cms, tsp, ocsp_asn1, cert_id     signed data, time stamps, certificate status
    cms_asn1, cms_made, cms_plain    signed data declared, made, and that of the usual shape read in one walk
    relations, issuer_order          which certificate and key belong together

Nothing here decides whom to trust: :mod:`pki.paths` does.
"""

__all__ = [
    "algorithm_policy",
    "algorithms",
    "ber",
    "certificate",
    "cms",
    "der",
    "relations",
    "tsp",
]
