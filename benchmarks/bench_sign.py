"""Signing beside pyHanko's default signer: the same record, certificate, key and field, in the same run.

`sign-b` and `sign-lta` are one visible signature, for ours with its check of the document before signing (attack class 15), which pyHanko
does not make. Revocation data is the same and at hand for both. pyHanko's in-process time stamper knows RSA only: `sign-lta` is ours with a
P-256 time-stamping key, as the house has it, `sign-lta-rsa` with pyHanko's RSA key. Figures are minima, runs of the two being interleaved.
"""

from __future__ import annotations

import asyncio
import io
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from asn1crypto import crl as asn1_crl
from asn1crypto import keys as asn1_keys
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers, timestamps
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from pki.identity.subject import Subject, legal_person
from pki.keys.softkey import SoftwareKey
from pki.status.timestamp import TimeStampAuthority
from records.export import export_record
from signing.applying.appearance import AppearanceRenderer
from signing.applying.archive import archive
from signing.applying.batch import BatchItem, BatchSigner, seal_batch, sign_batch
from signing.applying.sign import sign
from signing.inspection.reading import forget
from tests.support.record_cases import make_record
from tests.support.signing_cases import MANIFEST, WORKFLOW, SigningHouse, make_signing_house
from tests.support.subject_cases import SUBJECTS, make_subject_house

OUR_RUNS = 40
DOCUMENTS = OUR_RUNS + 1  # each is signed once in a race: inspection remembers what it has read
PEER_RUNS = 10
CLASS = 45
FIFTEEN_RUNS = 12
FLAT_WITHIN = 2.0
VERIFY_URL = "https://school.example/verify"

Row = dict[str, Any]


@dataclass(frozen=True)
class Fixed:
    """Revocation data that is at hand."""

    data: tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]

    def gather(self, certificates: tuple[bytes, ...]) -> tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]:  # noqa: ARG002
        return self.data


@dataclass(frozen=True)
class Ground:
    """What both sides sign with."""

    house: SigningHouse
    records: tuple[bytes, ...]
    rsa_tsa: TimeStampAuthority
    rsa_key: SoftwareKey
    evidence: Fixed


