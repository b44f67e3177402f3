"""Which verifier answers: our own list alone, or the list with pyHanko's validation beside it.

- `reference`: the numbered list of :mod:`signing.verify`, and a second opinion on every signature that it lets pass.
- `fast`: the list alone, which may only answer TOTAL-PASSED; everything else goes to the reference engine.
- `auto`: the reference engine, until the differential evidence that the fast one needs is there (docs/architecture.md).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from signing.ades import Ades
from signing.policy import VerificationPolicy
from signing.ports import RecordBook
from signing.trust import Supplied, TrustStore
from signing.verdict import Indication, Verdict
from signing.verify import Caches, verify


class Engine(StrEnum):
    AUTO = "auto"
    FAST = "fast"
    REFERENCE = "reference"


def judge(
    document: bytes,
    policy: VerificationPolicy,
    *,
    trust: TrustStore,
    at: datetime,
    supplied: Supplied | None = None,
    engine: Engine = Engine.AUTO,
    records: RecordBook | None = None,
    caches: Caches | None = None,
) -> Verdict:
    """The verdict on `document`, by the engine asked for; arguments as for :func:`signing.verify.verify`. `engine` says who answered."""
    caches = caches or Caches()
    spent = 0.0
    if engine is Engine.FAST:
        fast = verify(document, policy, trust=trust, at=at, supplied=supplied, records=records, caches=caches)
        if fast.indication is Indication.TOTAL_PASSED:
            return replace(fast, engine=Engine.FAST.value)
        spent = fast.ms
    found = verify(document, policy, trust=trust, at=at, supplied=supplied, second_opinion=Ades(), records=records, caches=caches)
    return replace(found, engine=Engine.REFERENCE.value, ms=found.ms + spent)
