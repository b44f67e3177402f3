"""Verifying beside pyHanko: distinct B-LTA records by forty signers, judged at the same moment with the same anchor, in the same run.

- `verify-lta-N` is engine `auto` beside pyHanko's AdES LTA validation, change analysis included, of every signature of a record with N of
  them; `verify-lta-N-plain` beside its plain validation with its default difference policy, which judges less: no proofs of existence, no
  long-term rules. `ratio` says how many times as fast ours is.
- `verify-lta-N-floor`: `peer` is the floor, hashing the byte ranges and verifying the same number of signatures with `cryptography`;
  `ratio` says how many times the floor ours takes.
- `verify-lta-N-cold` has forgotten everything before each document; `verify-lta-N-reference` is engine `reference`.
- `verify-linear`: milliseconds for each further signature, from 16 to 32 (`ours`) and from 1 to 8 (`peer`).

Processor time of one process. Each figure is the mean over documents of the best of RUNS runs, both sides taking turns; ours over 200
documents, pyHanko's over few, since it takes seconds for one. Caches are warm on our side but in `-cold`, as in a bulk run; pyHanko keeps
none. Garbage is collected as in a worker, for both.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from io import BytesIO
from typing import Any

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import KeyUsageConstraints, async_validate_pdf_signature
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.policy_decl import PdfSignatureValidationSpec, SignatureValidationSpec
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager

from pki.structures.cms import SIGNATURE_TIME_STAMP, ParsedSignedData, parse_signed_data
from signing.bulk.worker import spare_garbage_collection
from signing.coverage.structure import read_structure
from signing.pdf import plain
from signing.pdf.document import Document
from signing.verdict import Indication
from signing.verifying.engines import Engine, judge
from signing.verifying.verify import Caches
from tests.support.many_signers import Signed, added_signatures, signed_records

RUNS = 4
PEER_DOCUMENTS = {1: 12, 15: 3}
REFERENCE_DOCUMENTS = {1: 20, 15: 4}
SIZES = (1, 2, 4, 8, 16, 32)
FASTER = {1: 30.0, 15: 80.0}  # at least so many times as fast as pyHanko
FLOORS = {1: 25.0, 15: 12.0}  # at most so many times the floor
STEEPER = 1.5  # at most so many times as much for a further signature among many as among few
USAGE = KeyUsageConstraints(key_usage={"non_repudiation"})

Row = dict[str, Any]
Judge = Callable[[bytes], None]


@cache
def subjects(signatures: int) -> Signed:
    return signed_records(signatures)


class Ours:
    """Our verifier, with caches of its own; counts the engines that answered."""

    def __init__(self, found: Signed, engine: Engine = Engine.AUTO) -> None:
        self._found, self._engine, self._caches = found, engine, Caches()
        self.engines: Counter[str] = Counter()

    def __call__(self, document: bytes) -> None:
        found = self._found
        verdict = judge(document, found.policy, trust=found.trust, at=found.at, engine=self._engine, caches=self._caches)
        if verdict.indication is not Indication.TOTAL_PASSED:
            raise RuntimeError(f"a record to be measured is {verdict.indication}: {verdict.signatures}")
        self.engines[verdict.engine] += 1

    def forget(self) -> None:
        """As in a fresh process."""
        self._caches = Caches()
        for name, module in list(sys.modules.items()):
            for one in vars(module).values() if name.startswith(("pki.", "signing.")) else ():
                if not isinstance(one, type) and callable(forget := getattr(one, "cache_clear", None)):
                    forget()
        plain._NAMES.clear()


def peer_lta(found: Signed, document: bytes) -> None:
    trust = SimpleTrustManager.build([asn1_x509.Certificate.load(found.root_der)])
    revocation = CertRevTrustPolicy(RevocationCheckingPolicy.from_legacy("require"))
    spec = PdfSignatureValidationSpec(
        SignatureValidationSpec(
            cert_validation_policy=CertValidationPolicySpec(trust_manager=trust, revinfo_policy=revocation), key_usage_settings=USAGE
        )
    )
    timing = ValidationTimingInfo(validation_time=found.at, best_signature_time=found.at, point_in_time_validation=True)
    reader = PdfFileReader(BytesIO(document))
    for signature in reader.embedded_regular_signatures:
        asyncio.run(ades_lta_validation(signature, spec, timing))


def peer_plain(found: Signed, document: bytes) -> None:
    reader = PdfFileReader(BytesIO(document))
    root = asn1_x509.Certificate.load(found.root_der)
    for signature in reader.embedded_regular_signatures:
        context = ValidationContext(trust_roots=[root], moment=found.at, allow_fetching=False, revocation_mode="soft-fail")
        asyncio.run(async_validate_pdf_signature(signature, context, key_usage_settings=USAGE))


def floor(document: bytes) -> Judge:
    """What no verifier of `document` can do without: each byte range hashed, each signature and time stamp verified."""
    ranges, checks = [], []
    for signature in read_structure(Document.parse(document)).signed:
        start, length, second, tail = signature.byte_range or (0, 0, 0, 0)
        ranges.append((slice(start, start + length), slice(second, second + tail)))
        cms = parse_signed_data(signature.contents)
        checks += [_check(one) for one in (cms, *map(parse_signed_data, cms.unsigned_values(SIGNATURE_TIME_STAMP)))]

    def run(octets: bytes) -> None:
        view = memoryview(octets)
        for before, after in ranges:
            digest = hashlib.sha256(view[before])
            digest.update(view[after])
            digest.digest()
        for check in checks:
            check()

    return run


def _check(cms: ParsedSignedData) -> Callable[[], None]:
    signer = next(c for c in map(x509.load_der_x509_certificate, cms.certificates) if c.serial_number == cms.serial_number)
    key = signer.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or cms.signed_attributes_der is None:
        raise TypeError("a record to be measured is signed with another key than expected")
    return partial(key.verify, cms.signature, cms.signed_attributes_der, ec.ECDSA(cms.digest.hazmat))


def compared(name: str, signatures: int, kind: str) -> list[Row]:
    """One row of the kind lta, plain, floor, cold or reference."""
    found = subjects(signatures)
    documents = found.documents
    ours = Ours(found, Engine.REFERENCE if kind == "reference" else Engine.AUTO)
    if kind == "reference":
        documents = documents[: REFERENCE_DOCUMENTS[signatures]]
    for document in documents:
        ours(document)
    mine = Side(documents, ours, before=ours.forget if kind == "cold" else None)
    if kind == "floor":
        floors = {document: floor(document) for document in documents}
        other = Side(documents, lambda document: floors[document](document))
    else:
        other = Side(found.documents[: PEER_DOCUMENTS[signatures]], partial(peer_plain if kind == "plain" else peer_lta, found))
    took, others = means(mine, other)
    print(f"{'':>4}{name}: engines {dict(ours.engines)}, {len(documents)} documents")
    if kind == "floor":
        return [row(name, took, others, ratio=took / others, most=FLOORS[signatures])]
    return [row(name, took, others, ratio=others / took, least=FASTER[signatures] if kind in ("lta", "plain") else None)]


def linear() -> list[Row]:
    took = {}
    for size in SIZES:
        found = added_signatures(size)
        (took[size],) = means(Side(found.documents, Ours(found, Engine.FAST)), runs=20)
    print(f"{'':>4}verify-linear: " + ", ".join(f"{size}: {milliseconds:.2f} ms" for size, milliseconds in took.items()))
    many, few = (took[32] - took[16]) / 16, (took[8] - took[1]) / 7
    return [row("verify-linear", many, few, ratio=many / few, most=STEEPER, unit="ms/signature")]


@dataclass
class Side:
    """Documents and what judges them; `before` runs before each and is not counted."""

    documents: Sequence[bytes]
    judge: Judge
    before: Callable[[], None] | None = None
    best: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Each document once more."""
        took = []
        for document in self.documents:
            if self.before is not None:
                self.before()
            started = time.process_time()
            self.judge(document)
            took.append(time.process_time() - started)
        self.best = list(map(min, self.best, took)) if self.best else took

    @property
    def mean(self) -> float:
        """Milliseconds for one document."""
        return sum(self.best) / len(self.best) * 1000


