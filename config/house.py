"""The house as its callers see it: every part, wired. Made by :mod:`config.bootstrap` alone."""

from __future__ import annotations

from dataclasses import dataclass

from config.house_file import HousePlan
from config.settings import Settings
from db.api_keys import ApiKeys
from db.archive_holds import ArchiveHolds
from db.authorisations import Authorisations
from db.certificates import Certificates
from db.documents import Documents
from db.engine import Database
from db.holder_keys import HolderKeys
from db.log import Log
from db.log_seal import LogSealer
from db.log_tree import LogTree
from db.officers import Officers as OfficerBooks
from db.outside import OutsideCertificates
from db.pin_attempts import PinAttempts
from db.prepared import PreparedSignatures
from db.publication import Publications
from db.reconciliation import Reconciliation
from db.records import Records
from db.registration import Requests
from db.roster import Roster
from pki.authority.establish import EstablishedAuthority
from pki.authority.rotation import Rotation
from pki.issuing.profile import CertificateProfile
from pki.ports import Clock, CrlSource, KeyStore
from pki.status.evidence import InProcessValidationData
from pki.status.ocsp import OcspResponder
from pki.status.ocsp_group import OcspResponders
from pki.status.publication import Publisher
from pki.status.timestamp import TimeStampAuthority
from records.holder import Holders
from records.outside import OutsideRegister
from records.registration import Registration
from records.renewals import Renewals
from records.roster_service import RosterService
from records.service import RecordService
from signing.policy import VerificationPolicy


@dataclass(frozen=True)
class Stores:
    """What the house remembers."""

    database: Database
    certificates: Certificates
    holder_keys: HolderKeys
    roster: Roster
    records: Records
    documents: Documents
    archive: ArchiveHolds
    authorisations: Authorisations
    pin_attempts: PinAttempts
    prepared: PreparedSignatures
    api_keys: ApiKeys
    log: Log
    log_tree: LogTree
    publications: Publications
    officers: OfficerBooks
    requests: Requests
    outside: OutsideCertificates


@dataclass(frozen=True)
class Services:
    """What the school does: roster, records, and people with their own keys."""

    roster: RosterService
    records: RecordService
    holders: Holders
    renewals: Renewals
    registration: Registration
    outside: OutsideRegister


@dataclass(frozen=True)
class House:
    """The authority with its services and books. Close it when done."""

    settings: Settings
    plan: HousePlan
    clock: Clock
    keys: KeyStore
    profiles: dict[str, CertificateProfile]
    authority: EstablishedAuthority
    responder: OcspResponder | OcspResponders
    tsa: TimeStampAuthority
    crl_signers: tuple[CrlSource, ...]
    publisher: Publisher
    reconciliation: Reconciliation
    rotation: Rotation
    evidence: InProcessValidationData
    policy: VerificationPolicy
    stores: Stores
    services: Services
    sealer: LogSealer

    def close(self) -> None:
        self.stores.database.close()
