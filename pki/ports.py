"""What the authority asks of the outside: clock, keys, stores. Implemented elsewhere (`pki.keys.keystore`, `db`), passed as arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pki.errors import IssuanceError
from pki.structures.algorithms import SigningKey

Clock = Callable[[], datetime]
"""Returns the present as an aware UTC datetime."""


class TimeStamper(Protocol):
    """A source of RFC 3161 time stamps: our own TSA in process, or a remote one."""

    def stamp(self, digest: bytes, *, algorithm: str = "sha256") -> bytes:
        """A DER TimeStampToken (a CMS ContentInfo) over `digest`, an imprint made with hashlib's `algorithm`."""
        ...

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """The TSA's certificate and its issuers below the root, DER, leaf first: whose revocation data a B-LT file needs."""
        ...


class KeyStore(Protocol):
    """Where CA, OCSP, TSA and seal keys live: a file (`file:`) or an HSM (`pkcs11:`). People's keys are wrapped under its KEK."""

    def generate(self, label: str, *, curve: str = "P-256") -> SigningKey:
        """Makes and keeps a key; raises :class:`pki.errors.KeyStoreError` where the label is taken."""
        ...

    def open(self, label: str) -> SigningKey:
        """Raises :class:`pki.errors.KeyNotFoundError`."""
        ...

    def labels(self) -> tuple[str, ...]: ...

    def wrap(self, secret: bytes, *, context: bytes) -> bytes:
        """Encrypts `secret` under the key-encryption key, bound to `context` (authenticated, not stored)."""
        ...

    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        """Raises :class:`pki.errors.WrongSecretError` where `wrapped` or `context` was altered."""
        ...


class CertificateState(StrEnum):
    """A certificate is recorded before its signature exists, then issued. It may be revoked from any state, and suspended once issued.

    :mod:`pki.issuing.certificate_life` has the moves.
    """

    RECORDED = "recorded"
    ISSUED = "issued"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


@dataclass(frozen=True)
class CertificateEntry:
    """One certificate in the authority's books. Times are aware UTC."""

    issuer: str
    """Name of the issuing authority, such as "root" or "issuing"."""
    serial: int
    profile: str
    holder: str
    """Whose it is, as an opaque id of the roster or of the house: never a name or personal code."""
    state: CertificateState
    tbs_sha256: bytes
    """SHA-256 of the prepared to-be-signed certificate, 32 octets."""
    public_key_sha256: bytes
    """SHA-256 of the SubjectPublicKeyInfo, 32 octets."""
    not_before: datetime
    not_after: datetime
    recorded_at: datetime
    certificate_der: bytes | None = None
    issued_at: datetime | None = None
    revoked_at: datetime | None = None
    """Since when it is revoked or suspended."""
    revocation_reason: str | None = None
    """A CRLReason name of RFC 5280 section 5.3.1, such as "keyCompromise"; "certificateHold" for one that is suspended."""


class RevokedEntry(Protocol):
    """What a revocation list needs of a certificate in the books; a :class:`CertificateEntry` has it too."""

    @property
    def issuer(self) -> str: ...

    @property
    def serial(self) -> int: ...

    @property
    def revoked_at(self) -> datetime | None: ...

    @property
    def revocation_reason(self) -> str | None: ...


class CertificateStore(Protocol):
    """The authority's books: every certificate it ever prepared, durable before a method returns."""

    def record(self, entry: CertificateEntry) -> None:
        """Keeps an entry of state RECORDED; raises :class:`pki.errors.DuplicateSerialError` where issuer and serial are taken.

        Its key is fit: raises :class:`pki.errors.BlockedKeyError` for one that was reported as compromised and
        :class:`pki.errors.KeyTakenError` for one that was ever certified for another holder, whoever blocks or records it meanwhile.
        """
        ...

    def mark_issued(self, issuer: str, serial: int, *, certificate_der: bytes, at: datetime) -> None:
        """RECORDED to ISSUED, once; raises :class:`pki.errors.NotRecordedError` or :class:`pki.errors.AlreadyIssuedError`."""
        ...

    def mark_revoked(self, issuer: str, serial: int, *, reason: str, at: datetime) -> None:
        """As :func:`pki.issuing.certificate_life.revoke`; raises :class:`pki.errors.NotRecordedError` too.

        For a compromise also :meth:`block_key`, in the same transaction.
        """
        ...

    def mark_suspended(self, issuer: str, serial: int, *, at: datetime) -> None:
        """As :func:`pki.issuing.certificate_life.suspend`; raises :class:`pki.errors.NotRecordedError` too."""
        ...

    def mark_released(self, issuer: str, serial: int, *, at: datetime) -> None:
        """As :func:`pki.issuing.certificate_life.release`; raises :class:`pki.errors.NotRecordedError` too."""
        ...

    def refused_keys(self, holders: Mapping[bytes, str]) -> Mapping[bytes, IssuanceError]:
        """What :meth:`record` would say of each key now; nothing of those that are fit. `holders`: SHA-256 of the SPKI to its holder."""
        ...

    def block_key(self, public_key_sha256: bytes, *, reason: str, at: datetime) -> tuple[CertificateEntry, ...]:
        """The key is never certified again, and whatever stands over it is revoked, by any issuer: returns what it revoked.

        `reason` is one of :data:`pki.issuing.certificate_life.COMPROMISE`. Repeating is safe.
        """
        ...

    def get(self, issuer: str, serial: int) -> CertificateEntry | None: ...

    def of_holder(self, holder: str) -> tuple[CertificateEntry, ...]:
        """Oldest first."""
        ...

    def revoked(self, issuer: str, *, shard: int, shards: int) -> Iterable[RevokedEntry]:
        """Every revoked or suspended entry with serial mod `shards` == `shard`, expired ones too (expiredCertsOnCRL)."""
        ...

    def next_crl_number(self, issuer: str, *, shard: int) -> int:
        """Strictly increasing from 1 for each issuer and shard (RFC 5280 section 5.2.3)."""
        ...


class RevocationBooks(Protocol):
    """What making a CRL asks of the books; a :class:`CertificateStore` is one."""

    def revoked(self, issuer: str, *, shard: int, shards: int) -> Iterable[RevokedEntry]: ...

    def next_crl_number(self, issuer: str, *, shard: int) -> int: ...


class CrlSource(Protocol):
    """Where the current list of any shard of one issuer comes from: made here, or brought here."""

    issuer: str
    issuer_certificate_der: bytes
    shards: int

    def crl(self, shard: int) -> bytes:
        """DER; raises :class:`pki.errors.PkiError` where there is no such shard."""
        ...
