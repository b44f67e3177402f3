"""Signing an uploaded record: with the caller's school's own seal, or with a person's key that their PIN opens.

Where the record is in the house's books the books move with it; a record that another system keeps is signed as it came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from cryptography.hazmat.primitives.serialization import Encoding

from api.access import Caller, person_of
from api.checker import Judge
from api.errors import Problem
from api.standing import stands_alone
from config.house import House
from config.signers import seal_signer, signer_of
from pki.keys.pin import Pin
from records.errors import NotEntitledError, NotFoundError
from records.export import step_label
from records.person import Role, Student
from records.ports import SpentItem
from records.service import StepResult
from records.state import Actor, RecordState
from signing.applying.authorisation import AuthorisedItem
from signing.applying.batch import BatchItem, BatchResult, BatchSigner, seal_batch, sign_batch
from signing.applying.recheck import recheck
from signing.applying.steps import check_step, step_fields
from signing.errors import PolicyError, WorkflowError
from signing.pdf.document import Document
from signing.trust.store import Supplied
from signing.verdict import Entitlement
from signing.verifying.manifest import find_manifest
from signing.workflow import Manifest, Step

AUTHORISATION = timedelta(minutes=5)  # one document, signed at once


@dataclass(frozen=True)
class Incoming:
    """An uploaded record of the caller's school. `state` where the books know it, and the upload is what they hold."""

    pdf: bytes
    document: Document
    manifest: Manifest
    state: RecordState | None


