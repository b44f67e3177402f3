"""A new key for a service of the house: for the time-stamping authority, the OCSP responder or the seal on reports.

1. A key is made, or one taken that nobody has a certificate over, as a crash leaves it.
2. It is certified, for OCSP by every issuing authority that answers are given for. From here on running services change to it.
3. Where there is a reason to, the certificates over the key that was in use are revoked; after a compromise that key is blocked.

Without a reason the old certificates stand until they end: what the old key signed stays as good as it was. Nobody signs with it any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pki.authority.established import holder_of
from pki.authority.service_keys import uncertified_key
from pki.errors import AlreadyRevokedError
from pki.identity.subject import Subject
from pki.issuing.certificate_life import COMPROMISE, STANDING
from pki.issuing.issue import Authority, CertificateRequest, IssuedCertificate
from pki.ports import CertificateEntry, CertificateState, CertificateStore, KeyStore

CURVE = "P-256"


@dataclass(frozen=True)
class Rekeyed:
    """What was issued, and what was revoked, as (issuer, serial)."""

    issued: tuple[IssuedCertificate, ...]
    revoked: tuple[tuple[str, int], ...] = ()


def rekey(label: str, *, subject: Subject, issuers: Sequence[Authority], keys: KeyStore, reason: str | None = None) -> Rekeyed:
    """A new key and certificates for the service `label`, by each of `issuers`; `reason`, a revocation reason, is for the old ones.

    Take the turn of the service's rotation first (:func:`pki.authority.rotation.turn_name`), so that nobody renews the old certificate
    meanwhile. Raises :class:`pki.errors.PkiError`.
    """
    store, clock = issuers[0].store, issuers[0].clock
    before = store.of_holder(holder_of(label))
    replaced = {entry.public_key_sha256 for entry in _in_use(before, issuers)}
    key = uncertified_key(label, {entry.public_key_sha256 for entry in before}, keys, curve=CURVE)
    request = CertificateRequest(profile=label, subject=subject, public_key=key.public_key(), holder=holder_of(label))
    issued = tuple(authority.certify(request) for authority in issuers)
    if reason is None:
        return Rekeyed(issued)
    if reason in COMPROMISE:
        blocked = [entry for old in sorted(replaced) for entry in store.block_key(old, reason=reason, at=clock())]
        return Rekeyed(issued, tuple((entry.issuer, entry.serial) for entry in blocked))
    old = [entry for entry in before if entry.public_key_sha256 in replaced and entry.state in STANDING]
    return Rekeyed(issued, _revoked(old, lambda entry: store.mark_revoked(entry.issuer, entry.serial, reason=reason, at=clock())))


def in_use(label: str, *, issuers: Sequence[Authority], store: CertificateStore) -> tuple[CertificateEntry, ...]:
    """The certificates that the service works with: of each issuer the newest that is issued."""
    return _in_use(store.of_holder(holder_of(label)), issuers)


def _in_use(entries: Sequence[CertificateEntry], issuers: Sequence[Authority]) -> tuple[CertificateEntry, ...]:
    newest = {entry.issuer: entry for entry in entries if entry.state is CertificateState.ISSUED}  # oldest first
    return tuple(newest[each.name] for each in issuers if each.name in newest)


def _revoked(entries: Sequence[CertificateEntry], revoke: Callable[[CertificateEntry], None]) -> tuple[tuple[str, int], ...]:
    done = []
    for entry in entries:
        try:
            revoke(entry)
        except AlreadyRevokedError:
            continue  # by somebody else, since the look
        done.append((entry.issuer, entry.serial))
    return tuple(done)
