"""Ceremonies wired to homes. The home of a root has a key store and books but serves nothing; the home that serves need not hold its key.

In either home, `ceremonies/` keeps the transcripts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

from config.ceremony_mark import FOLDER, make_folder
from config.errors import HouseExistsError, SettingsError
from config.house_file import HousePlan, read_plan, write_plan
from config.key_store import key_store_place
from config.log import log_sealer
from config.registration import registration_policy
from config.settings import Settings
from config.wiring import shipped_profiles
from db.certificates import Certificates
from db.engine import Database, open_database
from db.officers import Officers as OfficerBooks
from db.registration import Requests
from db.schema import require_current, upgrade
from pki.authority.establish import Organization
from pki.authority.root_lists import root_lists
from pki.ceremony.hold import Outcome, hold
from pki.ceremony.order import ceremony_order, requests_of
from pki.ceremony.plan import CeremonyPlan
from pki.ceremony.split import as_passphrase, new_secret, split, write_shares
from pki.ceremony.transcript import Transcript
from pki.durable import FileTakenError, write_new
from pki.issuing.lint import SAMPLE_RATE
from pki.keys.kdf import KeyDerivation
from pki.keys.key_store_uri import TokenPlace, key_store_uri
from pki.keys.key_stores import open_key_store
from pki.ports import Clock, KeyStore
from pki.registration.approval import Order
from records.officers import Officers
from records.registration import Registration


class CeremonyDoneError(SettingsError):
    """The ceremony was held to its end before: its transcript stands, and nothing was changed."""


class SplitInTokenError(SettingsError):
    """A token's PIN is chosen and split by the token's own means, not here."""


@dataclass(frozen=True)
class RootHome:
    """The home of a root, opened."""

    settings: Settings
    plan: HousePlan
    keys: KeyStore
    database: Database
    clock: Clock

    @property
    def certificates(self) -> Certificates:
        return Certificates(self.database)

    @property
    def officers(self) -> Officers:
        """A second person approves with their own PIN, in this home."""
        return Officers(OfficerBooks(self.database), self.keys, KeyDerivation(), self.clock)

    @property
    def registration(self) -> Registration:
        return Registration(Requests(self.database), self.officers, registration_policy(), self.clock)

    def seal(self) -> None:
        """Puts what was done under a signed checkpoint of this home's log."""
        log_sealer(self.settings, self.plan, keys=self.keys, database=self.database).seal()


def program() -> str:
    return f"eduseal {version('eduseal')}"


def house_plan(settings: Settings, plan: CeremonyPlan) -> HousePlan:
    """What `house.toml` is to say of a home that a ceremony makes."""
    organization = Organization(plan.country, plan.organization, plan.identifier)
    place = key_store_place(settings, None)
    return HousePlan(organization, plan.base_url, plan.crl_shards, key_store_uri(place) if settings.key_store else None)


def begin(settings: Settings, plan: CeremonyPlan, *, shares: Path | None, passphrase: str | None, clock: Clock) -> bytes:
    """Makes the home of a root, empty: books, and a key store that a split random key opens, or `passphrase` where the file has no split.

    Shares are written before the key store that they open, so an interruption leaves nothing that cannot be opened. Returns the transcript.
    Raises HouseExistsError, :class:`SplitInTokenError`, SettingsError, :class:`pki.ceremony.split.ShareError` and other errors of `pki`
    and `db`.
    """
    if settings.house_file.exists():
        raise HouseExistsError(f"{settings.home} is a home already; a root gets one of its own; nothing was changed")
    house = house_plan(settings, plan)
    place = key_store_place(settings, house)
    if plan.split is not None and isinstance(place, TokenPlace):
        raise SplitInTokenError(f"{place.title}: a token's PIN is not split here; leave out [split], and use the token's own m-of-n")
    if (settings.keys / "store.json").exists():
        raise HouseExistsError(
            f"{settings.keys} holds a key store of an interrupted beginning; nothing is under it: remove {settings.home}"
        )
    transcript = Transcript("begin", plan, program=program(), clock=clock)
    make_folder(settings)
    if plan.split is not None:
        if shares is None:
            raise SettingsError("the ceremony's file splits the key: name a folder for the shares with --shares DIR")
        secret = new_secret()
        made = split(secret, threshold=plan.split.threshold, holders=plan.split.holders)
        write_shares(shares, made)
        for share in made:
            transcript.share(share.number, share.holder, share.text().encode())
        passphrase = as_passphrase(secret)
    elif passphrase is None:
        raise SettingsError("the ceremony's file splits no key, so the key store needs a passphrase")
    keys = open_key_store(place, passphrase, create=True)
    refuse_foreign_keys(keys)
    database = open_database(settings.database_url)
    try:
        upgrade(database)
        log_sealer(settings, house, keys=keys, database=database)
        octets = keep_transcript(settings, "begin", plan, transcript)
        write_plan(settings.house_file, house)
    finally:
        database.close()
    return octets


