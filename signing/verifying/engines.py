"""Which verifier answers: our own list alone, or the list with pyHanko's validation beside it (docs/adr/0002-two-engines.md).

- `reference`: the numbered list of :mod:`signing.verifying.verify`, and a second opinion on every signature that it lets pass.
- `fast`: the list alone where it lets every signature of a document pass and has read all that is in it; everything else as `reference`.
- `auto`: the list alone where it lets a record of our own make pass (:mod:`signing.verifying.own_make`); everything else as `reference`.

So the list alone never says anything but TOTAL-PASSED, and it is worked through once, whoever answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from pki.remote.lack import Lack
from signing.policy import VerificationPolicy
from signing.ports import RecordBook
from signing.trust.store import Supplied, TrustStore
from signing.verdict import Indication, Verdict
from signing.verifying.opinion import Dissent, Question
from signing.verifying.verify import Caches, verify


class Engine(StrEnum):
    AUTO = "auto"
    FAST = "fast"
    REFERENCE = "reference"


_LIST_IS_ENOUGH: dict[Engine, Callable[[Question], bool]] = {
    Engine.AUTO: lambda question: question.own_make,
    Engine.FAST: lambda question: question.understood,
    Engine.REFERENCE: lambda _: False,
}


class _Sparing:
    """A :class:`signing.verifying.opinion.SecondOpinion` that is asked only where the list is not `enough`."""

    def __init__(self, enough: Callable[[Question], bool]) -> None:
        self._enough = enough
        self.spared = False

    def dissents(self, question: Question, fields: Sequence[str]) -> Mapping[str, Dissent]:
        self.spared = self._enough(question)
        if self.spared:
            return {}
        from signing.verifying.ades import Ades  # half a second, which a program that lets others judge does not need

        return Ades().dissents(question, fields)


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
    lacks: list[Lack] | None = None,
) -> Verdict:
    """The verdict on `document`, by the engine asked for; arguments as for :func:`signing.verifying.verify.verify`.

    `engine` says who answered.
    """
    opinion = _Sparing(_LIST_IS_ENOUGH[engine])
    found = verify(
        document, policy, trust=trust, at=at, supplied=supplied, second_opinion=opinion, records=records, caches=caches, lacks=lacks
    )
    alone = opinion.spared and found.indication is Indication.TOTAL_PASSED
    return replace(found, engine=(Engine.FAST if alone else Engine.REFERENCE).value)
