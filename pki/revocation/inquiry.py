"""What the checks of CRLs and OCSP answers share: the question asked, and what one piece of evidence says to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from pki.errors import PkiError
from pki.paths.validation import PathPolicy
from pki.paths.validation_cache import ValidationCache
from pki.structures.algorithm_policy import verify_signature
from pki.structures.certificate import Certificate

if TYPE_CHECKING:
    from pki.paths.chain import TrustAnchor
    from pki.revocation.readable import ReadEvidence

ALL_REASONS = frozenset(range(1, 9))  # ReasonFlags bits, RFC 5280 section 4.2.1.13
MAX_SIGNER_CANDIDATES = 500  # certificates tried as signers of evidence, for one certificate; bounds work on hostile input
_CHECKED_OCTETS = 512  # that a signature which was checked is taken to hold in memory, besides its own octets and its key's
MAX_SIGNER_REFUSALS = 20  # of them, those that verify and then turn out not to be authorised: each may cost a search for a path


class EvidenceLimitError(PkiError):
    """Evidence asks for more work than a verifier grants: the status is unknown."""


@dataclass(frozen=True)
class Evidence:
    """Certificates, CRLs and OCSP responses, DER, from anywhere: nothing in them is trusted. OCSP responses whole, or Basic alone."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class RevocationMessage:
    """Why a piece of evidence did not count, or what is to be known of the answer. `code` is stable; `text` is one English sentence."""

    code: str
    text: str


@dataclass(frozen=True)
class Finding:
    """What one authentic piece of evidence says. `state` is "good" or "revoked"; `reasons` are the ReasonFlags that it covers.

    `signer_not_after` is when the key that vouches for it expires: later, only a proof that it existed before makes it count.
    """

    source: str
    state: str
    this_update: datetime
    next_update: datetime | None
    signer_not_after: datetime
    covers_expired_since: datetime | None
    reasons: frozenset[int] = ALL_REASONS
    revoked_at: datetime | None = None
    reason: str | None = None
    invalid_since: datetime | None = None


@dataclass
class Budget:
    """What one question may cost, the questions about signers of evidence included."""

    candidates: int = 0
    refusals: int = 0

    def charge(self, cost: Budget) -> None:
        """Adds what another question cost; raises EvidenceLimitError."""
        self.candidates += cost.candidates
        self.refusals += cost.refusals
        self._check()

    def try_signer(self) -> None:
        self.candidates += 1
        self._check()

    def refuse_signer(self) -> None:
        self.refusals += 1
        self._check()

    def _check(self) -> None:
        if self.candidates > MAX_SIGNER_CANDIDATES:
            raise EvidenceLimitError(f"revocation data asks for more than {MAX_SIGNER_CANDIDATES} signature checks for one certificate")
        if self.refusals > MAX_SIGNER_REFUSALS:
            raise EvidenceLimitError(f"revocation data has more than {MAX_SIGNER_REFUSALS} signers that are not authorised")


@dataclass
class Inquiry:
    """One question: was `certificate`, issued by `issuer`, revoked? Evidence later than `now` is ignored."""

    certificate: Certificate
    issuer: Certificate
    evidence: Evidence
    read: ReadEvidence
    """The CRLs and OCSP answers of `evidence`."""
    anchors: Sequence[TrustAnchor]
    now: datetime
    policy: PathPolicy
    cache: ValidationCache
    budget: Budget
    signer_is_unrevoked: Callable[[Certificate, Certificate, datetime], bool]
    """(signer, its issuer, when it signed): asks the same question about whoever signed the evidence."""
    messages: list[RevocationMessage] = field(default_factory=list)

    def ignore(self, code: str, text: str) -> None:
        self.messages.append(RevocationMessage(code, text))

    def signed_by(self, signer: Certificate, algorithm_der: bytes, signature: bytes, tbs_der: bytes, at: datetime) -> None:
        """Raises SignatureError or UnsupportedAlgorithmError, or EvidenceLimitError; remembers what verified."""
        self.budget.try_signer()
        policy = self.policy.algorithms
        key = ("evidence", sha256(tbs_der).digest(), algorithm_der, signature, signer.spki_der, policy, at if policy.has_sunset else None)
        if self.cache.get(key) is not None:
            return
        verify_signature(signer.public_key, algorithm_der, signature, tbs_der, policy=policy, at=at)
        self.cache.put(key, True, octets=_CHECKED_OCTETS + len(algorithm_der) + len(signature) + len(signer.spki_der))
