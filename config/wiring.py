"""How the parts of a house go together. Callers come through :mod:`config.bootstrap`, which opens what is wired here."""

from __future__ import annotations

from certs.loader import load, names
from config.clock import clock_policy, stamping_clock
from config.house import House, Services, Stores
from config.house_file import HousePlan
from config.log import log_sealer
from config.policy import load_policy
from config.registration import registration_policy
from config.settings import Settings
from config.trust import outside_authorities
from db.api_keys import ApiKeys
from db.archive_holds import ArchiveHolds
from db.authorisations import Authorisations
from db.certificates import Certificates
from db.content import ContentFolder
from db.documents import Documents
from db.engine import Database
from db.holder_keys import HolderKeys
from db.leases import Leases
from db.log import Log
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
from db.statuses import Statuses
from pki.authority.establish import OCSP, AnyAuthority, EarlierIssuer, EstablishedAuthority
from pki.authority.offline import ImportedCrls, OfflineAuthority
from pki.authority.rotation import Post, Rotation
from pki.issuing.generations import SharedNameBooks
from pki.issuing.issue import Authority
from pki.issuing.profile import CertificateProfile, profiles_from
from pki.keys.kdf import KeyDerivation
from pki.ports import Clock, CrlSource, KeyStore, RevocationBooks
from pki.status.crl import CrlSigner
from pki.status.evidence import InProcessValidationData
from pki.status.ocsp import OcspResponder
from pki.status.ocsp_group import OcspResponders
from pki.status.publication import Publisher
from pki.status.timestamp import TimeStampAuthority
from records.export import Exporter
from records.holder import Holders
from records.officers import Officers
from records.outside import OutsideRegister
from records.pin_gate import PinGate
from records.registration import Registration
from records.renewals import Renewals
from records.roster_service import RosterService
from records.service import RecordService

POLICY = "record"


def shipped_profiles() -> dict[str, CertificateProfile]:
    """The certificate profiles of `certs/profiles`, by name."""
    return profiles_from(load("profiles", name) for name in names("profiles"))


def wire(
    settings: Settings,
    plan: HousePlan,
    *,
    clock: Clock,
    keys: KeyStore,
    database: Database,
    authority: EstablishedAuthority,
    profiles: dict[str, CertificateProfile],
) -> House:
    """A house of parts that stand already."""
    stores = stores_of(settings, database)
    books = stores.certificates
    issuing = authority.issuing
    services = (EarlierIssuer(issuing, authority.ocsp), *authority.earlier_issuers)
    responders = tuple(_responder(each, Statuses(database), clock) for each in services)
    timing = clock_policy()
    tsa = TimeStampAuthority(
        certificate_der=authority.tsa.certificate_der,
        chain=authority.chain_of(authority.tsa.certificate_der),
        key=authority.tsa.key,
        policy_oid=profiles[authority.tsa.label].policies[0],
        clock=stamping_clock(clock, timing, settings.clock_check),
        accuracy=timing.accuracy,
    )
    roots = [root.name for root in authority.roots]
    crl_signers = tuple(
        _crl_source(each, SharedNameBooks(books, roots) if each.name in roots else books, clock, plan.base_url)
        for each in (*authority.roots, *authority.issuers)
    )
    evidence = InProcessValidationData(responders=responders, crl_signers=crl_signers, clock=clock)
    publisher = Publisher(
        sources=crl_signers,
        store=stores.publications,
        turns=Leases(database, clock=clock),
        clock=clock,
        together=[roots],
    )
    renewals = Renewals(archive=stores.archive, documents=stores.documents, time_stamper=tsa, validation=evidence, clock=clock)
    return House(
        settings=settings,
        plan=plan,
        clock=clock,
        keys=keys,
        profiles=profiles,
        authority=authority,
        responder=responders[0] if len(responders) == 1 else OcspResponders(responders),
        tsa=tsa,
        crl_signers=crl_signers,
        publisher=publisher,
        reconciliation=Reconciliation(database, clock=clock),
        rotation=_rotation(authority, responders, tsa, books, keys, database, clock),
        evidence=evidence,
        policy=load_policy(POLICY),
        stores=stores,
        services=_services(settings, plan, stores, keys, clock, renewals),
        sealer=log_sealer(settings, plan, keys=keys, database=database),
    )


def stores_of(settings: Settings, database: Database) -> Stores:
    content = ContentFolder(settings.documents)
    return Stores(
        database=database,
        certificates=Certificates(database),
        holder_keys=HolderKeys(database),
        roster=Roster(database),
        records=Records(database, content),
        documents=Documents(database, content),
        archive=ArchiveHolds(database, content),
        authorisations=Authorisations(database),
        pin_attempts=PinAttempts(database),
        prepared=PreparedSignatures(database),
        api_keys=ApiKeys(database),
        log=Log(database),
        log_tree=LogTree(database),
        publications=Publications(database),
        officers=OfficerBooks(database),
        requests=Requests(database),
        outside=OutsideCertificates(database),
    )


def _services(settings: Settings, plan: HousePlan, stores: Stores, keys: KeyStore, clock: Clock, renewals: Renewals) -> Services:
    pages = (settings.public_url or plan.base_url).rstrip("/")
    exporter, kdf = Exporter(verify_url=f"{pages}/verify"), KeyDerivation()
    officers = Officers(stores.officers, keys, kdf, clock)
    registration = Registration(stores.requests, officers, registration_policy(), clock)
    return Services(
        roster=RosterService(stores.roster, keys, clock),
        records=RecordService(
            records=stores.records,
            documents=stores.documents,
            authorisations=stores.authorisations,
            exporter=exporter,
            clock=clock,
        ),
        holders=Holders(stores.holder_keys, keys, kdf, PinGate(stores.pin_attempts, clock), stores.certificates, clock),
        renewals=renewals,
        registration=registration,
        outside=OutsideRegister(stores.outside, registration, outside_authorities(settings), clock),
    )


def _responder(service: EarlierIssuer, statuses: Statuses, clock: Clock) -> OcspResponder:
    issuing = service.authority
    return OcspResponder(
        issuers={issuing.name: issuing.certificate_der},
        certificate_der=service.ocsp.certificate_der,
        key=service.ocsp.key,
        store=statuses,
        clock=clock,
    )


def _rotation(
    authority: EstablishedAuthority,
    responders: tuple[OcspResponder, ...],
    tsa: TimeStampAuthority,
    books: Certificates,
    keys: KeyStore,
    database: Database,
    clock: Clock,
) -> Rotation:
    """`responders` in the order of the issuing authorities, newest first."""
    posts = [_answering(*each) for each in zip(authority.issuers, responders, strict=True)]
    stamping = Post(
        authority.tsa.label,
        authority.issuing,
        current=lambda: (tsa.certificates[0], tsa.key),
        adopt=lambda der, key: tsa.adopt(der, key, chain=authority.chain_of(der)),
    )
    return Rotation([*posts, stamping], store=books, keys=keys, turns=Leases(database, clock=clock), clock=clock)


def _answering(issuing: Authority, responder: OcspResponder) -> Post:
    return Post(OCSP, issuing, current=lambda: (responder.certificate_der, responder.key), adopt=responder.adopt)


def _crl_source(authority: AnyAuthority, store: RevocationBooks, clock: Clock, base_url: str) -> CrlSource:
    if isinstance(authority, OfflineAuthority):
        return ImportedCrls(authority)
    return CrlSigner(
        issuer=authority.name,
        issuer_certificate_der=authority.certificate_der,
        key=authority.key,
        store=store,
        clock=clock,
        shards=authority.crl_shards,
        base_url=base_url,
    )
