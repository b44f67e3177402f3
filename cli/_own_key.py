"""Signing on the holder's own machine: their key, from a file or a token, and time stamps from wherever they name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from cli._input import read_input
from cli._secret import secret
from cli.main import UsageError
from config.bootstrap import utc_now
from config.policy import load_policy
from config.wiring import POLICY
from pki.keys.key_store_uri import TokenPlace, parse_key_store_uri
from pki.keys.own_key import MAX_KEY_FILE, OwnKey, open_pkcs12, open_token_key
from pki.paths.chain import TrustAnchor
from pki.remote.tsa import RemoteTimeStamper
from records.export import step_label
from records.look import school_look
from signing.applying.container import token_bound
from signing.applying.form import signature_fields
from signing.applying.sign import SignatureRequest
from signing.applying.steps import check_step
from signing.applying.two_step import KeyElsewhere, complete_signature, prepare_signature
from signing.errors import WorkflowError
from signing.pdf.document import Document
from signing.trust.store import read_certificates
from signing.trust.subject import subject_of
from signing.verifying.manifest import find_manifest
from signing.workflow import Step

SCHEME = "pkcs11:"
FIELD = "Signature"


@dataclass(frozen=True)
class OwnKeyOrder:
    """What the command was told. `place`: a PKCS#12 file, or a PKCS#11 URI whose `object` is the key's label."""

    place: str
    secret_file: str | None
    certificate: str | None
    chain: str | None
    step: str | None
    field: str | None
    reason: str | None
    tsa: str | None
    tsa_anchor: str | None


def sign_with_own_key(pdf: bytes, order: OwnKeyOrder) -> bytes:
    """B-B, or B-T with a time-stamp authority. The signature is checked before it goes into the document."""
    step = _step(pdf, order)
    stamper = _time_stamper(order)
    own = _opened(order)
    subject = subject_of(x509.load_der_x509_certificate(own.certificate_der))
    request = SignatureRequest(
        field=step.field if step else order.field or FIELD,
        certificate_der=own.certificate_der,
        chain=own.chain,
        key=KeyElsewhere(own.certificate_der),
        claimed_time=utc_now(),
        reason=order.reason,
        appearance=school_look(subject.name, role=step_label(step) if step else "", organization=subject.organization or ""),
        create=step is None,
        certifies=step.certifies if step else False,
    )
    prepared = prepare_signature(pdf, request, token_size=token_bound(stamper) if stamper else 0)
    return complete_signature(prepared, own.key.sign(prepared.to_be_signed), time_stamper=stamper)


def _step(pdf: bytes, order: OwnKeyOrder) -> Step | None:
    """The step of a record; None for any other document."""
    document = Document.parse(pdf)
    manifest = find_manifest(document, 0)
    if manifest is None:
        if order.step:
            raise UsageError("the document is no record, so it has no steps; name a signature field with --field")
        fields = list(signature_fields(document))
        if any(each.signed for each in fields) and not any(each.name == (order.field or FIELD) for each in fields):
            raise WorkflowError(f"the document is signed already and has no field {order.field or FIELD!r}; a new one would be a change")
        return None
    if load_policy(POLICY).workflow(manifest.workflow.id) != manifest.workflow:
        raise WorkflowError(f"workflow {manifest.workflow.id} in record.json is not one that verifiers of records know")
    if not order.step or order.field:
        names = ", ".join(step.id for step in manifest.workflow.steps)
        raise UsageError(f"the document is a record: name what is signed with --step (one of {names}), not with --field")
    return check_step(document, manifest, order.step)


def _opened(order: OwnKeyOrder) -> OwnKey:
    named = [path for path in (order.certificate, order.chain) if path]
    more = [der for path in named for der in read_certificates(read_input(path, limit=MAX_KEY_FILE), source=path)]
    if not order.place.startswith(SCHEME):
        data = read_input(order.place, limit=MAX_KEY_FILE)
        return open_pkcs12(data, secret(f"Passphrase of {Path(order.place).name}", flag="--secret-file", file=order.secret_file), more=more)
    place = parse_key_store_uri(order.place)
    if not isinstance(place, TokenPlace):
        raise UsageError("--key: expected a PKCS#12 file, or pkcs11:token=NAME?module-path=/MODULE.so")
    label = place.prefix if "object=" in order.place.partition("?")[0] else None
    pin = secret("PIN of the token", flag="--secret-file", file=order.secret_file or (str(place.pin_source) if place.pin_source else None))
    return open_token_key(place, label=label, pin=pin, more=more)


def _time_stamper(order: OwnKeyOrder) -> RemoteTimeStamper | None:
    if order.tsa is None:
        return None
    path = order.tsa_anchor
    anchors = [TrustAnchor(der) for der in read_certificates(read_input(path, limit=MAX_KEY_FILE), source=path)] if path else []
    return RemoteTimeStamper(order.tsa, clock=utc_now, anchors=anchors)
