"""What was made elsewhere enters the books of a house: certificates, and lists of roots whose keys are not here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from cryptography import x509

from config.errors import SettingsError
from config.house_file import read_plan, write_whole
from config.imported import list_path
from config.settings import Settings
from db.certificates import Certificates
from db.engine import Database, open_database
from db.publication import Publications
from db.schema import require_current
from pki.authority.establish import holder_of
from pki.authority.offline import ImportedCrlError, check_imported_crl
from pki.ceremony.hold import CeremonyError
from pki.ceremony.plan import CROSS, ROOT
from pki.issuing.generations import series_of
from pki.ports import CertificateEntry, CertificateState, Clock, KeyStore
from pki.status.publication import CrlState, PublishedCrl
from pki.structures.relations import spki_der


@dataclass(frozen=True)
class HouseBooks:
    """The books of a house, as certificates from elsewhere enter them."""

    database: Database
    keys: KeyStore
    clock: Clock

    def current(self, name: str) -> bytes | None:
        entries = [
            each for each in Certificates(self.database).of_holder(holder_of(name)) if each.profile != CROSS and each.certificate_der
        ]
        return entries[-1].certificate_der if entries else None

    def take(self, title: str, der: bytes, *, issuer: str) -> bool:
        """Enters a certificate that was issued elsewhere; False where it stands."""
        certificate, store = x509.load_der_x509_certificate(der), Certificates(self.database)
        serial, now = certificate.serial_number, self.clock()
        found = store.get(issuer, serial)
        if found is None:
            subject = title.partition("-by-")[0]
            store.take_in(
                CertificateEntry(
                    issuer=issuer,
                    serial=serial,
                    profile=CROSS if "-by-" in title else series_of(title),
                    holder=holder_of(subject),
                    state=CertificateState.ISSUED,
                    tbs_sha256=hashlib.sha256(certificate.tbs_certificate_bytes).digest(),
                    public_key_sha256=hashlib.sha256(spki_der(certificate)).digest(),
                    not_before=certificate.not_valid_before_utc.astimezone(UTC),
                    not_after=certificate.not_valid_after_utc.astimezone(UTC),
                    recorded_at=now,
                    certificate_der=der,
                    issued_at=now,
                )
            )
            return True
        if found.certificate_der != der:
            raise CeremonyError(f"certificate {title}: another certificate of this issuer and serial number stands in the books")
        return False

    def publish(self, name: str, der: bytes) -> None:
        _publish(self.database, name, der)


def _publish(database: Database, name: str, der: bytes) -> None:
    crl, store = x509.load_der_x509_crl(der), Publications(database)
    number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    until = crl.next_update_utc or crl.last_update_utc
    store.save(PublishedCrl(CrlState(name, 0, number, crl.last_update_utc, until, store.log_size()), der))


def keep_newest(path: Path, name: str, der: bytes, root_der: bytes) -> None:
    """Repeating an installation does not bring an older list back."""
    if path.exists():
        try:
            check_imported_crl(der, root_der, issuer=name, after=path.read_bytes())
        except ImportedCrlError:
            return
    write_whole(path, der)


def take_list(settings: Settings, name: str, der: bytes, *, clock: Clock) -> x509.CertificateRevocationList:
    """Takes a newer list of an offline root in; no key is needed.

    Raises :class:`pki.authority.offline.ImportedCrlError` or SettingsError.
    """
    path = list_path(settings, name)
    read_plan(settings.house_file)
    if not path.exists():
        raise SettingsError(f"{settings.home}: {name} is not an authority whose key is elsewhere; lists of its own are made here")
    database = open_database(settings.database_url)
    try:
        require_current(database)
        entries = [entry for entry in Certificates(database).of_holder(holder_of(name)) if entry.profile == ROOT]
        crl = check_imported_crl(der, entries[-1].certificate_der or b"", issuer=name, after=path.read_bytes(), at=clock())
        write_whole(path, der)
        _publish(database, name, der)
    finally:
        database.close()
    return crl
