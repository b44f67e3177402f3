"""Validation data in the document (ETSI EN 319 142-1 clause 5.4): what B-LT adds, so that a verifier needs no network.

Certificates, CRLs and OCSP responses stand in the DSS dictionary, each once, as they came. There is no VRI dictionary: it repeats the
same references by signature and no verifier needs it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pki.errors import PkiError
from pki.structures.cms import SIGNATURE_TIME_STAMP, ParsedSignedData, parse_signed_data
from signing.applying.form import SignatureField, signature_fields
from signing.applying.writer import Update
from signing.errors import PdfError, SigningError
from signing.pdf.document import Document
from signing.pdf.objects import Name, PdfObject, PdfString, Ref, Stream
from signing.ports import ValidationDataSource

MAX_EVIDENCE = 2_000  # streams in a DSS; bounds work
_ESIC: dict[str, PdfObject] = {"ESIC": {"BaseVersion": Name("1.7"), "ExtensionLevel": 1}}


class EvidenceError(SigningError):
    """A signature in the document cannot be read, so that what it needs for long-term validation is not known."""


@dataclass(frozen=True)
class ValidationData:
    """DER certificates, CRLs and whole OCSPResponse structures, each once."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()

    @classmethod
    def gather(cls, source: ValidationDataSource, certificates: Iterable[bytes]) -> ValidationData:
        """What `source` says about `certificates` now. Gather after the last signature time stamp: domain.md, "Several signers"."""
        return cls(*source.gather(tuple(dict.fromkeys(certificates))))


@dataclass
class GatheredOnce:
    """A :class:`ValidationDataSource` that asks `source` once for each set of certificates: a batch whose signers are the same asks once.

    Make one after the last signature time stamp of the batch, and drop it when the batch is done: what it remembers grows stale.
    """

    source: ValidationDataSource
    _known: dict[frozenset[bytes], tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]] = field(default_factory=dict, repr=False)

    def gather(self, certificates: tuple[bytes, ...]) -> tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]:
        key = frozenset(certificates)
        if key not in self._known:
            self._known[key] = self.source.gather(certificates)
        return self._known[key]


def add_validation_data(document: bytes, validation: ValidationData) -> bytes:
    """`document` with one more revision whose DSS holds `validation` beside what it held before (B-LT). Raises :class:`PdfError`."""
    update = Update(Document.parse(document))
    put_validation_data(update, validation)
    return bytes(update.close().data)


def put_validation_data(update: Update, validation: ValidationData) -> None:
    """Extends the DSS in `update`: what is there already is kept and not repeated."""
    root_ref = update.document.trailer.get("Root")
    root = update.get(root_ref)
    if not isinstance(root_ref, Ref) or not isinstance(root, dict):
        raise PdfError("the trailer's /Root is not a reference to a catalog")
    dss_ref = root.get("DSS")
    found = update.get(dss_ref)
    dss: dict[str, PdfObject] = dict(found) if isinstance(found, dict) else {"Type": Name("DSS")}
    for key, items in (("Certs", validation.certificates), ("CRLs", validation.crls), ("OCSPs", validation.ocsps)):
        if items:
            dss[key] = _extended(update, dss.get(key), items)
    if isinstance(dss_ref, Ref):
        update.put(dss_ref, dss)
        return
    changed: dict[str, PdfObject] = {**root, "DSS": update.add(dss)}
    if update.document.data.startswith(b"%PDF-1.") and "Extensions" not in root:
        changed["Extensions"] = _ESIC  # EN 319 142-1 clause 5.1: DSS and time stamps are an extension of PDF 1.7; part of PDF 2.0
    update.put(root_ref, changed)


def _extended(update: Update, existing: PdfObject, items: Iterable[bytes]) -> list[PdfObject]:
    listed = update.get(existing)
    refs: list[PdfObject] = list(listed) if isinstance(listed, list) else []
    if len(refs) > MAX_EVIDENCE:
        raise PdfError(f"the DSS holds {len(refs)} items under one key, expected at most {MAX_EVIDENCE}")
    known = {update.document.stream_data(value) for ref in refs if isinstance(value := update.get(ref), Stream)}
    for item in items:
        if item not in known:
            known.add(item)
            refs.append(update.add(Stream({}, item)))
    return refs


def certificates_of(document: Document, fields: Iterable[SignatureField] | None = None) -> tuple[bytes, ...]:
    """Every certificate that the document's signatures and time stamps (or those in `fields`) carry, DER, each once.

    Theirs is the revocation data that B-LT needs.

    Raises :class:`EvidenceError` where a signature cannot be read.
    """
    found: dict[bytes, None] = {}
    for field_ in signature_fields(document) if fields is None else fields:
        value = document.get(field_.value.get("V"))
        if not isinstance(value, dict):
            continue
        cms = _parsed(contents(document, value), field_.name)
        found.update(dict.fromkeys(cms.certificates))
        for token in cms.unsigned_values(SIGNATURE_TIME_STAMP):
            found.update(dict.fromkeys(_parsed(token, field_.name).certificates))
    return tuple(found)


def contents(document: Document, signature: dict[str, PdfObject]) -> bytes:
    """The container in /Contents without the zeros that fill its room; b"" where there is none."""
    value = document.get(signature.get("Contents"))
    return der_prefix(value) if isinstance(value, PdfString) else b""


def der_prefix(octets: bytes) -> bytes:
    """The one DER element that `octets` begins with, cut by its own length; b"" where the length is no definite one or too long."""
    if len(octets) < 2:
        return b""
    size, header = octets[1], 2
    if size & 0x80:
        count = size & 0x7F
        size, header = int.from_bytes(octets[2 : 2 + count], "big"), 2 + count
        if not 1 <= count <= 4:
            return b""
    return bytes(octets[: header + size]) if header + size <= len(octets) else b""


def _parsed(container_der: bytes, name: str) -> ParsedSignedData:
    try:
        return parse_signed_data(container_der)
    except PkiError as exc:
        raise EvidenceError(f"signature field {name[:80]!r}: {exc}") from exc
