"""A small authority in process for tests of status services: root, issuing CA, TSA, OCSP responder, one teacher.

Keys are real, the clock stands still, the books are a dict.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from cryptography.x509.oid import NameOID

from pki.crl import CrlSigner, distribution_point, shard_of
from pki.ocsp import OcspResponder
from pki.ports import CertificateEntry, CertificateState
from pki.softkey import SoftwareKey
from pki.timestamp import TimeStampAuthority

NOW = datetime(2026, 3, 1, 8, 30, 15, 250_000, tzinfo=UTC)
BASE_URL = "http://pki.example"
POLICY = "1.3.6.1.4.1.32473.1.2.1"
SHARDS = 4
KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass
class Books:
    """A CertificateStore in memory."""

    entries: dict[tuple[str, int], CertificateEntry] = field(default_factory=dict)
    numbers: dict[tuple[str, int], int] = field(default_factory=dict)

    def record(self, entry: CertificateEntry) -> None:
        self.entries[(entry.issuer, entry.serial)] = entry

    def mark_issued(self, issuer: str, serial: int, *, certificate_der: bytes, at: datetime) -> None:
        entry = self.entries[(issuer, serial)]
        self.record(replace(entry, state=CertificateState.ISSUED, certificate_der=certificate_der, issued_at=at))

    def mark_revoked(self, issuer: str, serial: int, *, reason: str, at: datetime) -> None:
        entry = self.entries[(issuer, serial)]
        self.record(replace(entry, state=CertificateState.REVOKED, revoked_at=at, revocation_reason=reason))

    def get(self, issuer: str, serial: int) -> CertificateEntry | None:
        return self.entries.get((issuer, serial))

    def of_holder(self, holder: str) -> tuple[CertificateEntry, ...]:
        return tuple(entry for entry in self.entries.values() if entry.holder == holder)

    def revoked(self, issuer: str, *, shard: int, shards: int) -> list[CertificateEntry]:
        return [
            entry
            for (name, serial), entry in self.entries.items()
            if name == issuer and entry.state is CertificateState.REVOKED and shard_of(serial, shards) == shard
        ]

    def next_crl_number(self, issuer: str, *, shard: int) -> int:
        self.numbers[(issuer, shard)] = self.numbers.get((issuer, shard), 0) + 1
        return self.numbers[(issuer, shard)]


@dataclass(frozen=True)
class Party:
    certificate: x509.Certificate
    key: SoftwareKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def serial(self) -> int:
        return self.certificate.serial_number


@dataclass
class House:
    """What the tests of status services work with. `now` may be moved."""

    folder: Path
    books: Books
    root: Party
    issuing: Party
    tsa_party: Party
    ocsp_party: Party
    teacher: Party
    now: datetime = NOW

    def clock(self) -> datetime:
        return self.now

    def tsa(self, **changes: object) -> TimeStampAuthority:
        given: dict[str, object] = {
            "certificate_der": self.tsa_party.der,
            "chain": (self.issuing.der,),
            "key": self.tsa_party.key,
            "policy_oid": POLICY,
            "clock": self.clock,
        }
        return TimeStampAuthority(**{**given, **changes})  # type: ignore[arg-type]  # a test changes any of them

    def responder(self, **changes: object) -> OcspResponder:
        given: dict[str, object] = {
            "issuers": {"issuing": self.issuing.der},
            "certificate_der": self.ocsp_party.der,
            "key": self.ocsp_party.key,
            "store": self.books,
            "clock": self.clock,
        }
        return OcspResponder(**{**given, **changes})  # type: ignore[arg-type]  # a test changes any of them

    def crl_signer(self, issuer: str = "root", shards: int = 1) -> CrlSigner:
        party = {"root": self.root, "issuing": self.issuing}[issuer]
        return CrlSigner(
            issuer=issuer,
            issuer_certificate_der=party.der,
            key=party.key,
            store=self.books,
            clock=self.clock,
            shards=shards,
            base_url=BASE_URL,
        )

    def issue(self, name: str, *extensions: tuple[x509.ExtensionType, bool], issuer: str = "issuing", state: str = "issued") -> Party:
        parent = {"root": self.root, "issuing": self.issuing}[issuer]
        party = make_certificate(name, parent, issuer, *extensions)
        enter(self.books, issuer, party, state)
        return party

    def pem(self, *parties: Party) -> str:
        """Path of a PEM file with these certificates."""
        path = self.folder / ("-".join(str(party.serial)[:8] for party in parties) + ".pem")
        path.write_bytes(b"".join(party.certificate.public_bytes(Encoding.PEM) for party in parties))
        return str(path)

    def file(self, name: str, content: bytes) -> str:
        (self.folder / name).write_bytes(content)
        return str(self.folder / name)

    def openssl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["openssl", *arguments], capture_output=True, text=True, cwd=self.folder, timeout=30, check=False)

    @property
    def attime(self) -> tuple[str, str]:
        return ("-attime", str(int(self.now.timestamp())))


def make_certificate(name: str, parent: Party | None, issuer: str, *extensions: tuple[x509.ExtensionType, bool]) -> Party:
    key = SoftwareKey.generate()
    signer = parent or Party(certificate=None, key=key)  # type: ignore[arg-type]  # a root signs itself
    subject = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"), x509.NameAttribute(NameOID.COMMON_NAME, name)])
    serial = x509.random_serial_number()
    point = x509.UniformResourceIdentifier(distribution_point(BASE_URL, issuer, shard_of(serial, SHARDS if issuer == "issuing" else 1)))
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(parent.certificate.subject if parent else subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(NOW.replace(microsecond=0) - timedelta(days=30))
        .not_valid_after(NOW.replace(microsecond=0) + timedelta(days=365))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), critical=False)
        .add_extension(x509.CRLDistributionPoints([x509.DistributionPoint([point], None, None, None)]), critical=False)
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical=critical)
    return Party(builder.sign(signer.key.private_key, hashes.SHA256()), key)


def enter(books: Books, issuer: str, party: Party, state: str) -> None:
    """Books: recorded, then issued unless `state` is "recorded"."""
    certificate = party.certificate
    books.record(
        CertificateEntry(
            issuer=issuer,
            serial=party.serial,
            profile="test",
            holder="holder",
            state=CertificateState.RECORDED,
            tbs_sha256=bytes(32),
            public_key_sha256=bytes(32),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            recorded_at=NOW,
        )
    )
    if state != "recorded":
        books.mark_issued(issuer, party.serial, certificate_der=party.der, at=NOW)


def key_usage(*names: str) -> tuple[x509.KeyUsage, bool]:
    return x509.KeyUsage(**{name: name in names for name in KEY_USAGES}), True


CA = ((x509.BasicConstraints(ca=True, path_length=None), True), key_usage("key_cert_sign", "crl_sign"))
TSA = ((x509.ExtendedKeyUsage([Eku.TIME_STAMPING]), True), key_usage("digital_signature"))
OCSP = ((x509.ExtendedKeyUsage([Eku.OCSP_SIGNING]), False), (x509.OCSPNoCheck(), False), key_usage("digital_signature"))


def make_house(folder: Path) -> House:
    books = Books()
    root = make_certificate("Test Root", None, "root", *CA)
    parties = {"root": root}

    def issue(name: str, issuer: str, *extensions: tuple[x509.ExtensionType, bool]) -> Party:
        party = make_certificate(name, parties[issuer], issuer, *extensions)
        enter(books, issuer, party, "issued")
        return party

    parties["issuing"] = issue("Test Issuing CA", "root", *CA)
    return House(
        folder=folder,
        books=books,
        root=root,
        issuing=parties["issuing"],
        tsa_party=issue("Test TSA", "issuing", *TSA),
        ocsp_party=issue("Test OCSP", "issuing", *OCSP),
        teacher=issue("Nguyễn Thị Hoa", "issuing", key_usage("content_commitment")),
    )