@contextmanager
def root_home(settings: Settings, *, passphrase: str, clock: Clock) -> Iterator[RootHome]:
    """Raises :class:`config.errors.NoHouseError`, :class:`pki.errors.WrongSecretError` and the like."""
    house = read_plan(settings.house_file)
    keys = open_key_store(key_store_place(settings, house), passphrase)
    database = open_database(settings.database_url)
    try:
        require_current(database)
        yield RootHome(settings, house, keys, database, clock)
    finally:
        database.close()


def hold_ceremony(
    home: RootHome,
    plan: CeremonyPlan,
    *,
    requests: Mapping[str, bytes],
    approval: str,
    deliver: Callable[[Outcome], None],
    lint_rate: float = SAMPLE_RATE,
) -> tuple[Outcome, bytes]:
    """What was made, and its transcript. `approval` is the id of the request that officers of this home approved; an interrupted ceremony
    goes on under the approval that it used up. `deliver` lays the results out before the transcript ends the ceremony: where it fails, the
    ceremony can be repeated.

    Raises :class:`CeremonyDoneError` and what :func:`pki.ceremony.hold.hold` raises.
    """
    settings = home.settings
    if transcript_path(settings, "hold", plan).exists():
        raise CeremonyDoneError(f"{transcript_path(settings, 'hold', plan)} stands: this ceremony is done; a new one has a file of its own")
    require_same(settings, home.plan, plan)
    transcript = Transcript("hold", plan, program=program(), clock=home.clock)
    outcome = hold(
        plan,
        requests=requests,
        keys=home.keys,
        store=home.certificates,
        profiles=shipped_profiles(),
        clock=home.clock,
        approve=lambda: home.registration.redeem_for_one(approval, order_of(plan, requests).digest),
        lint_rate=lint_rate,
    )
    transcript.outcome(outcome)
    deliver(outcome)
    home.seal()
    return outcome, keep_transcript(settings, "hold", plan, transcript)


def refuse_foreign_keys(keys: KeyStore) -> None:
    """A new home begins with no key: a token may hold another authority's. Raises HouseExistsError."""
    if keys.labels():
        raise HouseExistsError("the key store holds another authority's keys; nothing was changed; name a token or object of its own")


def require_same(settings: Settings, house: HousePlan, plan: CeremonyPlan) -> None:
    """What a home stands for cannot change. Raises SettingsError."""
    if house.base_url != plan.base_url or house.organization != Organization(plan.country, plan.organization, plan.identifier):
        raise SettingsError(f"{settings.house_file} names another organization or base URL than the ceremony's file")


def order_of(plan: CeremonyPlan, requests: Mapping[str, bytes]) -> Order:
    """What is asked for and approved: exactly the ceremony's file, and the keys that `requests` (PKCS#10, by label) bring.

    Raises :class:`pki.ceremony.hold.CeremonyError` where one is missing, and what reading raises.
    """
    return ceremony_order(plan, requests_of(plan, requests))


def new_lists(home: RootHome, *, validity: timedelta, revoke: tuple[str, int, str] | None = None) -> dict[str, bytes]:
    """A list (DER) of each root here, by name; first revokes (issuer, serial, reason). Raises :class:`pki.errors.PkiError`."""
    if revoke is not None:
        issuer, serial, reason = revoke
        home.certificates.mark_revoked(issuer, serial, reason=reason, at=home.clock())
    made = root_lists(home.keys, home.certificates, clock=home.clock, base_url=home.plan.base_url, validity=validity)
    home.seal()
    return made


def transcript_path(settings: Settings, step: str, plan: CeremonyPlan) -> Path:
    return settings.home / FOLDER / f"{step}-{plan.sha256.hex()[:16]}.jsonl"


def keep_transcript(settings: Settings, step: str, plan: CeremonyPlan, transcript: Transcript) -> bytes:
    """Closes and writes it, once; raises :class:`CeremonyDoneError` or KeyStoreError where it cannot be written."""
    octets, path = transcript.close(), transcript_path(settings, step, plan)
    try:
        write_new(path, octets)
    except FileTakenError:
        raise CeremonyDoneError(f"{path} stands: this step is done; nothing was changed") from None
    return octets
