"""Proofs of existence: document time stamps from the outside in, then the time stamps of one signature (EN 319 102-1 clause 5.6).

The outermost document time stamp is judged at the moment of judging. One that passes proves that everything it covers existed by its
time; so the next one in is judged as of that time, and so on inward. One that does not pass proves nothing; the walk goes on without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from pki.paths.chain import TrustAnchor
from pki.paths.validation_cache import ValidationCache
from pki.remote.lack import Lack
from pki.revocation.judgement import Evidence
from pki.structures.cms import SIGNATURE_TIME_STAMP, ParsedSignedData
from signing.coverage.digests import SignedDigests
from signing.coverage.structure import SignatureField
from signing.failure import CheckFailedError
from signing.pdf.document import Document
from signing.trust.evidence import embedded_evidence
from signing.trust.ground import Ground, Horizon
from signing.trust.stamp import StampFinding, check_stamp
from signing.verdict import SubIndication

MAX_SIGNATURE_STAMPS = 8  # on one signature; bounds work on hostile input


@dataclass(frozen=True)
class DocumentStamp:
    """A document time stamp and what came of it."""

    field: SignatureField
    finding: StampFinding


@dataclass(frozen=True)
class DocumentProofs:
    """All document time stamps, innermost first, and the ground that they leave to judge signatures on."""

    stamps: tuple[DocumentStamp, ...]
    ground: Ground
    digests: SignedDigests

    def covering(self, revision: int) -> tuple[DocumentStamp, ...]:
        """Those that cover `revision`, innermost first."""
        return tuple(stamp for stamp in self.stamps if stamp.field.revision > revision)

    def horizon(self, revision: int) -> Horizon:
        """By when what stands in `revision` is proven to have existed."""
        times = [stamp.finding.time for stamp in self.covering(revision) if stamp.finding.passed and stamp.finding.time]
        return Horizon(min(times), True) if times else Horizon(self.ground.at, False)


def document_proofs(
    document: Document,
    fields: Sequence[SignatureField],
    *,
    anchors: tuple[TrustAnchor, ...],
    at: datetime,
    supplied: Evidence,
    cache: ValidationCache,
    lenient: bool,
    lacks: list[Lack] | None = None,
) -> DocumentProofs:
    """Judges the document time stamps among `fields`, which are in order of signing. `lenient` is for the outermost alone.

    `lacks` collects what is found missing, here and by whoever judges on what comes out.
    """
    newest = len(document.revisions) - 1
    embedded = embedded_evidence(document, newest)
    ground = Ground.on(embedded, supplied, anchors=anchors, at=at, cache=cache, lacks=lacks)
    digests = SignedDigests(document.data, fields)
    found: list[DocumentStamp] = []
    horizon = Horizon(at, False)
    for place, field in enumerate(reversed([field for field in fields if field.is_timestamp])):
        finding = _document_stamp(digests, field, horizon, ground, lenient=lenient and place == 0)
        found.append(DocumentStamp(field, finding))
        if finding.passed and finding.time is not None:
            horizon = Horizon(min(finding.time, horizon.moment), True)
            covered = embedded if field.revision == newest else embedded_evidence(document, field.revision)
            ground = ground.with_archive(covered, horizon.moment)
    return DocumentProofs(tuple(reversed(found)), ground, digests)


def _document_stamp(digests: SignedDigests, field: SignatureField, horizon: Horizon, ground: Ground, *, lenient: bool) -> StampFinding:
    if field.findings:
        first = field.findings[0]
        failure = CheckFailedError(SubIndication.FORMAT_FAILURE, first.code, first.text)
        return StampFinding(None, None, failure, extra=field.findings[1:])
    return check_stamp(field.contents, stamped=partial(digests.of, field), horizon=horizon, ground=ground, lenient=lenient)


def signature_stamps(cms: ParsedSignedData, horizon: Horizon, ground: Ground) -> tuple[StampFinding, ...]:
    """The time stamps over one signature's value, in the order in which they stand in its unsigned attributes."""
    tokens = cms.unsigned_values(SIGNATURE_TIME_STAMP)
    if len(tokens) > MAX_SIGNATURE_STAMPS:
        text = f"{len(tokens)} time stamps on one signature, more than the {MAX_SIGNATURE_STAMPS} that are read"
        return (StampFinding(None, None, CheckFailedError(SubIndication.FORMAT_FAILURE, "TOO_MANY_TIMESTAMPS", text)),)
    return tuple(check_stamp(token, stamped=lambda digest: digest.of(cms.signature), horizon=horizon, ground=ground) for token in tokens)
