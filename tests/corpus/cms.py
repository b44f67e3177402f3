"""CMS signatures as a forger makes them: a sound one, and ways to change any part of it, signing anew or not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import SetOf

from pki.keys.softkey import SoftwareKey
from pki.structures import cms as c
from pki.structures.algorithms import Digest
from pki.structures.der import SEQUENCE, element
from tests.support.chain_cases import Node

Attributes = Callable[[bytes], list[c.Attribute]]
"""From the octets that are signed to the signed attributes."""


def content_type(oid: c.OID = c.DATA) -> c.Attribute:
    return c.attribute(c.CONTENT_TYPE, asn1.encode_der(oid))


def message_digest(content: bytes, digest: Digest = Digest.SHA256) -> c.Attribute:
    return c.attribute(c.MESSAGE_DIGEST, c.octet_string(digest.of(content)))


def ess(node: Node) -> c.Attribute:
    return c.signing_certificate_v2(node.der)


def ess_v1(node: Node) -> c.Attribute:
    """The attribute of RFC 2634, which names a certificate by its SHA-1."""
    digest = hashlib.sha1(node.der, usedforsecurity=False).digest()
    return c.attribute(c.SIGNING_CERTIFICATE, element(SEQUENCE, element(SEQUENCE, element(SEQUENCE, c.octet_string(digest)))))


def sound(content: bytes, signer: Node, *above: Node, **changes: Any) -> c.SignedData:
    """An honest signature by `signer`, which carries its certificate and those `above` it."""
    given: dict[str, Any] = {
        "content_type": c.DATA,
        "content_digest": Digest.SHA256.of(content),
        "encapsulated": None,
        "certificate_der": signer.der,
        "key": SoftwareKey(signer.key),
        "certificates": [node.der for node in (signer, *above)],
    }
    return c.build_signed_data(**{**given, **changes})


def with_signer(data: c.SignedData, **changes: Any) -> c.SignedData:
    """The same, but for members of its one SignerInfo. Nothing is signed anew."""
    (old,) = data.signer_infos.as_list()
    members = ("version", "sid", "digest_algorithm", "signed_attrs", "signature_algorithm", "signature", "unsigned_attrs")
    return with_signers(data, [c.SignerInfo(**{**{name: getattr(old, name) for name in members}, **changes})])


def with_signers(data: c.SignedData, signers: Sequence[c.SignerInfo]) -> c.SignedData:
    return c.SignedData(
        version=data.version,
        digest_algorithms=data.digest_algorithms,
        encap_content_info=data.encap_content_info,
        certificates=data.certificates,
        crls=data.crls,
        signer_infos=SetOf(list(signers)),
    )


def with_certificates(data: c.SignedData, certificates: Sequence[bytes]) -> c.SignedData:
    return c.SignedData(
        version=data.version,
        digest_algorithms=data.digest_algorithms,
        encap_content_info=data.encap_content_info,
        certificates=SetOf([c.tlv(der) for der in certificates]),
        crls=data.crls,
        signer_infos=data.signer_infos,
    )


def over(data: c.SignedData, signer: Node, attributes: Sequence[c.Attribute], **changes: Any) -> c.SignedData:
    """Signed anew by `signer` over exactly these attributes; `changes` to the SignerInfo go with it."""
    attrs: SetOf[c.Attribute] = SetOf(list(attributes))
    return with_signer(data, signed_attrs=attrs, signature=SoftwareKey(signer.key).sign(c.signed_attributes_der(attrs)), **changes)
