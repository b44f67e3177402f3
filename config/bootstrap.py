"""The one place that wires: settings in, a house out.

house = create_house(settings, plan, clock=utc_now, passphrase=passphrase)     # `eduseal init`, once
house = open_house(settings, clock=utc_now, passphrase=passphrase)             # every other time
book = open_record_book(home, None)                                            # a verifier: read-only, no passphrase
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs.loader import load, names
from config.errors import HouseExistsError, NoHouseError, SettingsError
from config.house import House, Services, Stores
from config.house_file import HousePlan, read_plan, write_plan, write_whole
from config.policy import load_policy
from config.settings import Settings
from db.api_keys import ApiKeys
from db.certificates import Certificates
from db.content import ContentFolder
from db.documents import Documents
from db.engine import Database, open_database, sqlite_url
from db.holder_keys import HolderKeys
from db.log import Log
from db.records import Records
from db.roster import Roster
from db.schema import require_current, upgrade
from pki import establish
from pki.crl import CrlSigner
from pki.establish import EstablishedAuthority
from pki.evidence import InProcessValidationData
from pki.issue import Authority
from pki.kdf import KeyDerivation
from pki.keystore import FileKeyStore
from pki.lint import SAMPLE_RATE
from pki.ocsp import OcspResponder
from pki.ports import Clock, KeyStore
from pki.profile import CertificateProfile, profiles_from
from pki.renew import renew
from pki.timestamp import TimeStampAuthority
from pki.urls import AuthorityUrls
from records.export import Exporter
from records.holder import Holders
from records.roster_service import RosterService
from records.service import RecordService
from signing.ports import RecordBook

POLICY = "record"


def utc_now() -> datetime:
    """The wall clock: the only one outside tests."""
    return datetime.now(UTC)


def create_house(settings: Settings, plan: HousePlan, *, clock: Clock, passphrase: str, lint_rate: float = SAMPLE_RATE) -> House:
    """Makes key store, database, keys and certificates in `settings.home`, and `ca/root.pem` and `ca/issuing.pem` last of all.

    After a crash it goes on where it stopped. Raises :class:`config.errors.HouseExistsError` where a finished authority stands, and the
    errors of `pki` and `db`.
    """
    urls = AuthorityUrls(plan.base_url)
    if settings.root_pem.exists():
        raise HouseExistsError(f"{settings.home} holds an authority already (ca/root.pem); nothing was changed")
    if settings.house_file.exists() and read_plan(settings.house_file) != plan:
        raise SettingsError(f"{settings.house_file} stands from an earlier, unfinished run with other values; repeat those or remove it")
    _make_folders(settings)
    keys = FileKeyStore.open_or_create(settings.keys, passphrase=passphrase)
    write_plan(settings.house_file, plan)
    database = open_database(settings.database_url)
    with _closing_on_error(database):
        upgrade(database)
        profiles = shipped_profiles()
        authority = establish.establish(
            keys,
            Certificates(database),
            profiles,
            clock=clock,
            urls=urls,
            organization=plan.organization,
            crl_shards=plan.crl_shards,
            lint_rate=lint_rate,
        )
        write_whole(settings.issuing_pem, _pem(authority.issuing_der))
        write_whole(settings.root_pem, _pem(authority.root_der))
        return wire(settings, plan, clock=clock, keys=keys, database=database, authority=authority, profiles=profiles)


def open_house(settings: Settings, *, clock: Clock, passphrase: str, lint_rate: float = SAMPLE_RATE) -> House:
    """Opens what `create_house` made, renewing services' certificates that run out soon.

    Raises :class:`config.errors.NoHouseError`, :class:`pki.errors.WrongSecretError`, :class:`db.errors.SchemaError` and the like.
    """
    plan = read_plan(settings.house_file)
    if not settings.root_pem.exists():
        raise NoHouseError(f"{settings.home}: setting up was interrupted; run `eduseal init --home {settings.home}` again")
    keys = FileKeyStore.open_existing(settings.keys, passphrase=passphrase)
    database = open_database(settings.database_url)
    with _closing_on_error(database):
        require_current(database)
        profiles = shipped_profiles()
        authority = establish.load(
            keys,
            Certificates(database),
            profiles,
            clock=clock,
            urls=AuthorityUrls(plan.base_url),
            crl_shards=plan.crl_shards,
            lint_rate=lint_rate,
        )
        authority = renew(authority)
        return wire(settings, plan, clock=clock, keys=keys, database=database, authority=authority, profiles=profiles)


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
    stores = _stores(settings, database)
    books = stores.certificates
    issuing = authority.issuing
    responder = OcspResponder(
        issuers={issuing.name: issuing.certificate_der},
        certificate_der=authority.ocsp.certificate_der,
        key=authority.ocsp.key,
        store=books,
        clock=clock,
    )
    tsa = TimeStampAuthority(
        certificate_der=authority.tsa.certificate_der,
        chain=(issuing.certificate_der,),
        key=authority.tsa.key,
        policy_oid=profiles[authority.tsa.label].policies[0],
        clock=clock,
    )
    crl_signers = tuple(_crl_signer(each, books, clock, plan.base_url) for each in (authority.root, issuing))
    return House(
        settings=settings,
        plan=plan,
        clock=clock,
        keys=keys,
        profiles=profiles,
        authority=authority,
        responder=responder,
        tsa=tsa,
        crl_signers=crl_signers,
        evidence=InProcessValidationData(responders=(responder,), crl_signers=crl_signers, clock=clock),
        policy=load_policy(POLICY),
        stores=stores,
        services=_services(settings, plan, stores, keys, clock),
    )


def open_stores(settings: Settings) -> Stores:
    """The books alone, for what needs no key and so no passphrase. Close `database` when done."""
    read_plan(settings.house_file)
    database = open_database(settings.database_url)
    with _closing_on_error(database):
        require_current(database)
        return _stores(settings, database)


def upgrade_house(settings: Settings) -> None:
    """Brings the database of an existing house to this program's schema; nothing is lost, and nothing happens where it is there already."""
    read_plan(settings.house_file)
    database = open_database(settings.database_url)
    try:
        upgrade(database)
    finally:
        database.close()


