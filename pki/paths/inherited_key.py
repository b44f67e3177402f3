"""DSA keys that leave their parameters to the issuer (RFC 5280 section 6.1.4 d-f; NIST PKITS test 4.1.5).

No policy for documents accepts DSA; the rule is here so that the whole of section 6 is.
"""

from __future__ import annotations

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric import dsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pki.structures.certificate import Certificate, load_public_key
from pki.structures.der import SEQUENCE, element
from pki.structures.x509_asn1 import SubjectPublicKeyInfo, read

_BARE_DSA = bytes.fromhex("300906072a8648ce380401")


def working_key(certificate: Certificate, issuer_key: object | None) -> object:
    """The certificate's public key, its DSA parameters taken from `issuer_key` where absent; raises UnsupportedAlgorithmError."""
    if isinstance(issuer_key, dsa.DSAPublicKey) and lacks_parameters(certificate):
        own = read(SubjectPublicKeyInfo, certificate.spki_der, "subjectPublicKeyInfo")
        theirs_der = issuer_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        theirs = read(SubjectPublicKeyInfo, theirs_der, "subjectPublicKeyInfo")
        return load_public_key(element(SEQUENCE, asn1.encode_der(theirs.algorithm) + asn1.encode_der(own.subject_public_key)))
    return certificate.public_key


def lacks_parameters(certificate: Certificate) -> bool:
    """Whether its key can be known only together with its issuer's."""
    return _BARE_DSA in certificate.spki_der[:24]
