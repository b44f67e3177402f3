"""Keys of programs that call the service: each is bound to one school, stored only as a digest, and can be revoked."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from db import log
from db.engine import Database
from db.tables import api_keys
from records.errors import NotFoundError

PREFIX = "eduseal"  # lets secret scanners know one when they see it
ID_BYTES = 8
SECRET_BYTES = 32  # 256 random bits: a plain digest of it cannot be guessed, so no slow hash is needed
MAX_TOKEN = 200  # characters read of a token that a caller sends


@dataclass(frozen=True)
class ApiKey:
    id: str
    school_id: str
    label: str
    created_at: datetime
    revoked_at: datetime | None = None


class ApiKeys:
    """The token is shown once, when it is made."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, *, school_id: str, label: str, at: datetime) -> tuple[ApiKey, str]:
        """A new key and its token `eduseal_ID_SECRET`; raises :class:`records.errors.NotFoundError` for an unknown school."""
        key = ApiKey(secrets.token_hex(ID_BYTES), school_id, label, at)
        secret = secrets.token_urlsafe(SECRET_BYTES)
        with self._database.writing() as connection:
            try:
                connection.execute(
                    sa.insert(api_keys).values(
                        id=key.id, secret_sha256=_digest(secret), school_id=school_id, label=label, created_at=at, revoked_at=None
                    )
                )
            except sa.exc.IntegrityError:
                raise NotFoundError(f"school {school_id} is not in the roster") from None
            log.append(connection, kind="api_key.created", subject=f"api-key/{key.id}", at=at, details={"school": school_id})
        return key, f"{PREFIX}_{key.id}_{secret}"

    def authenticate(self, token: str) -> ApiKey | None:
        """The key that `token` belongs to; None for a wrong, unknown or revoked one."""
        prefix, _, rest = token[:MAX_TOKEN].partition("_")
        key_id, _, secret = rest.partition("_")
        if prefix != PREFIX or not key_id.isalnum() or not key_id.isascii():
            return None
        with self._database.reading() as connection:
            row = connection.execute(sa.select(api_keys).where(api_keys.c.id == key_id)).one_or_none()
        if row is None or not hmac.compare_digest(row.secret_sha256, _digest(secret)) or row.revoked_at is not None:
            return None
        return ApiKey(row.id, row.school_id, row.label, row.created_at, row.revoked_at)

    def revoke(self, key_id: str, *, at: datetime) -> None:
        """Final; a second time changes nothing. Raises :class:`records.errors.NotFoundError`."""
        with self._database.writing() as connection:
            row = connection.execute(sa.select(api_keys.c.revoked_at).where(api_keys.c.id == key_id)).one_or_none()
            if row is None:
                raise NotFoundError(f"API key {key_id} is not known")
            if row.revoked_at is None:
                connection.execute(sa.update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=at))
                log.append(connection, kind="api_key.revoked", subject=f"api-key/{key_id}", at=at, details={})

    def all(self) -> tuple[ApiKey, ...]:
        """Sorted by school, then oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(api_keys).order_by(api_keys.c.school_id, api_keys.c.created_at, api_keys.c.id)).all()
        return tuple(ApiKey(row.id, row.school_id, row.label, row.created_at, row.revoked_at) for row in rows)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
