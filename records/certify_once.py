"""One certificate for one redeemed request, whoever asks however often, and whatever crashed before.

The first to claim the request issues: its certificate is recorded in the authority's books, bound to the request, and only then signed. All
others wait for it and are given the same. Where whoever claimed it is taken for dead, another takes over: a certificate that was bound and
not signed is revoked first, so that it cannot be signed any more, and one that was bound by nobody is never signed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from pki.issuing.issue import Authority, CertificateRequest, IssuedCertificate
from pki.ports import CertificateEntry, CertificateState
from pki.registration.approval import Redeemed
from records.errors import StillIssuingError
from records.registration_ports import OutcomeStore

STALE = timedelta(seconds=30)  # a claim older than this is of a dead process: issuing takes milliseconds, a slow token a second
PAUSE = 0.02  # seconds between two looks
MAX_LOOKS = 500  # 10 s of waiting for another's certificate

Besides = Callable[[], tuple[str, int] | None]


def nothing() -> None:
    """Every certificate counts."""
    return None


def certify_once(
    request: CertificateRequest,
    redeemed: Redeemed,
    *,
    authority: Authority,
    outcomes: OutcomeStore,
    pause: Callable[[float], None] = time.sleep,
) -> IssuedCertificate:
    """The request's certificate: issued now, or the one that was. Raises :class:`records.errors.StillIssuingError`, or as `authority`."""
    for _ in range(MAX_LOOKS):
        standing = _standing(redeemed, authority, outcomes)
        if standing is not None and standing.certificate_der is not None:
            return _issued(standing, standing.certificate_der)
        now = authority.clock()
        if outcomes.claim(redeemed.request_id, at=now, stale=now - STALE):
            try:
                issued = _issue(request, redeemed, standing, now, authority, outcomes)
            except Exception:
                outcomes.release(redeemed.request_id, claimed_at=now)  # others need not wait for nothing
                raise
            if issued is not None:
                return issued
        pause(PAUSE)
    raise StillIssuingError(f"request {redeemed.request_id}: its certificate is being issued by somebody else; ask again in a minute")


def newest_serial(authority: Authority, holder: str, *, key: bytes | None = None, besides: Besides = nothing) -> int | None:
    """Of the certificates that the holder was ever issued; with `key`, SHA-256 of a SubjectPublicKeyInfo, of those over it.

    `besides` is asked after the books: a certificate is bound to its request before it is issued, so none is counted that should not be.
    """
    entries = authority.store.of_holder(holder)
    left_out = besides()
    issued = [
        entry.serial
        for entry in entries
        if entry.certificate_der is not None and key in (None, entry.public_key_sha256) and (entry.issuer, entry.serial) != left_out
    ]
    return issued[-1] if issued else None


def _issue(
    request: CertificateRequest,
    redeemed: Redeemed,
    standing: CertificateEntry | None,
    claimed_at: datetime,
    authority: Authority,
    outcomes: OutcomeStore,
) -> IssuedCertificate | None:
    """None where somebody else took over meanwhile; what was recorded here is then revoked and never signed."""
    if standing is not None and standing.state is CertificateState.RECORDED:
        authority.revoke(standing.serial, "superseded")
    prepared = authority.prepare(request)
    authority.record(prepared)
    if outcomes.bind(redeemed.request_id, issuer=prepared.issuer, serial=prepared.serial, claimed_at=claimed_at):
        return authority.issue(prepared)
    authority.revoke(prepared.serial, "superseded")
    return None


def _standing(redeemed: Redeemed, authority: Authority, outcomes: OutcomeStore) -> CertificateEntry | None:
    bound = outcomes.outcome(redeemed.request_id)
    return None if bound is None else authority.store.get(*bound)


def _issued(entry: CertificateEntry, certificate_der: bytes) -> IssuedCertificate:
    return IssuedCertificate(
        issuer=entry.issuer,
        serial=entry.serial,
        profile=entry.profile,
        holder=entry.holder,
        certificate_der=certificate_der,
        not_before=entry.not_before,
        not_after=entry.not_after,
    )
