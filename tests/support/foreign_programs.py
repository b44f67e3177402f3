"""PDFs signed by programs that are not ours: pyHanko, poppler's pdfsig, and the Rust libraries of PyPI.

All of them look at the machine's clock, so their certificates are of today: a root that the verifier trusts, a CA, an RSA signer and a TSA.
"""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from signing.trust.store import NamedAnchor, Supplied, TrustStore
from tests.support.chain_cases import TIME_STAMPING, Node, crl, root

PASSWORD = "foreign"
NICKNAME = "signer"
_YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Office:
    """Whoever signs with other programs, and what a verifier needs to judge it."""

    root: Node
    ca: Node
    signer: Node
    tsa: Node
    made: datetime

    @property
    def trust(self) -> TrustStore:
        return TrustStore((NamedAnchor(self.root.der, "office.pem"),))

    @property
    def crls(self) -> tuple[bytes, bytes]:
        """In the order of `root`, `ca`: nobody was revoked, today and for a week."""
        return tuple(crl(node, this_update=self.made) for node in (self.root, self.ca))  # type: ignore[return-value]  # two of them

    @property
    def supplied(self) -> Supplied:
        """What a user would give with --evidence; not every program puts the CA's certificate into the file."""
        return Supplied(certificates=(self.ca.der,), crls=self.crls)

    @property
    def key_der(self) -> bytes:
        plain = serialization.NoEncryption()
        return bytes(self.signer.key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, plain))

    @property
    def pkcs12(self) -> bytes:
        # 3DES is what every one of the programs reads; pyunderskrift reads no AES
        build = serialization.PrivateFormat.PKCS12.encryption_builder().key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        sealed = build.hmac_hash(hashes.SHA1()).kdf_rounds(2048).build(PASSWORD.encode())
        above = [self.ca.certificate, self.root.certificate]
        return pkcs12.serialize_key_and_certificates(NICKNAME.encode(), self.signer.key, self.signer.certificate, above, sealed)


@cache
def office() -> Office:
    now = datetime.now(UTC).replace(microsecond=0)
    span = {"start": now - _YEAR, "end": now + _YEAR}
    top = root("Office Root", **span)
    ca = top.ca("Office CA", **span)
    signer = ca.issue(
        "Office Signer", subject_key=rsa.generate_private_key(65537, 2048), usage=("digital_signature", "content_commitment"), **span
    )
    tsa = ca.issue(
        "Office TSA",
        subject_key=rsa.generate_private_key(65537, 2048),
        usage=("digital_signature",),
        extended=(TIME_STAMPING,),
        extended_critical=True,
        **span,
    )
    return Office(top, ca, signer, tsa, now - timedelta(hours=1))


# --- pyHanko


def by_pyhanko(document: bytes, folder: Path, *, lta: bool = False) -> bytes:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import PdfSignatureMetadata, fields, signers, timestamps
    from pyhanko_certvalidator import ValidationContext
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    who = office()
    certificates = SimpleCertificateStore.from_certs([asn1_x509.Certificate.load(node.der) for node in (who.ca, who.root)])

    def pair(node: Node) -> tuple[asn1_x509.Certificate, keys.PrivateKeyInfo]:
        plain = node.key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return asn1_x509.Certificate.load(node.der), keys.PrivateKeyInfo.load(plain)

    context = ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(who.root.der)], crls=list(who.crls), other_certs=list(certificates), allow_fetching=False
    )
    metadata = PdfSignatureMetadata(
        field_name="Signature-1",
        subfilter=fields.SigSeedSubFilter.PADES,
        embed_validation_info=lta,
        use_pades_lta=lta,
        validation_context=context if lta else None,
    )
    signed = signers.sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(document)),
        metadata,
        signers.SimpleSigner(*pair(who.signer), certificates),
        timestamper=timestamps.DummyTimeStamper(*pair(who.tsa), certificates) if lta else None,
    )
    return bytes(signed.getvalue())


def by_pyhanko_lta(document: bytes, folder: Path) -> bytes:
    return by_pyhanko(document, folder, lta=True)


# --- poppler


def by_pdfsig(document: bytes, folder: Path) -> bytes:
    """`pdfsig -add-signature` with the signer's key in an NSS database."""
    who, store = office(), folder / "nss"
    store.mkdir(exist_ok=True)
    (folder / "signer.p12").write_bytes(who.pkcs12)
    (folder / "root.der").write_bytes(who.root.der)
    (folder / "in.pdf").write_bytes(document)
    database = f"sql:{store}"
    _run("certutil", "-N", "-d", database, "--empty-password")
    _run("pk12util", "-i", folder / "signer.p12", "-d", database, "-W", PASSWORD, "-K", "")
    _run("certutil", "-A", "-d", database, "-n", "root", "-t", "CT,CT,CT", "-i", folder / "root.der")
    _run("pdfsig", "-nssdir", database, "-add-signature", "-nick", NICKNAME, folder / "in.pdf", folder / "out.pdf")
    return (folder / "out.pdf").read_bytes()


def _run(*command: object) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"


# --- Rust


def by_pyunderskrift(document: bytes, folder: Path) -> bytes:
    import pyunderskrift

    signer = pyunderskrift.SoftwareSigner.from_pkcs12_data(office().pkcs12, PASSWORD)
    return bytes(pyunderskrift.PdfSigner(pyunderskrift.SigningOptions()).sign(document, signer))


def by_pdfsigner(document: bytes, folder: Path) -> bytes:
    import pdfsigner

    source, target, store = folder / "in.pdf", folder / "out.pdf", folder / "signer.p12"
    source.write_bytes(document)
    store.write_bytes(office().pkcs12)
    pdfsigner.sign_pdf(source, target, store, PASSWORD)
    return target.read_bytes()


def by_rustpdf(document: bytes, folder: Path) -> bytes:
    import rustpdf

    return bytes(rustpdf.sign(document, office().key_der, office().signer.der, name="Office Signer"))


def by_rustpdf_pades(document: bytes, folder: Path) -> bytes:
    import rustpdf

    return bytes(rustpdf.sign(document, office().key_der, office().signer.der, name="Office Signer", pades=True))


PROGRAMS: dict[str, Callable[[bytes, Path], bytes]] = {
    "pyhanko-b": by_pyhanko,
    "pyhanko-lta": by_pyhanko_lta,
    "pdfsig": by_pdfsig,
    "pyunderskrift": by_pyunderskrift,
    "pdfsigner": by_pdfsigner,
    "rustpdf": by_rustpdf,
    "rustpdf-pades": by_rustpdf_pades,
}