class UploadSigner:
    """Signs with keys that the house holds. Raises the errors of `signing`, `records` and `pki`, or :class:`api.errors.Problem`."""

    def __init__(self, house: House, judge: Judge) -> None:
        self._house = house
        self._judge = judge

    def seal(self, caller: Caller, pdf: bytes) -> bytes:
        """The record closed with the school's seal and brought to B-LTA. What does not verify up to here is not sealed."""
        incoming = self.incoming(caller, pdf)
        step = _seal_step(incoming.manifest)
        check_step(incoming.document, incoming.manifest, step.id)
        self.require_good(incoming)
        signer = self._seal_of(caller)
        tsa, evidence, clock = self._house.tsa, self._house.evidence, self._house.clock
        if incoming.state is not None:
            by = Actor(caller.actor_id, Role.SCHOOL_SEAL, caller.school.identifier)
            ids = [incoming.manifest.record_id]
            service = self._house.services.records
            return _kept(service.seal(ids, step=step.id, by=by, signer=signer, time_stamper=tsa, validation=evidence))
        item = BatchItem(incoming.manifest.record_id, pdf, incoming.manifest, step.id)
        return _made(seal_batch([item], signer=signer, time_stamper=tsa, validation=evidence, clock=clock))

    def sign(self, caller: Caller, pdf: bytes, *, holder: str, pin: str, step: str) -> bytes:
        """The record with one more signature, by a person of the caller's school. Their PIN in this request is the authorisation."""
        incoming = self.incoming(caller, pdf)
        who = person_of(self._house, caller, holder)
        role = Role.STUDENT if isinstance(who, Student) else who.role
        wanted = check_step(incoming.document, incoming.manifest, step)
        if wanted.role != role.value:
            raise NotEntitledError(f"{holder} is a {role.value}; step {step} is for a {wanted.role}")
        with self._house.services.holders.opened(holder, Pin(pin)) as (found, key):
            shown = {"name": who.name, "role": step_label(wanted), "organization": caller.school.short_name}
            signer = signer_of(self._house, found.certificate_der, key, **shown)
            by = Actor(holder, role, caller.school.identifier)
            return self._sign_as(by, incoming, step, signer)

    def _sign_as(self, by: Actor, incoming: Incoming, step: str, signer: BatchSigner) -> bytes:
        tsa, manifest = self._house.tsa, incoming.manifest
        if incoming.state is not None:
            service = self._house.services.records
            authorisation = service.authorise([manifest.record_id], step=step, by=by, lifetime=AUTHORISATION)
            return _kept(service.sign(authorisation, by=by, signer=signer, time_stamper=tsa))
        export = hashlib.sha256(incoming.pdf[: incoming.document.revisions[0].end]).digest()
        items = (AuthorisedItem(manifest.record_id, manifest.version, export, step),)
        authorisation = self._house.services.records.authorisations.grant(items, by=by, lifetime=AUTHORISATION)
        item = BatchItem(manifest.record_id, incoming.pdf, manifest, step)
        signed = _made(sign_batch([item], signer=signer, time_stamper=tsa, clock=self._house.clock, authorisation=authorisation))
        # the books do not keep this output: the item is used before it is handed out
        spent = SpentItem(authorisation.id, manifest.record_id, manifest.version, step, self._house.clock())
        self._house.stores.authorisations.spend(spent)
        return signed

    def incoming(self, caller: Caller, pdf: bytes) -> Incoming:
        """A record of the caller's school as it may be signed next; raises where it is none, or stands otherwise in the books."""
        document = Document.parse(pdf)
        manifest = find_manifest(document, 0)
        if manifest is None:
            raise PolicyError("the document holds no record.json; expected a record exported for signing")
        if manifest.school_identifier != caller.school.identifier:
            raise NotEntitledError(f"the record is of school {manifest.school_identifier}; this key acts for {caller.school.identifier}")
        if self._house.policy.workflow(manifest.workflow.id) != manifest.workflow:
            raise WorkflowError(f"workflow {manifest.workflow.id} in record.json is not the one that this service holds")
        return Incoming(pdf, document, manifest, self._known(manifest, pdf))

    def _known(self, manifest: Manifest, pdf: bytes) -> RecordState | None:
        try:
            state = self._house.stores.records.load(manifest.record_id)
        except NotFoundError:
            return None
        if state.working.number != manifest.version or self._house.services.records.document(manifest.record_id) != pdf:
            detail = f"record {manifest.record_id} stands otherwise in the books (version {state.working.number}); fetch it and try again"
            raise Problem(HTTPStatus.CONFLICT, "stale-document", detail)
        return state

    def require_good(self, incoming: Incoming) -> None:
        """Every earlier signature verifies, by whom the workflow names: all that lacks is the seal."""
        fields = [field for field in step_fields(incoming.document, incoming.manifest) if field.signed]
        if not fields:
            return
        signers = [recheck(incoming.document, field)[1].public_bytes(Encoding.DER) for field in fields]
        gathered = self._house.evidence.gather((*signers, *self._house.tsa.certificates))
        row = self._judge("upload.pdf", incoming.pdf, at=self._house.clock(), supplied=Supplied(*gathered))
        if row["entitlement"] != Entitlement.INCOMPLETE or not all(stands_alone(signature) for signature in row["signatures"]):
            found = f"{row['indication']}, entitlement {row['entitlement']}"
            raise WorkflowError(f"the record's signatures do not verify ({found}); it is not sealed. POST /api/v1/verify says why")

    def _seal_of(self, caller: Caller) -> BatchSigner:
        try:
            return seal_signer(self._house, caller.school)
        except NotFoundError:  # its advice is for the department's own command line
            raise NotFoundError(f"school {caller.school.id} has no seal; the department issues it") from None


def _seal_step(manifest: Manifest) -> Step:
    return manifest.workflow.steps[-1]  # Workflow: exactly the last step is the seal


def _kept(results: Iterable[StepResult]) -> bytes:
    (result,) = results
    if result.pdf is None:
        raise result.error or WorkflowError(f"record {result.record_id} was not signed")
    return result.pdf


def _made(results: Iterable[BatchResult]) -> bytes:
    (result,) = results
    if result.document is None:
        raise result.error or WorkflowError(f"record {result.id} was not signed")
    return result.document
