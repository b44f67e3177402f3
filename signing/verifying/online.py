"""Judging with the network at hand: judge, fetch what was found missing, judge again.

Good news is fetched only where it is missing: what the document proves itself is not asked for again. Where no time stamp says when a
signature was made, its signer's own good news proves little, and whether the certificates still stand is asked once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from cryptography import x509
from cryptography.x509 import ocsp

from pki.ports import Clock
from pki.remote.lack import Lack
from pki.remote.network import ROUNDS
from pki.remote.online import Online
from pki.revocation.judgement import Evidence
from signing.policy import VerificationPolicy
from signing.trust.stamp import MAX_CLOCK_SKEW
from signing.trust.store import Supplied, TrustStore
from signing.verdict import Indication, Message, Verdict
from signing.verifying.engines import Engine, judge, second_opinion
from signing.verifying.opinion import SecondOpinion
from signing.verifying.verify import Caches


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
    other: Callable[[], SecondOpinion] = second_opinion,
) -> Verdict:
    """As :func:`signing.verifying.engines.judge` at the present moment, with what could be fetched; what could not be stands in the
    messages."""
    online.begin()
    known = supplied or Supplied()

    def judged(at: datetime) -> tuple[Verdict, list[Lack]]:
        lacks: list[Lack] = []
        verdict = judge(document, policy, trust=trust, at=at, supplied=known, engine=engine, caches=caches, lacks=lacks, other=other)
        return verdict, lacks

    verdict, lacks = judged(clock())
    for _ in range(ROUNDS - 1):
        fetched = online.fetch(lacks)
        if fetched == Evidence():
            break
        known = Supplied(known.certificates + fetched.certificates, known.crls + fetched.crls, known.ocsps + fetched.ocsps)
        verdict, lacks = judged(_present(clock(), fetched))
    if verdict.indication is Indication.TOTAL_PASSED or not online.failures:
        return verdict
    notes = tuple(Message("NOT_FETCHED", text) for text in online.failures)
    return replace(verdict, messages=(*verdict.messages, *notes))


def _present(now: datetime, fetched: Evidence) -> datetime:
    """`now`, or by the clock of who was just asked, where that is a little ahead: what it says of this moment is not from the future."""
    said = [*map(_answered, fetched.ocsps), *map(_listed, fetched.crls)]
    return max((moment for moment in said if moment is not None and now < moment <= now + MAX_CLOCK_SKEW), default=now)


def _answered(der: bytes) -> datetime | None:
    try:
        return ocsp.load_der_ocsp_response(der).produced_at_utc
    except ValueError:  # such as the year 0
        return None


def _listed(der: bytes) -> datetime | None:
    try:
        return x509.load_der_x509_crl(der).last_update_utc
    except ValueError:
        return None
