"""Applying PAdES signatures: B-B without a time stamper, B-T with one (ETSI EN 319 142-1 clause 6).

    request = SignatureRequest(field="Signature-Homeroom", certificate_der=der, chain=(issuing_der,), key=key, claimed_time=now)
    signed = sign(document, request, time_stamper=tsa)

A signature is an incremental update: the document before stays as it was, octet for octet, so earlier signatures stay valid. Where the
field carries a /Lock, the signature carries it too (FieldMDP). :func:`prepare` and :func:`complete` are the two halves for a key elsewhere.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from pki.structures.algorithms import SigningKey
from signing.applying.appearance import Appearance, AppearanceRenderer
from signing.applying.container import Container, container_bound, token_bound
from signing.applying.form import FieldError, SignatureField, add_field, box, fill, find_field, text_string
from signing.applying.gap import Gapped, write_with_gap
from signing.applying.locks import FORM_FILLING, check_permitted
from signing.applying.writer import Update
from signing.errors import PdfError, SigningError
from signing.inspection.inspect import inspect
from signing.pdf.document import Document
from signing.pdf.objects import Name, PdfObject, PdfString, Ref
from signing.ports import TimeStamper


class SignerError(SigningError):
    """Key and certificate do not belong together, or the certificate is not valid at the claimed time."""


@dataclass(frozen=True)
class SignatureRequest:
    """One signature to make. `chain` is the issuers below the root, nearest first; `claimed_time` is aware and becomes /M."""

    field: str
    certificate_der: bytes
    chain: tuple[bytes, ...]
    key: SigningKey
    claimed_time: datetime
    reason: str | None = None
    location: str | None = None
    appearance: Appearance | None = None
    """Drawn where the field has a size; None leaves the field's own appearance, or none."""
    create: bool = False
    """Adds an invisible field on the first page where the document has none of that name."""
    certifies: bool = False
    """The document's first signature, as a certification: afterwards only signature fields that stand are filled (DocMDP, P=2)."""


@dataclass(frozen=True)
class Prepared:
    """A document with a gap for the signature, and what goes to the key (:attr:`Container.to_be_signed`)."""

    gapped: Gapped
    container: Container


def sign(
    document: bytes, request: SignatureRequest, *, time_stamper: TimeStamper | None, renderer: AppearanceRenderer | None = None
) -> bytes:
    """`document` with one more revision that holds the signature.

    Raises :class:`signing.errors.PdfError` (not a PDF that this house reads, encrypted), :class:`RefusedDocumentError` (attack class 15),
    :class:`FieldError`, :class:`signing.applying.locks.LockedError`, :class:`SignerError`. Not checked: whether this signer may fill this
    field now (`signing.applying.steps`), and whether the certificate is revoked.
    """
    token_size = token_bound(time_stamper) if time_stamper else 0
    prepared = prepare(document, request, token_size=token_size, renderer=renderer)
    signature = request.key.sign(prepared.container.to_be_signed)
    token = time_stamper.stamp(hashlib.sha256(signature).digest()) if time_stamper else None
    if token is not None and len(token) > token_size:  # a time stamper with more to say than its certificates told
        prepared = prepare(document, request, token_size=len(token), renderer=renderer)
        signature = request.key.sign(prepared.container.to_be_signed)
        token = time_stamper.stamp(hashlib.sha256(signature).digest()) if time_stamper else None
    return complete(prepared, signature, token)


def prepare(document: bytes, request: SignatureRequest, *, token_size: int, renderer: AppearanceRenderer | None = None) -> Prepared:
    """First half of :func:`sign`: the whole file but for the container, for which room is kept, `token_size` of it for a time stamp."""
    certificate = _checked_certificate(request)
    source = Document.parse(document)
    inspect(source)
    update = Update(source)
    signature = update.reserve()
    field = find_field(source, request.field)
    check_permitted(source, request.field, new_field=field is None, certifies=request.certifies)
    if field is not None:
        fill(update, field, signature, _place_appearance(update, field, request, renderer))
    elif request.create:
        add_field(update, request.field, signature)
    else:
        raise FieldError(f"the document has no signature field {request.field!r}")
    if request.certifies:
        _grant(update, signature)
    entries = _signature_entries(update, field, request)
    room = container_bound(certificate, request.chain, request.certificate_der, token_size)
    gapped = write_with_gap(update, signature, entries, room)
    algorithm = request.key.algorithm
    digest = gapped.digest(algorithm.digest.value)
    return Prepared(gapped, Container(digest, algorithm, request.certificate_der, request.chain))


