"""The test authority as tests of its status services need it: its services built, and `openssl` at hand as an independent client."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pki.issuing.issue import CertificateRequest, record
from pki.keys.softkey import SoftwareKey
from pki.ports import KeyStore
from pki.status.crl import CrlSigner
from pki.status.ocsp import OcspResponder
from pki.status.timestamp import TimeStampAuthority
from tests.support.authority import BASE_URL, MemoryCertificateStore, TestAuthority, make_authority

NOW = datetime(2026, 9, 5, 8, 30, 15, 250_000, tzinfo=UTC)
POLICY = "1.3.6.1.4.1.32473.1.2.1"
SHARDS = 4


@dataclass(frozen=True)
class Party:
    """Whoever has a certificate and its key."""

    der: bytes
    key: SoftwareKey

    @property
    def certificate(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.der)

    @property
    def serial(self) -> int:
        return self.certificate.serial_number


@dataclass(frozen=True)
class House:
    """An established authority with one teacher, and a folder for `openssl`."""

    folder: Path
    authority: TestAuthority
    teacher: Party

    @property
    def books(self) -> MemoryCertificateStore:
        return self.authority.store

    @property
    def root(self) -> Party:
        return Party(self.authority.root_der, self.authority.root_key)

    @property
    def issuing(self) -> Party:
        return Party(self.authority.issuing_der, self.authority.issuing_key)

    @property
    def tsa_party(self) -> Party:
        return Party(self.authority.tsa_der, self.authority.tsa_key)

    @property
    def ocsp_party(self) -> Party:
        return Party(self.authority.ocsp_der, self.authority.ocsp_key)

    def tsa(self, **changes: object) -> TimeStampAuthority:
        given: dict[str, object] = {
            "certificate_der": self.tsa_party.der,
            "chain": (self.issuing.der,),
            "key": self.tsa_party.key,
            "policy_oid": POLICY,
            "clock": self.authority.clock,
        }
        return TimeStampAuthority(**{**given, **changes})  # type: ignore[arg-type]  # a test changes any of them

    def responder(self, **changes: object) -> OcspResponder:
        given: dict[str, object] = {
            "issuers": {"issuing": self.issuing.der},
            "certificate_der": self.ocsp_party.der,
            "key": self.ocsp_party.key,
            "store": self.books,
            "clock": self.authority.clock,
        }
        return OcspResponder(**{**given, **changes})  # type: ignore[arg-type]  # a test changes any of them

    def crl_signer(self, issuer: str = "root", shards: int = 1) -> CrlSigner:
        party = {"root": self.root, "issuing": self.issuing}[issuer]
        return CrlSigner(
            issuer=issuer,
            issuer_certificate_der=party.der,
            key=party.key,
            store=self.books,
            clock=self.authority.clock,
            shards=shards,
            base_url=BASE_URL,
        )

    def recorded_serial(self) -> int:
        """Of a teacher's certificate that is recorded and not issued, as a crash would leave it."""
        subject = self.authority.issue_teacher("Trần Văn Nam").subject
        request = CertificateRequest(profile="teacher", subject=subject, public_key=SoftwareKey.generate().public_key(), holder="teacher/2")
        prepared = self.authority.established.issuing.prepare(request)
        record(self.books, prepared, at=self.authority.clock())
        return prepared.serial

    def revoke(self, party: Party, reason: str) -> None:
        self.authority.established.issuing.revoke(party.serial, reason)

    def pem(self, *parties: Party) -> str:
        """Path of a PEM file with these certificates."""
        name = "-".join(str(party.serial)[:8] for party in parties) + ".pem"
        return self.file(name, b"".join(party.certificate.public_bytes(Encoding.PEM) for party in parties))

    def file(self, name: str, content: bytes) -> str:
        (self.folder / name).write_bytes(content)
        return str(self.folder / name)

    def openssl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["openssl", *arguments], capture_output=True, text=True, cwd=self.folder, timeout=30, check=False)

    @property
    def attime(self) -> tuple[str, str]:
        """The authority's moment, for openssl: its certificates are judged then, not by the wall clock."""
        return ("-attime", str(int(self.authority.clock().timestamp())))


def make_house(folder: Path, keys: KeyStore | None = None) -> House:
    authority = make_authority(NOW, crl_shards=SHARDS, keys=keys)
    teacher = authority.issue_teacher("Nguyễn Thị Hoa")
    return House(folder=folder, authority=authority, teacher=Party(teacher.certificate_der, teacher.key))
