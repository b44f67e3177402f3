"""Signing with keys held elsewhere: prepare here, sign there, complete here. No key of the house signs anything that comes this way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from api.access import Caller
from api.errors import Problem
from api.outside_signer import OutsideSigner, OutsideSigners
from api.upload_signing import Incoming, UploadSigner
from config.house import House
from config.pages import verify_page
from config.trust import external_trust
from db.prepared import Waiting
from records.accept import accept_signature
from records.export import step_label
from records.lifecycle import record_signature
from records.look import school_look
from records.person import Role
from records.state import Actor
from signing.applying.archive import archive
from signing.applying.container import token_bound
from signing.applying.form import signature_fields
from signing.applying.sign import SignatureRequest
from signing.applying.steps import check_step
from signing.applying.two_step import KeyElsewhere, UnfitCertificateError, complete_signature, prepare_signature, split_chain
from signing.errors import WorkflowError
from signing.pdf.document import Document
from signing.trust.store import read_certificates
from signing.verifying.manifest import find_manifest
from signing.workflow import Step

LIFETIME = timedelta(minutes=10)  # to find the token and type its PIN
MAX_FIELD_NAME = 100  # characters
MAX_REASON = 200
_NO_SIGNATURE_YET = "0" * 64
_NO_RECORD: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Order:
    """What a caller asks to prepare: a `step` where the document is a record, a `field` where it is not."""

    certificates_pem: bytes
    step: str | None = None
    field: str | None = None
    holder: str | None = None
    reason: str | None = None


class ElsewhereSigner:
    """Raises the errors of `signing`, `records`, `pki` and `db`, or :class:`api.errors.Problem`."""

    def __init__(self, house: House, uploads: UploadSigner) -> None:
        self._house = house
        self._uploads = uploads
        self._signers = OutsideSigners(house, external_trust(house))

    def prepare(self, caller: Caller, pdf: bytes, order: Order) -> Waiting:
        """Everything that signing checks is checked now: the document, the step, the certificate and who its holder is."""
        signer = self._signers.signer(*split_chain(read_certificates(order.certificates_pem, source="certificate")))
        if find_manifest(Document.parse(pdf), 0) is None:
            request, purpose = self._of_any_document(pdf, signer, order), _NO_RECORD
        else:
            request, purpose = self._of_record(caller, pdf, signer, order)
        prepared = prepare_signature(pdf, request, token_size=token_bound(self._house.tsa))
        noted = {**purpose, "original": len(pdf)}
        return self._house.stores.prepared.put(prepared, api_key_id=caller.key.id, purpose=noted, at=self._house.clock(), lifetime=LIFETIME)

    def complete(self, caller: Caller, prepared_id: str, signature: bytes, certificates_pem: bytes | None) -> bytes:
        """The signed document, time-stamped, kept in the books where they have the record. Certificate and record are judged again."""
        store, clock = self._house.stores.prepared, self._house.clock
        waiting = store.get(prepared_id, api_key_id=caller.key.id, at=clock())
        prepared = waiting.signature
        if certificates_pem and read_certificates(certificates_pem, source="certificate")[0] != prepared.certificate_der:
            raise UnfitCertificateError("the certificate is not the one that the signature was prepared with")
        signer = self._signers.signer(prepared.certificate_der, prepared.chain)
        original = prepared.file[: waiting.purpose["original"]]
        incoming = self._uploads.incoming(caller, original) if "step" in waiting.purpose else None
        signed = complete_signature(prepared, signature, time_stamper=self._house.tsa)
        if signer.ours and (incoming is None or _step(incoming, waiting.purpose["step"]).seal):
            signed = archive(signed, time_stamper=self._house.tsa, validation=self._house.evidence)
        store.use(waiting, at=clock())
        if incoming is not None and incoming.state is not None:
            self._keep(caller, incoming, waiting.purpose, signed)
        return signed

    def _of_record(self, caller: Caller, pdf: bytes, signer: OutsideSigner, order: Order) -> tuple[SignatureRequest, Mapping[str, Any]]:
        if not order.step:
            raise _invalid("the document is a record: name the workflow's step that is signed")
        incoming = self._uploads.incoming(caller, pdf)
        step = check_step(incoming.document, incoming.manifest, order.step)
        by = self._signers.actor(caller, signer, step, order.holder)
        if incoming.state is not None:
            record_signature(incoming.state, step.id, by=by, at=self._house.clock(), document_sha256=_NO_SIGNATURE_YET)
        if step.seal:
            self._uploads.require_good(incoming)
        request = self._request(signer, order, field=step.field, role=step_label(step), certifies=step.certifies)
        return request, {"record": incoming.manifest.record_id, "step": step.id, "by": by.id, "role": by.role.value}

    def _of_any_document(self, pdf: bytes, signer: OutsideSigner, order: Order) -> SignatureRequest:
        if not order.field or len(order.field) > MAX_FIELD_NAME or not order.field.isprintable() or "." in order.field:
            raise _invalid(f"the document is no record: name the signature field, up to {MAX_FIELD_NAME} characters without a dot")
        fields = list(signature_fields(Document.parse(pdf)))
        if any(each.signed for each in fields) and not any(each.name == order.field for each in fields):
            raise WorkflowError(f"the document is signed already and has no field {order.field!r}; a new one would be a change")
        return self._request(signer, order, field=order.field, role="", create=True)

    def _request(
        self, signer: OutsideSigner, order: Order, *, field: str, role: str, create: bool = False, certifies: bool = False
    ) -> SignatureRequest:
        if order.reason and (len(order.reason) > MAX_REASON or not order.reason.isprintable()):
            raise _invalid(f"the reason has {len(order.reason)} characters, expected up to {MAX_REASON} that can be printed")
        page = verify_page(self._house.settings, self._house.plan)
        return SignatureRequest(
            field=field,
            certificate_der=signer.certificate_der,
            chain=signer.chain,
            key=KeyElsewhere(signer.certificate_der),
            claimed_time=self._house.clock(),
            reason=order.reason,
            appearance=school_look(signer.subject.name, role=role, organization=signer.subject.organization or "", verify_url=page),
            create=create,
            certifies=certifies,
        )

    def _keep(self, caller: Caller, incoming: Incoming, purpose: Mapping[str, Any], signed: bytes) -> None:
        assert incoming.state is not None  # noqa: S101 (the one caller has looked)
        by = Actor(purpose["by"], Role(purpose["role"]), caller.school.identifier)
        at = self._house.clock()
        accept_signature(self._house.stores.records, incoming.state, step=purpose["step"], by=by, at=at, before=incoming.pdf, signed=signed)


def _step(incoming: Incoming, step_id: str) -> Step:
    return next(step for step in incoming.manifest.workflow.steps if step.id == step_id)


def _invalid(detail: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail)
