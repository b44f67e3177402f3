"""From a verdict to the one answer that an outsider reads, and the few rows that explain it. Pure; fails closed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from api.standing import stands_alone
from signing.reports.report import Row
from signing.verdict import Entitlement, Indication, RecordStatus, SubIndication

ALTERATIONS = {SubIndication.FORMAT_FAILURE, SubIndication.HASH_FAILURE, SubIndication.SIG_CRYPTO_FAILURE}
REVOCATIONS = {SubIndication.REVOKED, SubIndication.REVOKED_NO_POE, SubIndication.REVOKED_CA_NO_POE}
NO_CHAIN = {SubIndication.NO_CERTIFICATE_CHAIN_FOUND, SubIndication.NO_SIGNING_CERTIFICATE_FOUND}
STAMPED = ("PAdES-BASELINE-T", "PAdES-BASELINE-LT", "PAdES-BASELINE-LTA")


class Outcome(StrEnum):
    CURRENT = "current"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    ALTERED = "altered"
    NOT_OFFICIAL = "not-official"
    UNTRUSTED = "untrusted"
    UNDETERMINED = "undetermined"
    NO_SIGNATURE = "no-signature"


class State(StrEnum):
    """What is said of one row, in words, colour and icon."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """A row: `name` is a key of the catalogue, `state` what is said of it."""

    name: str
    state: State


def outcome_of(row: Row) -> Outcome:
    """The answer on a document. Whatever is not clearly one of the others is UNDETERMINED."""
    indication, sub = row["indication"], row["sub_indication"]
    if indication == Indication.NO_SIGNATURE:
        return Outcome.NO_SIGNATURE
    if indication == Indication.TOTAL_FAILED:
        # a signature that fails for its certificate's sake: the bytes are as signed, but the signer was not in a position to sign
        return Outcome.NOT_OFFICIAL if sub is not None and sub not in ALTERATIONS else Outcome.ALTERED
    if indication == Indication.INDETERMINATE:
        if row["entitlement"] in (Entitlement.INCOMPLETE, Entitlement.NOT_ENTITLED):
            return Outcome.NOT_OFFICIAL
        return Outcome.UNTRUSTED if sub in NO_CHAIN else Outcome.UNDETERMINED
    if indication == Indication.TOTAL_PASSED and row["entitlement"] == Entitlement.COMPLETE and row["record"]:
        return _BY_STATUS.get(row["record"]["status"], Outcome.UNDETERMINED)
    return Outcome.NOT_OFFICIAL if indication == Indication.TOTAL_PASSED else Outcome.UNDETERMINED


_BY_STATUS = {
    RecordStatus.CURRENT.value: Outcome.CURRENT,
    RecordStatus.SUPERSEDED.value: Outcome.SUPERSEDED,
    RecordStatus.WITHDRAWN.value: Outcome.WITHDRAWN,
}


def status_unknown(row: Row) -> bool:
    """Every signature passed and is the right one, but these books do not know the record."""
    passed = row["indication"] == Indication.TOTAL_PASSED and row["entitlement"] == Entitlement.COMPLETE
    return passed and (row["record"] or {}).get("status") is None


def checks_of(row: Row) -> tuple[Check, ...]:
    """Integrity, chain, revocation, time stamp, signers, coverage. A check that an earlier failure kept from being made is UNKNOWN."""
    signatures = row["signatures"]
    if not signatures:
        return ()
    subs = {signature["sub_indication"] for signature in signatures}
    intact = not subs & ALTERATIONS
    passed = all(stands_alone(signature) for signature in signatures)
    return (
        Check("integrity", State.GOOD if intact else State.BAD),
        Check("chain", _state(good=passed, bad=bool(subs & NO_CHAIN))),
        Check("revocation", _state(good=passed, bad=bool(subs & REVOCATIONS))),
        Check("timestamp", _state(good=passed and all(signature["level"] in STAMPED for signature in signatures), bad=False)),
        Check("entitlement", _ENTITLEMENT.get(row["entitlement"], State.UNKNOWN)),
        Check("coverage", _coverage(signatures[-1], intact=intact)),
    )


_ENTITLEMENT = {
    Entitlement.COMPLETE.value: State.GOOD,
    Entitlement.INCOMPLETE.value: State.BAD,
    Entitlement.NOT_ENTITLED.value: State.BAD,
}


def _coverage(last: Row, *, intact: bool) -> State:
    """The last signature covers the file, or all of it but permitted additions."""
    if last["coverage"] == "partial" or last["changes"] == "undefined":
        return State.BAD
    return State.GOOD if intact else State.UNKNOWN


def _state(*, good: bool, bad: bool) -> State:
    if bad:
        return State.BAD
    return State.GOOD if good else State.UNKNOWN