def means(*sides: Side, runs: int = RUNS) -> list[float]:
    """Milliseconds of processor time for one document of each side: the mean of each document's best. The sides take turns, so that what
    else the machine does meets them alike."""
    logging.disable(logging.WARNING)
    spare_garbage_collection()
    for _ in range(runs):
        for side in sides:
            side.run()
    logging.disable(logging.NOTSET)
    return [side.mean for side in sides]


def row(
    name: str, ours: float, peer: float, *, ratio: float, least: float | None = None, most: float | None = None, unit: str = "ms"
) -> Row:
    """`least` or `most` is the target for `ratio`."""
    target = least if least is not None else most
    holds = None if target is None else ratio >= target if least is not None else ratio <= target
    return {
        "name": name,
        "ours": round(ours, 3),
        "peer": round(peer, 3),
        "ratio": round(ratio, 2),
        "unit": unit,
        "target": target,
        "holds": holds,
    }


def _benches() -> dict[str, Callable[[], list[Row]]]:
    found: dict[str, Callable[[], list[Row]]] = {}
    for signatures in (1, 15):
        for kind in ("lta", "plain", "floor", "cold", "reference"):
            name = f"verify-lta-{signatures}" + ("" if kind == "lta" else f"-{kind}")
            found[name] = partial(compared, name, signatures, kind)
    return {**found, "verify-linear": linear}


BENCHES: dict[str, Callable[[], list[Row]]] = _benches()