def complete(prepared: Prepared, signature: bytes, token_der: bytes | None) -> bytes:
    """Second half of :func:`sign`. Raises :class:`ContainerError` where the container is larger than the room kept for it."""
    return prepared.gapped.filled(prepared.container.complete(signature, token_der))


def _checked_certificate(request: SignatureRequest) -> x509.Certificate:
    certificate = x509.load_der_x509_certificate(request.certificate_der)
    if certificate.public_key() != request.key.public_key():
        raise SignerError(f"the key is not that of certificate {certificate.serial_number:x}")
    if request.claimed_time.tzinfo is None:
        raise SignerError("the claimed signing time has no time zone")
    if not certificate.not_valid_before_utc <= request.claimed_time <= certificate.not_valid_after_utc:
        raise SignerError(
            f"certificate {certificate.serial_number:x} is valid from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} to "
            f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC, not at {request.claimed_time:%Y-%m-%d %H:%M %Z}"
        )
    return certificate


def _place_appearance(update: Update, field: SignatureField, request: SignatureRequest, renderer: AppearanceRenderer | None) -> Ref | None:
    width, height = box(update.document, field)
    if request.appearance is None or not width or not height:
        return None
    graft = (renderer or AppearanceRenderer()).render(
        request.appearance, width=width, height=height, time=request.claimed_time, reason=request.reason
    )
    first = update.reserve(graft.size)
    for index, body in enumerate(graft.place(first.number)):
        update.put_encoded(Ref(first.number + index), body)
    return first


def _signature_entries(update: Update, field: SignatureField | None, request: SignatureRequest) -> dict[str, PdfObject]:
    """The signature dictionary but for /Contents and /ByteRange (ISO 32000-2 table 255; EN 319 142-1 clause 6.3)."""
    entries: dict[str, PdfObject] = {
        "Type": Name("Sig"),
        "Filter": Name("Adobe.PPKLite"),
        "SubFilter": Name("ETSI.CAdES.detached"),
        "M": pdf_date(request.claimed_time),
    }
    if request.reason:
        entries["Reason"] = text_string(request.reason)
    if request.location:
        entries["Location"] = text_string(request.location)
    references: list[PdfObject] = [_doc_mdp()] if request.certifies else []
    lock = update.get(field.value.get("Lock")) if field else None
    if isinstance(lock, dict):
        references.append(_field_mdp(update, lock))
    if references:
        entries["Reference"] = references
    return entries


def _grant(update: Update, signature: Ref) -> None:
    """Enters a certification in the catalog (table 263): a reader finds there what the document permits."""
    root_ref = update.document.trailer["Root"]
    root = update.get(root_ref)
    if not isinstance(root_ref, Ref) or not isinstance(root, dict):
        raise PdfError("the trailer's /Root is not a reference to a catalog")
    update.put(root_ref, {**root, "Perms": {"DocMDP": signature}})


def _doc_mdp() -> dict[str, PdfObject]:
    """The signature reference of a certification (tables 256 and 257)."""
    return {
        "Type": Name("SigRef"),
        "TransformMethod": Name("DocMDP"),
        "TransformParams": {"Type": Name("TransformParams"), "V": Name("1.2"), "P": FORM_FILLING},
    }


def _field_mdp(update: Update, lock: dict[str, PdfObject]) -> dict[str, PdfObject]:
    """The signature reference that makes the field's lock binding (tables 236, 256 and 259).

    /P goes with it into the parameters, as Acrobat and pyHanko write it and as ISO 32000-2 table 236 means it.
    """
    copied: dict[str, PdfObject] = {key: update.get(lock[key]) for key in ("Action", "Fields", "P") if key in lock}
    return {
        "Type": Name("SigRef"),
        "TransformMethod": Name("FieldMDP"),
        "Data": update.document.trailer["Root"],
        "TransformParams": {"Type": Name("TransformParams"), "V": Name("1.2"), **copied},
    }


def pdf_date(moment: datetime) -> PdfString:
    """A date string (clause 7.9.4), such as D:20260529083000+07'00'."""
    offset = moment.strftime("%z")
    return PdfString(f"D:{moment:%Y%m%d%H%M%S}{offset[:3]}'{offset[3:5]}'".encode("ascii"))
