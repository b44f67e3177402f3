"""The verdict on a document: indications of ETSI EN 319 102-1, what each signature covers, and the record it belongs to.

These are the values behind one line of `eduseal verify --format jsonl`; :meth:`Verdict.as_dict` is that line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Indication(StrEnum):
    """EN 319 102-1 clause 5.1.3, table 5, and NO-SIGNATURE for a document that carries none."""

    TOTAL_PASSED = "TOTAL-PASSED"
    INDETERMINATE = "INDETERMINATE"
    TOTAL_FAILED = "TOTAL-FAILED"
    NO_SIGNATURE = "NO-SIGNATURE"


class SubIndication(StrEnum):
    """EN 319 102-1 clause 5.1.3, table 6."""

    FORMAT_FAILURE = "FORMAT_FAILURE"
    HASH_FAILURE = "HASH_FAILURE"
    SIG_CRYPTO_FAILURE = "SIG_CRYPTO_FAILURE"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"
    SIG_CONSTRAINTS_FAILURE = "SIG_CONSTRAINTS_FAILURE"
    CHAIN_CONSTRAINTS_FAILURE = "CHAIN_CONSTRAINTS_FAILURE"
    CERTIFICATE_CHAIN_GENERAL_FAILURE = "CERTIFICATE_CHAIN_GENERAL_FAILURE"
    CRYPTO_CONSTRAINTS_FAILURE = "CRYPTO_CONSTRAINTS_FAILURE"
    POLICY_PROCESSING_ERROR = "POLICY_PROCESSING_ERROR"
    SIGNATURE_POLICY_NOT_AVAILABLE = "SIGNATURE_POLICY_NOT_AVAILABLE"
    TIMESTAMP_ORDER_FAILURE = "TIMESTAMP_ORDER_FAILURE"
    NO_SIGNING_CERTIFICATE_FOUND = "NO_SIGNING_CERTIFICATE_FOUND"
    NO_CERTIFICATE_CHAIN_FOUND = "NO_CERTIFICATE_CHAIN_FOUND"
    REVOKED_NO_POE = "REVOKED_NO_POE"
    REVOKED_CA_NO_POE = "REVOKED_CA_NO_POE"
    OUT_OF_BOUNDS_NOT_REVOKED = "OUT_OF_BOUNDS_NOT_REVOKED"
    OUT_OF_BOUNDS_NO_POE = "OUT_OF_BOUNDS_NO_POE"
    CRYPTO_CONSTRAINTS_FAILURE_NO_POE = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
    NO_POE = "NO_POE"
    TRY_LATER = "TRY_LATER"
    SIGNED_DATA_NOT_FOUND = "SIGNED_DATA_NOT_FOUND"


class Coverage(StrEnum):
    """How much of the file a signature's byte range covers."""

    ENTIRE_FILE = "entire-file"
    ENTIRE_REVISION = "entire-revision"
    PARTIAL = "partial"


class Changes(StrEnum):
    """The worst kind of change made after a signature, in rising order of concern."""

    NONE = "none"
    LTA = "lta"
    FORM_FILLING = "form-filling"
    ANNOTATION = "annotation"
    UNDEFINED = "undefined"


class Entitlement(StrEnum):
    """Whether the signers are those that the record's workflow asks for."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    NOT_ENTITLED = "not-entitled"
    UNKNOWN = "unknown"


class RecordStatus(StrEnum):
    """What the school's books say of the record's version."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Message:
    """A finding. `code` is stable, SCREAMING_SNAKE_CASE; `text` is one English sentence saying what was got and what was expected."""

    code: str
    text: str

    def as_dict(self) -> dict[str, str]:
        return {"code": self.code, "text": self.text}


