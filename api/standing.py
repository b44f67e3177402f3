"""Whether a signature is good by itself, whatever its document lacks: read off a row of the outside contract."""

from __future__ import annotations

from signing.reports.report import Row
from signing.verdict import Indication, SubIndication

LOWERED = ("ENTITLEMENT_INCOMPLETE", "ENTITLEMENT_NOT_ENTITLED")  # the verifier's words for "the record lacks something, not I"
HARMLESS = ("TSA_REVOCATION_NOT_FRESH", "REVOKED_LATER")  # what it says of a signature that passes


def stands_alone(signature: Row) -> bool:
    """It passed, or was lowered for the record's sake and nothing else is said against it. An unknown message counts against it."""
    if signature["indication"] == Indication.TOTAL_PASSED:
        return True
    codes = [message["code"] for message in signature["messages"]]
    lowered = signature["sub_indication"] == SubIndication.SIG_CONSTRAINTS_FAILURE and any(code in LOWERED for code in codes)
    return lowered and all(code in (*LOWERED, *HARMLESS) for code in codes)
