"""What a new certificate does to the one that it replaces: revoked as superseded, once the new one can be signed with, and not before."""

from __future__ import annotations

from datetime import datetime

from pki.errors import AlreadyRevokedError
from pki.issuing.certificate_life import STANDING
from pki.ports import CertificateStore
from records.key_ports import HolderKey, HolderKeyStore


def supersede_before(key: HolderKey, *, holder_keys: HolderKeyStore, certificates: CertificateStore, at: datetime) -> tuple[int, ...]:
    """Revokes the certificates over the holder's earlier keys that stand; returns their serial numbers. Repeating is safe.

    Certificates over keys that the holder keeps elsewhere are left alone.
    """
    revoked = []
    for held in holder_keys.of_holder(key.holder):
        if (held.issuer, held.serial) == (key.issuer, key.serial):
            break  # oldest first: what follows is newer
        entry = certificates.get(held.issuer, held.serial)
        if entry is None or entry.state not in STANDING:
            continue
        try:
            certificates.mark_revoked(held.issuer, held.serial, reason="superseded", at=at)
        except AlreadyRevokedError:
            continue  # by somebody else, since the look
        revoked.append(held.serial)
    return tuple(revoked)
