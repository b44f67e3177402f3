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

from pki.remote.lack import Lack
from signing.policy import VerificationPolicy
from signing.ports import RecordBook
from signing.trust.store import Supplied, TrustStore
from signing.verdict import Indication, Verdict
from signing.verifying.engine import Engine as Engine  # those who judge ask here for it
from signing.verifying.opinion import Dissent, Question, SecondOpinion
from signing.verifying.verify import Caches, verify

_LIST_IS_ENOUGH: dict[Engine, Callable[[Question], bool]] = {
    Engine.AUTO: lambda question: question.own_make,
    Engine.FAST: lambda question: question.understood,
    Engine.REFERENCE: lambda _: False,
}


class _Sparing:
    """A :class:`signing.verifying.opinion.SecondOpinion` that is asked only where the list is not `enough`."""

    def __init__(self, enough: Callable[[Question], bool], other: Callable[[], SecondOpinion]) -> None:
        self._enough, self._other = enough, other
        self.spared = False

    def dissents(self, question: Question, fields: Sequence[str]) -> Mapping[str, Dissent]:
        self.spared = self._enough(question)
        if self.spared:
            return {}
        return self._other().dissents(question, fields)


def second_opinion() -> SecondOpinion:
    """pyHanko's."""
    from signing.verifying.ades import Ades  # a third of a second, which a run over records of our own make does not need

    return Ades()


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
    other: Callable[[], SecondOpinion] = second_opinion,
) -> Verdict:
    """The verdict on `document`, by the engine asked for; arguments as for :func:`signing.verifying.verify.verify`.

    `engine` says who answered. `other` is called for whom to ask where the list is not enough.
    """
    opinion = _Sparing(_LIST_IS_ENOUGH[engine], other)
    found = verify(
        document, policy, trust=trust, at=at, supplied=supplied, second_opinion=opinion, records=records, caches=caches, lacks=lacks
    )
    alone = opinion.spared and found.indication is Indication.TOTAL_PASSED
    return replace(found, engine=(Engine.FAST if alone else Engine.REFERENCE).value)
