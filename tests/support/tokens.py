"""Time-stamp tokens that no honest authority makes, for the tests of verifiers (attack class 33)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat import asn1
from cryptography.hazmat.asn1 import GeneralizedTime

from pki.keys.softkey import SoftwareKey
from pki.structures.algorithms import Digest
from pki.structures.cms import OID, TST_INFO, build_signed_data, content_info_der, tlv
from pki.structures.tsp import MessageImprint, TSTInfo


@dataclass(frozen=True)
class ForgedStamper:
    """A :class:`pki.ports.TimeStamper` that stamps what it is told to, with whatever certificate it is given."""

    certificate_der: bytes
    key: SoftwareKey
    chain: tuple[bytes, ...]
    clock: Callable[[], datetime]
    imprint: bytes | None = None
    """Stamped in place of the digest that was asked for."""
    damage: Callable[[bytes], bytes] = bytes

    @property
    def certificates(self) -> tuple[bytes, ...]:
        return (self.certificate_der, *self.chain)

    def stamp(self, digest: bytes, *, algorithm: str = "sha256") -> bytes:
        assert algorithm == "sha256"
        info = TSTInfo(
            version=1,
            policy=OID("1.3.6.1.4.1.32473.1.2.1"),
            message_imprint=MessageImprint(
                hash_algorithm=tlv(Digest.SHA256.identifier_der), hashed_message=self.imprint if self.imprint is not None else digest
            ),
            serial_number=1,
            gen_time=GeneralizedTime(self.clock()),
            accuracy=None,
            ordering=False,
            nonce=None,
            tsa=None,
            extensions=None,
        )
        der = asn1.encode_der(info)
        signed = build_signed_data(
            content_type=TST_INFO,
            content_digest=self.key.algorithm.digest.of(der),
            encapsulated=der,
            certificate_der=self.certificate_der,
            key=self.key,
            certificates=[self.certificate_der, *self.chain],
        )
        return self.damage(content_info_der(signed))
