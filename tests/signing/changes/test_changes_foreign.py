"""Documents that another program signed: read whole under the `ades` rules, held to the record's rules under the `record` policy."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, fields, signers, timestamps
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signing.changes.analysis import ChangeAnalysis
from signing.coverage.structure import read_structure
from signing.pdf.document import Document
from signing.verdict import Changes
from tests.support.signing_cases import canonical_pdf, foreign_pdf

Pair = tuple[keys.PrivateKeyInfo, asn1_x509.Certificate]


@cache
def credential(name: str, purpose: x509.ObjectIdentifier | None = None) -> Pair:
    """A key and a certificate that it signed itself, as pyHanko takes them."""
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(True, True, False, False, False, True, True, False, False)
    builder = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 5, now - timedelta(1), now + timedelta(9))
        .add_extension(x509.BasicConstraints(True, None), True)
        .add_extension(usage, True)
    )
    if purpose is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), True)
    der = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    plain = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return keys.PrivateKeyInfo.load(plain), asn1_x509.Certificate.load(der)


def stored(certificate: asn1_x509.Certificate) -> SimpleCertificateStore:
    store = SimpleCertificateStore()
    store.register(certificate)
    return store


def sign(data: bytes, name: str, *, certify: bool = False, lta: bool = True, box: tuple[int, int, int, int] | None = None) -> bytes:
    """One more signature by pyHanko, in a field of its own where there is none of that name."""
    key, certificate = credential("signer")
    tsa_key, tsa = credential("tsa", x509.ExtendedKeyUsageOID.TIME_STAMPING)
    context = ValidationContext(trust_roots=[certificate, tsa], allow_fetching=False)
    metadata = PdfSignatureMetadata(
        field_name=name,
        subfilter=fields.SigSeedSubFilter.PADES,
        certify=certify,
        embed_validation_info=lta,
        use_pades_lta=lta,
        validation_context=context if lta else None,
    )
    known = name in {field.name for field in read_structure(Document.parse(data)).unsigned}
    out = signers.sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(data)),
        metadata,
        signers.SimpleSigner(certificate, key, stored(certificate)),
        timestamper=timestamps.DummyTimeStamper(tsa, tsa_key, stored(tsa)),
        new_field_spec=None if known else fields.SigFieldSpec(name, box=box),
    )
    return bytes(out.getvalue())


def kinds(data: bytes, *, strict: bool) -> list[Changes]:
    document = Document.parse(data)
    structure = read_structure(document)
    assert structure.findings == ()
    assert all(signature.findings == () for signature in structure.signed)
    analysis = ChangeAnalysis(document, strict)
    return [analysis.after(signature.revision, mdp=signature.lock).kind for signature in structure.signed]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"object_streams": True},
        {"linearize": True},
        {"form": "direct"},
        {"form": "indirect"},
        {"object_streams": True, "form": "indirect"},
    ],
    ids=str,
)
def test_two_archived_signatures_of_another_program(options: dict[str, object]) -> None:
    data = sign(sign(foreign_pdf(**options), "First", box=(10, 10, 90, 40)), "Second")  # type: ignore[arg-type]
    # signature, time stamp, signature, time stamp; validation data come once more after the last
    assert kinds(data, strict=False) == [Changes.FORM_FILLING, Changes.FORM_FILLING, Changes.LTA, Changes.LTA]
    assert kinds(data, strict=True)[0] is Changes.UNDEFINED  # a field that did not stand before


def test_certified_document_filled_afterwards() -> None:
    data = sign(sign(foreign_pdf(), "First", certify=True, lta=False), "Second", lta=False)
    structure = read_structure(Document.parse(data))
    assert structure.signed[0].lock.certifies
    assert structure.signed[0].lock.permissions == 2
    assert kinds(data, strict=False) == [Changes.FORM_FILLING, Changes.NONE]


def test_record_signed_by_another_program_in_the_fields_that_stood() -> None:
    data = sign(sign(canonical_pdf(), "Signature-Homeroom", lta=False), "Signature-Principal", lta=False)
    assert kinds(data, strict=False) == [Changes.FORM_FILLING, Changes.NONE]
    analysis = ChangeAnalysis(Document.parse(data))
    assert {message.code for message in analysis.update(2).findings} == {"METADATA_CHANGED"}  # it rewrites document information and XMP
