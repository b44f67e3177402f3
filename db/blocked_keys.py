"""Which keys the books refuse: those reported as compromised, and those that stand in somebody else's certificate.

Asked inside a transaction that has written to the log, the answer holds until it commits: writers stand in line for the head of the log
(:func:`db.log.append_all`), so whoever blocks a key or records another certificate over it either came before and is seen, or comes after.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from db.log import NewEntry, append_all
from db.tables import certificates
from db.tables_life import blocked_keys
from db.upsert import insert_missing
from pki.errors import BlockedKeyError, IssuanceError, KeyTakenError
from pki.issuing.certificate_life import revoke
from pki.ports import CertificateEntry, CertificateState

LOOKUP = 500  # keys asked for in one statement; each stands in it twice, and SQLite allows 32,766 parameters

_KEYS: sa.BindParameter[bytes] = sa.bindparam("keys", expanding=True)
# blocked keys have no holder; composed once, since every certificate that is recorded by itself asks
_ASKED = (
    sa.select(blocked_keys.c.public_key_sha256, sa.null().label("holder"))
    .where(blocked_keys.c.public_key_sha256.in_(_KEYS))
    .union_all(sa.select(certificates.c.public_key_sha256, certificates.c.holder).where(certificates.c.public_key_sha256.in_(_KEYS)))
)


def refused_keys(connection: sa.Connection, holders: Mapping[bytes, str]) -> dict[bytes, IssuanceError]:
    """What speaks against certifying each key; nothing for those that are fit. `holders`: SHA-256 of the SPKI to who is to have it."""
    found: dict[bytes, IssuanceError] = {}
    keys = list(holders)
    for start in range(0, len(keys), LOOKUP):
        for key, holder in connection.execute(_ASKED, {"keys": keys[start : start + LOOKUP]}):
            error = _error(bytes(key), holder, holders[bytes(key)])
            if error is not None and not isinstance(found.get(bytes(key)), BlockedKeyError):
                found[bytes(key)] = error
    return found


def require_fit(connection: sa.Connection, key: bytes, holder: str) -> None:
    """Raises :class:`pki.errors.BlockedKeyError` or KeyTakenError."""
    for error in refused_keys(connection, {key: holder}).values():
        raise error


class LateCertificateError(Exception):
    """A certificate was recorded over the key while it was being blocked; roll back and begin again."""


def block(connection: sa.Connection, key: bytes, *, reason: str, at: datetime) -> tuple[CertificateEntry, ...]:
    """Blocks the key and revokes the certificates over it; returns them as they are now. Raises :class:`LateCertificateError`.

    Their rows are locked before the head of the log, as everywhere: who holds a row waits for the head, never the other way round.
    """
    standing = sa.select(certificates).where(
        certificates.c.public_key_sha256 == key, certificates.c.state != CertificateState.REVOKED.value
    )
    rows = connection.execute(standing.order_by(certificates.c.issuer, certificates.c.serial).with_for_update()).all()
    revoked = tuple(revoke(entry_of(row), reason=reason, at=at) for row in rows)
    for entry in revoked:
        chosen = sa.update(certificates).where(certificates.c.issuer == entry.issuer, certificates.c.serial == entry.serial)
        values = {"state": entry.state.value, "revoked_at": entry.revoked_at, "revocation_reason": entry.revocation_reason}
        connection.execute(chosen.values(**values))
    known = connection.execute(sa.select(blocked_keys).where(blocked_keys.c.public_key_sha256 == key)).one_or_none() is not None
    if known and not revoked:
        return ()
    insert_missing(connection, blocked_keys, [{"public_key_sha256": key, "reason": reason, "blocked_at": at}])
    told = [NewEntry("certificate.revoked", f"certificate/{e.issuer}/{e.serial:x}", at, {"reason": reason}) for e in revoked]
    told += [] if known else [NewEntry("key.blocked", f"key/{key.hex()}", at, {"reason": reason})]
    append_all(connection, told)
    if connection.execute(standing.limit(1)).first() is not None:
        raise LateCertificateError
    return revoked


def entry_of(row: sa.Row[Any]) -> CertificateEntry:
    """A whole row of the books."""
    return entry_from(row._asdict())


def entry_from(fields: Mapping[str, Any]) -> CertificateEntry:
    """By the names of the columns."""
    return CertificateEntry(**{**fields, "state": CertificateState(fields["state"])})


def _error(key: bytes, holder: str | None, wanted: str) -> IssuanceError | None:
    if holder is None:
        return BlockedKeyError(f"the key {key.hex()[:16]}… was reported as compromised and is never certified again; make a new one")
    if holder != wanted:
        return KeyTakenError(f"the key {key.hex()[:16]}… stands in a certificate of {holder}; {wanted} needs a key of their own")
    return None