def ground() -> Ground:
    house = make_signing_house(datetime.now(UTC))
    key = SoftwareKey(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    subject: Subject = legal_person(country="VN", name="Time stamping (RSA)", identifier="NTRVN-0100000001")
    issued = house.authority.certify("tsa", subject, key)
    tsa = TimeStampAuthority(
        certificate_der=issued.certificate_der,
        chain=house.chain,
        key=key,
        policy_oid="1.3.6.1.4.1.32473.1.2.1",
        clock=house.authority.clock,
    )
    wanted = (house.teacher.certificate_der, house.authority.issuing_der, house.authority.tsa_der, issued.certificate_der)
    records = tuple(export_record(make_record(f"HB-{number:04}"), WORKFLOW, verify_url=VERIFY_URL) for number in range(DOCUMENTS))
    return Ground(house, records, tsa, key, Fixed(house.evidence.gather(wanted)))


def bench_sign_b() -> list[Row]:
    at = ground()
    renderer = AppearanceRenderer()
    request = at.house.request("homeroom")
    ours, peer = _race(at, lambda record: sign(record, request, time_stamper=None, renderer=renderer), _pyhanko(at, lta=False))
    return [_row("sign-b", ours, peer, target=8)]


def bench_sign_lta() -> list[Row]:
    at = ground()
    renderer = AppearanceRenderer()
    request = at.house.request("homeroom")

    def sealed(tsa: TimeStampAuthority, record: bytes) -> bytes:
        return archive(sign(record, request, time_stamper=tsa, renderer=renderer), time_stamper=tsa, validation=at.evidence)

    peer_signs = _pyhanko(at, lta=True)
    ours, peer = _race(at, partial(sealed, at.house.tsa), peer_signs)
    ours_rsa, peer_again = _race(at, partial(sealed, at.rsa_tsa), peer_signs)
    return [_row("sign-lta", ours, peer, target=12), _row("sign-lta-rsa", ours_rsa, peer_again, target=12)]


def bench_sign_class() -> list[Row]:
    """A class signed by its teacher, from cold: 45 different records to B-T, appearances and a fresh renderer included.

    `seal-class-45` is the same records, signed by the principal too, sealed by the school and brought to B-LTA.
    """
    house = make_signing_house()
    run = partial(_class_run, house)
    records = [export_record(make_record(f"HB-2026-9A-{number:02}"), WORKFLOW, verify_url=VERIFY_URL) for number in range(CLASS)]
    signed, by_teacher = run("homeroom", records)
    approved, _ = run("principal", signed)
    _, by_seal = run("seal", approved)
    return [_row("sign-class-45", by_teacher, None, target=1_000), _row("seal-class-45", by_seal, None, target=1_500)]


def _class_run(house: SigningHouse, step: str, documents: list[bytes]) -> tuple[list[bytes], float]:
    """The documents with the step signed, and the best of three runs in milliseconds."""
    request = house.request(step)
    signer = BatchSigner(request.certificate_der, request.chain, request.key, request.appearance)
    items = [BatchItem(str(number), document, MANIFEST, step) for number, document in enumerate(documents)]
    clock = house.authority.clock
    best = float("inf")
    for _ in range(3):
        forget()
        start = time.perf_counter()
        if step == "seal":
            results = list(seal_batch(items, signer=signer, time_stamper=house.tsa, validation=house.evidence, clock=clock))
        else:
            results = list(sign_batch(items, signer=signer, time_stamper=house.tsa, clock=clock))
        best = min(best, time.perf_counter() - start)
    if any(result.document is None for result in results):
        raise RuntimeError(f"a benchmark's document was not signed: {results[0].error}")
    return [result.document or b"" for result in results], best * 1000


def bench_sign_fifteen() -> list[Row]:
    """The fifteenth approval on a record beside the first, each time-stamped, each document new: `ratio` is slowest to fastest of the
    fifteen. The certification before them is left out: it is the one that reads the record for the first
    time. Processor time, since the figures of one row are compared with each other."""
    house = make_subject_house(minutes=False)
    approvals = len(SUBJECTS.steps) - 1
    best = [float("inf")] * approvals
    for number in range(FIFTEEN_RUNS):
        record = export_record(make_record(f"HB-2026-9A-{number:02}"), SUBJECTS, verify_url=VERIFY_URL)
        document = house.sign(record, SUBJECTS.steps[0])
        for place, step in enumerate(SUBJECTS.steps[1:]):
            request = house.request(step)
            start = time.process_time()
            document = sign(document, request, time_stamper=house.house.tsa, renderer=house.renderer)
            best[place] = min(best[place], (time.process_time() - start) * 1000)
    row = _row("sign-15-flat", best[-1], best[0])
    ratio = round(max(best) / min(best), 2)
    return [{**row, "ratio": ratio, "target": FLAT_WITHIN, "holds": ratio <= FLAT_WITHIN}]


BENCHES: dict[str, Callable[[], list[Row]]] = {
    "sign-b": bench_sign_b,
    "sign-lta": bench_sign_lta,
    "sign-class-45": bench_sign_class,  # and seal-class-45
    "sign-15-flat": bench_sign_fifteen,
}


def _pyhanko(at: Ground, *, lta: bool) -> Callable[[bytes], bytes]:
    """pyHanko's `sign_pdf` with its defaults, but for what PAdES and the level ask for."""
    logging.getLogger("pyhanko").setLevel(logging.ERROR)  # it warns that it will not fetch, on each run
    store = SimpleCertificateStore()
    store.register(asn1_x509.Certificate.load(at.house.authority.issuing_der))
    signer = signers.SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(at.house.teacher.certificate_der),
        signing_key=_asn1_key(at.house.teacher.key),
        cert_registry=store,
    )
    stamper = timestamps.DummyTimeStamper(
        tsa_cert=asn1_x509.Certificate.load(at.rsa_tsa.certificates[0]), tsa_key=_asn1_key(at.rsa_key), certs_to_embed=store
    )
    metadata: dict[str, Any] = {"field_name": "Signature-Homeroom", "subfilter": fields.SigSeedSubFilter.PADES}

    def run(record: bytes) -> bytes:
        extra: dict[str, Any] = {}
        if lta:
            extra = {"embed_validation_info": True, "use_pades_lta": True, "validation_context": _context(at)}
        writer = IncrementalPdfFileWriter(io.BytesIO(record))
        meta = signers.PdfSignatureMetadata(**metadata, **extra)
        signing = signers.async_sign_pdf(writer, meta, signer=signer, timestamper=stamper if lta else None)
        out: io.BytesIO = asyncio.run(signing)
        return out.getvalue()

    return run


def _context(at: Ground) -> ValidationContext:
    certificates, crls, ocsps = at.evidence.data
    return ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(at.house.authority.root_der)],
        other_certs=[asn1_x509.Certificate.load(der) for der in certificates],
        crls=[asn1_crl.CertificateList.load(der) for der in crls],
        ocsps=[asn1_ocsp.OCSPResponse.load(der) for der in ocsps],
        allow_fetching=False,
    )


def _asn1_key(key: SoftwareKey) -> asn1_keys.PrivateKeyInfo:
    return asn1_keys.PrivateKeyInfo.load(key.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def _race(at: Ground, ours: Callable[[bytes], bytes], peer: Callable[[bytes], bytes]) -> tuple[float, float]:
    """The best times of both in milliseconds, their runs interleaved, over the same documents."""
    forget()  # what our inspection remembers of documents that it has read
    ours(at.records[-1]), peer(at.records[-1])  # warm
    best_ours = best_peer = float("inf")
    for turn in range(PEER_RUNS):
        mine = at.records[turn * OUR_RUNS // PEER_RUNS : (turn + 1) * OUR_RUNS // PEER_RUNS]
        for record in mine:
            best_ours = min(best_ours, _timed(ours, record))
        best_peer = min(best_peer, _timed(peer, mine[0]))
    return best_ours, best_peer


def _timed(run: Callable[[bytes], bytes], record: bytes) -> float:
    start = time.perf_counter()
    run(record)
    return (time.perf_counter() - start) * 1000


def _row(name: str, ours: float, peer: float | None, *, target: float | None = None) -> Row:
    """`ratio` says how many times as fast ours is; `target` is the least ratio or, without a peer, the most milliseconds."""
    ratio = round(peer / ours, 1) if peer is not None else None
    holds = None if target is None else ours <= target if ratio is None else ratio >= target
    return {
        "name": name,
        "ours": round(ours, 3),
        "peer": round(peer, 3) if peer is not None else None,
        "ratio": ratio,
        "unit": "ms",
        "target": target,
        "holds": holds,
    }
