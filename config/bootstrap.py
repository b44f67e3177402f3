"""The one place that wires: settings in, a house out.

house = create_house(settings, plan, clock=utc_now, passphrase=passphrase)     # `eduseal init`, once
house = open_house(settings, clock=utc_now, passphrase=passphrase)             # every other time
book = open_record_book(home, None)                                            # a verifier: read-only, no passphrase
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from config.ceremony_mark import in_ceremony, refuse_unfinished
from config.clock import utc_now as utc_now
from config.errors import HouseExistsError, NoHouseError, SettingsError
from config.house import House, Stores
from config.house_file import HousePlan, read_plan, write_plan, write_whole
from config.imported import imported_lists
from config.key_store import key_store_place
from config.settings import Settings
from config.weak_keys import key_check_of
from config.wiring import shipped_profiles, stores_of, wire
from db.certificates import Certificates
from db.content import ContentFolder
from db.engine import Database, open_database, sqlite_url
from db.outside import OutsideCertificates
from db.records import Records
from db.schema import require_current, upgrade
from pki.authority import establish
from pki.authority.renew import renew
from pki.issuing.lint import SAMPLE_RATE
from pki.issuing.urls import AuthorityUrls
from pki.keys.key_store_uri import key_store_uri
from pki.keys.key_stores import open_key_store
from pki.ports import Clock
from signing.ports import RecordBook
from signing.trust.store import Registered


def create_house(settings: Settings, plan: HousePlan, *, clock: Clock, passphrase: str, lint_rate: float = SAMPLE_RATE) -> House:
    """Makes key store, database, keys and certificates, and in `settings.home` `ca/root.pem` and `ca/issuing.pem` last of all.

    A key store that `settings` name is written down in `house.toml`. After a crash it goes on where it stopped. Raises
    :class:`config.errors.HouseExistsError` where an authority stands, in the home or in the key store, and the errors of `pki` and `db`.
    """
    urls = AuthorityUrls(plan.base_url)
    place = key_store_place(settings, plan)
    plan = replace(plan, key_store=key_store_uri(place) if settings.key_store else plan.key_store)
    if settings.root_pem.exists():
        raise HouseExistsError(f"{settings.home} holds an authority already (ca/root.pem); nothing was changed")
    if in_ceremony(settings):
        raise HouseExistsError(f"{settings.home} belongs to a ceremony (docs/ceremony.md); name another home; nothing was changed")
    begun = settings.house_file.exists()
    if begun and read_plan(settings.house_file) != plan:
        raise SettingsError(f"{settings.house_file} stands from an earlier, unfinished run with other values; repeat those or remove it")
    _make_folders(settings)
    keys = open_key_store(place, passphrase, create=True)
    if plan.key_store is not None and not begun and keys.labels():
        raise HouseExistsError("the key store holds another authority's keys; nothing was changed; name a token or object of its own")
    write_plan(settings.house_file, plan)
    database = open_database(settings.database_url)
    with closing_on_error(database):
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
        house = wire(settings, plan, clock=clock, keys=keys, database=database, authority=authority, profiles=profiles)
        house.sealer.seal()
        return house


def open_house(settings: Settings, *, clock: Clock, passphrase: str, lint_rate: float = SAMPLE_RATE) -> House:
    """Opens what `create_house` made, renewing services' certificates that run out soon.

    Raises :class:`config.errors.NoHouseError`, :class:`pki.errors.WrongSecretError`, :class:`db.errors.SchemaError` and the like.
    """
    plan = read_plan(settings.house_file)
    refuse_unfinished(settings)
    if not settings.root_pem.exists():
        raise NoHouseError(f"{settings.home}: setting up was interrupted; run `eduseal init --home {settings.home}` again")
    keys = open_key_store(key_store_place(settings, plan), passphrase)
    database = open_database(settings.database_url)
    with closing_on_error(database):
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
            lists=imported_lists(settings),
            key_check=key_check_of(settings),
        )
        authority = renew(authority)
        return wire(settings, plan, clock=clock, keys=keys, database=database, authority=authority, profiles=profiles)


def open_stores(settings: Settings) -> Stores:
    """The books alone, for what needs no key and so no passphrase. Close `database` when done."""
    read_plan(settings.house_file)
    database = open_database(settings.database_url)
    with closing_on_error(database):
        require_current(database)
        return stores_of(settings, database)


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
    with closing_on_error(database):
        require_current(database)
        return Records(database, ContentFolder((home or Path()) / "documents"))


def open_registered(home: Path | None, database_url: str | None) -> Mapping[str, Registered]:
    """What the school's books say of other authorities' certificates; arguments and errors as for :func:`open_record_book`."""
    database = open_database(database_url or sqlite_url((home or Path()) / "eduseal.sqlite"), read_only=True)
    try:
        require_current(database)
        return OutsideCertificates(database).registered()
    finally:
        database.close()


def _make_folders(settings: Settings) -> None:
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.documents.mkdir(mode=0o700, exist_ok=True)
    except OSError as exc:
        raise SettingsError(f"{settings.home} cannot be made: {exc.strerror or type(exc).__name__}") from exc


def _pem(certificate_der: bytes) -> bytes:
    return x509.load_der_x509_certificate(certificate_der).public_bytes(Encoding.PEM)


@contextlib.contextmanager
def closing_on_error(database: Database) -> Iterator[None]:
    """Whoever opens a database and fails to make a house of it closes it."""
    try:
        yield
    except BaseException:
        database.close()
        raise
