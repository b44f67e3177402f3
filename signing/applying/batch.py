"""Many documents in one run: a class signed by its teacher, a school's records sealed. An error stops only its own document.

    for result in sign_batch(items, signer=teacher, time_stamper=tsa, clock=utc_now):
        print(result.id, result.error or "signed")

Safe to repeat: a document that already carries this signer's signature for the step comes back as it is, marked `repeated`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from cryptography.hazmat.primitives.serialization import Encoding

from pki.errors import PkiError
from pki.ports import Clock, TimeStamper
from pki.structures.algorithms import SigningKey
from signing.applying.appearance import Appearance, AppearanceRenderer
from signing.applying.archive import FIELD_PREFIX, archive
from signing.applying.authorisation import Authorisation, check
from signing.applying.dss import GatheredOnce
from signing.applying.form import signature_fields
from signing.applying.recheck import recheck
from signing.applying.sign import SignatureRequest, sign
from signing.applying.steps import check_step, step_fields
from signing.errors import SigningError, WorkflowError
from signing.pdf.document import Document
from signing.ports import ValidationDataSource
from signing.workflow import Manifest

SEALED_TOGETHER = 200  # documents held in memory between sealing and archiving


@dataclass(frozen=True)
class BatchSigner:
    """Whose key signs, and how it looks. `chain` is the issuers below the root, nearest first."""

    certificate_der: bytes
    chain: tuple[bytes, ...]
    key: SigningKey
    appearance: Appearance | None = None
    reason: str | None = None
    location: str | None = None


@dataclass(frozen=True)
class BatchItem:
    """One document: `id` is the caller's, `manifest` is what its `record.json` says, `step` is the one to sign."""

    id: str
    document: bytes
    manifest: Manifest
    step: str


@dataclass(frozen=True)
class BatchResult:
    """`document` is the signed file, or None where `error` says why there is none."""

    item: BatchItem
    document: bytes | None
    error: SigningError | PkiError | None = None
    repeated: bool = False

    @property
    def id(self) -> str:
        return self.item.id


def sign_batch(
    items: Iterable[BatchItem],
    *,
    signer: BatchSigner,
    time_stamper: TimeStamper,
    clock: Clock,
    authorisation: Authorisation | None = None,
    renderer: AppearanceRenderer | None = None,
) -> Iterator[BatchResult]:
    """Signs one document after the other, as they are asked for; results come in the order of `items`.

    With an `authorisation` each document must be one that it names, unchanged since; marking it as used is the caller's, in the
    transaction that stores the result. A person's key wants one; a seal under an API key needs none.
    """
    renderer = renderer or AppearanceRenderer()
    for item in items:
        try:
            yield _sign_one(item, signer, time_stamper, clock, authorisation, renderer)
        except (SigningError, PkiError) as exc:
            yield BatchResult(item, None, exc)


def seal_batch(
    items: Iterable[BatchItem],
    *,
    signer: BatchSigner,
    time_stamper: TimeStamper,
    validation: ValidationDataSource,
    clock: Clock,
    renderer: AppearanceRenderer | None = None,
) -> Iterator[BatchResult]:
    """Seals documents and brings them to B-LTA. Revocation data is gathered once for each set of signers, after the last seal of
    :data:`SEALED_TOGETHER` documents was time-stamped, so that every thisUpdate is no earlier than any time stamp (`domain.md`)."""
    results = sign_batch(items, signer=signer, time_stamper=time_stamper, clock=clock, renderer=renderer)
    while sealed := list(islice(results, SEALED_TOGETHER)):
        gathered = GatheredOnce(validation)
        for result in sealed:
            yield _archive_one(result, time_stamper, gathered)


def _sign_one(
    item: BatchItem,
    signer: BatchSigner,
    time_stamper: TimeStamper,
    clock: Clock,
    authorisation: Authorisation | None,
    renderer: AppearanceRenderer,
) -> BatchResult:
    now = clock()
    parsed = Document.parse(item.document)
    if _carries(parsed, item, signer):
        return BatchResult(item, item.document, repeated=True)
    step = check_step(parsed, item.manifest, item.step)
    if authorisation is not None:
        named = authorisation.find(item.manifest.record_id, item.manifest.version, item.step)
        authorisation.use(named, at=now)
        check(item.document, named)
    request = SignatureRequest(
        field=step.field,
        certificate_der=signer.certificate_der,
        chain=signer.chain,
        key=signer.key,
        claimed_time=now,
        reason=signer.reason,
        location=signer.location,
        appearance=signer.appearance,
        certifies=step.certifies,
    )
    return BatchResult(item, sign(item.document, request, time_stamper=time_stamper, renderer=renderer))


def _carries(document: Document, item: BatchItem, signer: BatchSigner) -> bool:
    """Whether the step is signed by this signer. Raises :class:`WorkflowError` where it is by someone else."""
    for step, field in zip(item.manifest.workflow.steps, step_fields(document, item.manifest), strict=True):
        if step.id == item.step and field.signed:
            _, certificate = recheck(document, field)
            if certificate.public_bytes(Encoding.DER) != signer.certificate_der:
                raise WorkflowError(f"step {step.id} is signed already, with certificate {certificate.serial_number:x}")
            return True
    return False


def _archive_one(result: BatchResult, time_stamper: TimeStamper, validation: ValidationDataSource) -> BatchResult:
    if result.document is None:
        return result
    try:
        parsed = Document.parse(result.document)
        if any(field.signed and field.name.startswith(FIELD_PREFIX) for field in signature_fields(parsed)):
            return result  # a repeated run: archived already
        archived = archive(result.document, time_stamper=time_stamper, validation=validation)
        return BatchResult(result.item, archived)
    except (SigningError, PkiError) as exc:
        return BatchResult(result.item, None, exc)