def open_record_book(home: Path | None, database_url: str | None) -> RecordBook:
    """The school's books for a verifier, read-only; raises :class:`db.errors.DatabaseError` and SchemaError.

    `database_url` wins; without one `home` must be named.
    """
    if database_url is None and home is None:
        raise SettingsError("neither a home nor a database was named")
    database = open_database(database_url or sqlite_url((home or Path()) / "eduseal.sqlite"), read_only=True)
    with _closing_on_error(database):
        require_current(database)
        return Records(database, ContentFolder((home or Path()) / "documents"))


def shipped_profiles() -> dict[str, CertificateProfile]:
    """The certificate profiles of `certs/profiles`, by name."""
    return profiles_from(load("profiles", name) for name in names("profiles"))


def _stores(settings: Settings, database: Database) -> Stores:
    content = ContentFolder(settings.documents)
    return Stores(
        database=database,
        certificates=Certificates(database),
        holder_keys=HolderKeys(database),
        roster=Roster(database),
        records=Records(database, content),
        documents=Documents(database, content),
        api_keys=ApiKeys(database),
        log=Log(database),
    )


def _services(settings: Settings, plan: HousePlan, stores: Stores, keys: KeyStore, clock: Clock) -> Services:
    pages = (settings.public_url or plan.base_url).rstrip("/")
    exporter = Exporter(verify_url=f"{pages}/verify")
    return Services(
        roster=RosterService(stores.roster, keys, clock),
        records=RecordService(records=stores.records, documents=stores.documents, exporter=exporter, clock=clock),
        holders=Holders(stores.holder_keys, keys, KeyDerivation()),
    )


def _crl_signer(authority: Authority, store: Certificates, clock: Clock, base_url: str) -> CrlSigner:
    return CrlSigner(
        issuer=authority.name,
        issuer_certificate_der=authority.certificate_der,
        key=authority.key,
        store=store,
        clock=clock,
        shards=authority.crl_shards,
        base_url=base_url,
    )


def _make_folders(settings: Settings) -> None:
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.documents.mkdir(mode=0o700, exist_ok=True)
    except OSError as exc:
        raise SettingsError(f"{settings.home} cannot be made: {exc.strerror or type(exc).__name__}") from exc


def _pem(certificate_der: bytes) -> bytes:
    return x509.load_der_x509_certificate(certificate_der).public_bytes(Encoding.PEM)


@contextlib.contextmanager
def _closing_on_error(database: Database) -> Iterator[None]:
    try:
        yield
    except BaseException:
        database.close()
        raise
