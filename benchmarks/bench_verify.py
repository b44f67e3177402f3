"""Verifying beside pyHanko: the same B-LTA record, judged at the same moment with the same anchor, in the same run.

`verify-lta-N` is our own list (engine `fast`) beside pyHanko's AdES LTA validation, change analysis included, of every signature; so
is `verify-lta-N-reference` with our reference engine, which asks pyHanko for a second opinion. `verify-lta-N-plain` is our own list beside
pyHanko's plain validation, which judges less: no proofs of existence, no long-term rules. Caches are warm on our side, as in a bulk run;
pyHanko keeps none. Figures are minima, runs of the two being interleaved.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from io import BytesIO
from typing import Any

from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import KeyUsageConstraints, async_validate_pdf_signature
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.policy_decl import PdfSignatureValidationSpec, SignatureValidationSpec
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager

from signing.engines import Engine, judge
from signing.policy import VerificationPolicy
from signing.verdict import Indication
from signing.verify import Caches
from signing.workflow import Step, Workflow
from tests.support.verify_cases import RECORD, STEPS, RecordHouse, exported, make_record_house

OUR_RUNS = 30
PEER_RUNS = 5
USAGE = KeyUsageConstraints(key_usage={"non_repudiation"})

Row = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """A record to judge, and by what."""

    house: RecordHouse
    document: bytes
    policy: VerificationPolicy
    at: datetime

    @property
    def root(self) -> asn1_x509.Certificate:
        return asn1_x509.Certificate.load(self.house.house.authority.root_der)


@cache
def subject(signatures: int) -> Subject:
    """A record with so many signatures, each in a step of its workflow, archived."""
    house = make_record_house()
    if signatures == len(STEPS):
        return Subject(house, house.record(), RECORD, house.now)
    workflow = many_steps(signatures)
    document = exported(workflow=workflow)
    for step in workflow.steps:
        request = "seal" if step.seal else "homeroom"
        document = house.sign(document, request, field=step.field)
    policy = VerificationPolicy(**{**vars(RECORD), "workflows": (workflow,)})
    return Subject(house, house.archive(document), policy, house.now)


def many_steps(signatures: int) -> Workflow:
    people = tuple(Step(f"s{n}", "teacher", f"Signature-{n}") for n in range(1, signatures))
    return Workflow(f"bench/{signatures}", (*people, Step("seal", "school-seal", "Signature-Seal", seal=True)))


def ours(found: Subject, engine: Engine, caches: Caches) -> None:
    verdict = judge(found.document, found.policy, trust=found.house.trust, at=found.at, engine=engine, caches=caches)
    if verdict.indication is not Indication.TOTAL_PASSED or verdict.engine != engine.value:
        raise RuntimeError(f"the record to be measured is {verdict.indication}, by engine {verdict.engine}: {verdict.messages}")


def peer_lta(found: Subject) -> None:
    trust = SimpleTrustManager.build([found.root])
    revocation = CertRevTrustPolicy(RevocationCheckingPolicy.from_legacy("require"))
    spec = PdfSignatureValidationSpec(
        SignatureValidationSpec(
            cert_validation_policy=CertValidationPolicySpec(trust_manager=trust, revinfo_policy=revocation), key_usage_settings=USAGE
        )
    )
    timing = ValidationTimingInfo(validation_time=found.at, best_signature_time=found.at, point_in_time_validation=True)
    reader = PdfFileReader(BytesIO(found.document))
    for signature in reader.embedded_regular_signatures:
        asyncio.run(ades_lta_validation(signature, spec, timing))


def peer_plain(found: Subject) -> None:
    reader = PdfFileReader(BytesIO(found.document))
    for signature in reader.embedded_regular_signatures:
        context = ValidationContext(trust_roots=[found.root], moment=found.at, allow_fetching=False, revocation_mode="soft-fail")
        asyncio.run(async_validate_pdf_signature(signature, context, key_usage_settings=USAGE))


def compared(name: str, signatures: int, engine: Engine, peer: Callable[[Subject], None]) -> list[Row]:
    """One row; `ratio` says how many times as fast ours is, no target is set yet."""
    logging.disable(logging.WARNING)
    found, caches = subject(signatures), Caches()
    ours(found, engine, caches)
    best_ours = best_peer = float("inf")
    for run in range(OUR_RUNS):
        best_ours = min(best_ours, timed(partial(ours, found, engine, caches)))
        if run % (OUR_RUNS // PEER_RUNS) == 0:
            best_peer = min(best_peer, timed(partial(peer, found)))
    logging.disable(logging.NOTSET)
    return [
        {
            "name": name,
            "ours": round(best_ours * 1000, 2),
            "peer": round(best_peer * 1000, 2),
            "ratio": round(best_peer / best_ours, 1),
            "unit": "ms",
            "target": None,
            "holds": None,
        }
    ]


def timed(run: Callable[[], None]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _rows() -> dict[str, Callable[[], list[Row]]]:
    found: dict[str, Callable[[], list[Row]]] = {}
    for signatures in (1, 3, 15):
        name = f"verify-lta-{signatures}"
        found[name] = partial(compared, name, signatures, Engine.FAST, peer_lta)
        found[f"{name}-reference"] = partial(compared, f"{name}-reference", signatures, Engine.REFERENCE, peer_lta)
        found[f"{name}-plain"] = partial(compared, f"{name}-plain", signatures, Engine.FAST, peer_plain)
    return found


BENCHES: dict[str, Callable[[], list[Row]]] = _rows()