@dataclass(frozen=True)
class Signer:
    """The certificate's subject, never the claims inside the PDF (attack class 22)."""

    name: str
    role: str | None
    organization: str | None
    identifier: str | None
    serial: str
    """Certificate serial number, lower-case hexadecimal without a prefix."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "role": self.role,
            "organization": self.organization,
            "identifier": self.identifier,
            "serial": self.serial,
        }


@dataclass(frozen=True)
class SignatureVerdict:
    field: str
    indication: Indication
    sub_indication: SubIndication | None
    level: str | None
    signer: Signer | None
    claimed_time: datetime | None
    best_signature_time: datetime | None
    coverage: Coverage
    changes: Changes
    messages: tuple[Message, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "field": self.field,
            "indication": self.indication.value,
            "sub_indication": self.sub_indication.value if self.sub_indication else None,
            "level": self.level,
            "signer": self.signer.as_dict() if self.signer else None,
            "claimed_time": rfc3339(self.claimed_time),
            "best_signature_time": rfc3339(self.best_signature_time),
            "coverage": self.coverage.value,
            "changes": self.changes.value,
            "messages": [message.as_dict() for message in self.messages],
        }


@dataclass(frozen=True)
class TimestampVerdict:
    """A signature time stamp or document time stamp. `kind` is "signature" or "document"; `field` is where it stands."""

    field: str
    kind: str
    indication: Indication
    sub_indication: SubIndication | None
    time: datetime | None
    tsa: str | None
    coverage: Coverage | None = None
    messages: tuple[Message, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "field": self.field,
            "kind": self.kind,
            "indication": self.indication.value,
            "sub_indication": self.sub_indication.value if self.sub_indication else None,
            "time": rfc3339(self.time),
            "tsa": self.tsa,
            "coverage": self.coverage.value if self.coverage else None,
            "messages": [message.as_dict() for message in self.messages],
        }


@dataclass(frozen=True)
class RecordReference:
    """The record named in the signed `record.json`; `status` is None where no book of records was asked."""

    id: str
    version: int
    status: RecordStatus | None = None

    def as_dict(self) -> dict[str, Any]:
        return {"id": self.id, "version": self.version, "status": self.status.value if self.status else None}


@dataclass(frozen=True)
class Verdict:
    """The answer on one document. `sha256` is of the whole file, lower-case hexadecimal; `ms` is time spent, in milliseconds."""

    sha256: str
    indication: Indication
    sub_indication: SubIndication | None
    entitlement: Entitlement
    signatures: tuple[SignatureVerdict, ...] = ()
    timestamps: tuple[TimestampVerdict, ...] = ()
    record: RecordReference | None = None
    engine: str = "reference"
    ms: float = 0.0
    messages: tuple[Message, ...] = field(default=())
    """Findings on the document as a whole, such as why it could not be read."""

    def as_dict(self, file: str) -> dict[str, Any]:
        """The line of the outside contract; `file` is the name as the caller gave it."""
        return {
            "file": file,
            "sha256": self.sha256,
            "indication": self.indication.value,
            "sub_indication": self.sub_indication.value if self.sub_indication else None,
            "entitlement": self.entitlement.value,
            "signatures": [signature.as_dict() for signature in self.signatures],
            "timestamps": [timestamp.as_dict() for timestamp in self.timestamps],
            "record": self.record.as_dict() if self.record else None,
            "messages": [message.as_dict() for message in self.messages],
            "engine": self.engine,
            "ms": round(self.ms, 2),
        }


_CONCERN = {
    Indication.TOTAL_PASSED: 0,
    Indication.INDETERMINATE: 1,
    Indication.TOTAL_FAILED: 2,
}


def worst(signatures: tuple[SignatureVerdict, ...]) -> tuple[Indication, SubIndication | None]:
    """A document's indication is its worst signature's; without any signature it is NO-SIGNATURE."""
    if not signatures:
        return Indication.NO_SIGNATURE, None
    found = max(signatures, key=lambda signature: _CONCERN[signature.indication])
    return found.indication, found.sub_indication


def rfc3339(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z") if moment else None
