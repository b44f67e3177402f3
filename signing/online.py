"""Judging with the network at hand: judge, fetch what was found missing, judge again.

Good news is fetched only where it is missing: what the document proves itself is not asked for again. Where no time stamp says when a
signature was made, its signer's own good news proves little, and whether the certificates still stand is asked once.
"""

from __future__ import annotations

from dataclasses import replace

from pki.lack import Lack
from pki.network import ROUNDS
from pki.online import Online
from pki.ports import Clock
from pki.revocation import Evidence
from signing.engines import Engine, judge
from signing.policy import VerificationPolicy
from signing.trust import Supplied, TrustStore
from signing.verdict import Indication, Message, Verdict
from signing.verify import Caches


def judge_online(
    document: bytes,
    policy: VerificationPolicy,
    *,
    online: Online,
    trust: TrustStore,
    clock: Clock,
    supplied: Supplied | None = None,
    engine: Engine = Engine.AUTO,
    caches: Caches | None = None,
) -> Verdict:
    """As :func:`signing.engines.judge` at the present moment, with what could be fetched; what could not be stands in the messages."""
    online.begin()
    known = supplied or Supplied()

    def judged() -> tuple[Verdict, list[Lack]]:
        lacks: list[Lack] = []
        return judge(document, policy, trust=trust, at=clock(), supplied=known, engine=engine, caches=caches, lacks=lacks), lacks

    verdict, lacks = judged()
    for _ in range(ROUNDS - 1):
        fetched = online.fetch(lacks)
        if fetched == Evidence():
            break
        known = Supplied(known.certificates + fetched.certificates, known.crls + fetched.crls, known.ocsps + fetched.ocsps)
        verdict, lacks = judged()
    if verdict.indication is Indication.TOTAL_PASSED or not online.failures:
        return verdict
    notes = tuple(Message("NOT_FETCHED", text) for text in online.failures)
    return replace(verdict, messages=(*verdict.messages, *notes))
