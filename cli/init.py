"""`eduseal init`: makes an authority in an empty home, says what it made and what to do next."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from cli._secret import new_passphrase
from config.bootstrap import create_house, upgrade_house, utc_now
from config.errors import HouseExistsError
from config.house_file import HousePlan
from config.key_store import find_secret, key_store_place
from config.settings import Settings
from config.weak_keys import ABSENT, key_check_of
from pki.authority.establish import CRL_SHARDS, Organization
from pki.keys.key_store_uri import KeyStorePlace, TokenPlace

COUNTRY, NAME, IDENTIFIER, BASE_URL = "VN", "Education Authority", "NTRVN-0000000000", "http://127.0.0.1:8000"


def command(
    home: Annotated[str | None, typer.Option(metavar="DIR", envvar="EDUSEAL_HOME", help="Where it is to live.  [default: ./var]")] = None,
    database_url: Annotated[
        str | None, typer.Option(metavar="URL", envvar="EDUSEAL_DATABASE_URL", help="PostgreSQL instead of a file in the home.")
    ] = None,
    base_url: Annotated[str | None, typer.Option(metavar="URL", help="Where it publishes; written into every certificate.")] = None,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="The authority's name, as in certificates.")] = None,
    identifier: Annotated[str | None, typer.Option(metavar="ID", help="Its organization identifier, such as NTRVN-0100109106.")] = None,
    country: Annotated[str | None, typer.Option(metavar="CC", help="Its country, two letters.")] = None,
    crl_shards: Annotated[int, typer.Option(metavar="N", help="Parts that its revocation list is cut into.")] = CRL_SHARDS,
    key_store: Annotated[
        str | None,
        typer.Option(metavar="URI", envvar="EDUSEAL_KEY_STORE", help="Where keys live; pkcs11:… for an HSM.  [default: a folder]"),
    ] = None,
    passphrase_file: Annotated[
        str | None, typer.Option(metavar="FILE", envvar="EDUSEAL_PASSPHRASE_FILE", help="First line: the key store's passphrase.")
    ] = None,
    upgrade: Annotated[bool, typer.Option("--upgrade", help="Only bring an existing home's database to this version.")] = False,
) -> int:
    """Make an authority: key store, root, issuing CA, time stamping, OCSP, database.

    Asks for what is not given, where somebody is at the keyboard.
    """
    environment = {**os.environ, **({"EDUSEAL_PASSPHRASE_FILE": passphrase_file} if passphrase_file else {})}
    settings = Settings.from_environment(environment, home=Path(home) if home else None, database_url=database_url, key_store=key_store)
    if upgrade:
        upgrade_house(settings)
        print(f"The database of {settings.home} is up to date.")
        return 0
    if settings.root_pem.exists():
        raise HouseExistsError(f"{settings.home} holds an authority already (ca/root.pem); nothing was changed")
    organization = Organization(
        country=_asked("Country, two letters", country, COUNTRY),
        name=_asked("Name of the authority", name, NAME),
        identifier=_asked("Organization identifier", identifier, IDENTIFIER),
    )
    plan = HousePlan(organization, _asked("Base URL", base_url, BASE_URL).rstrip("/"), crl_shards)
    place = key_store_place(settings, plan)
    asking = getpass.getpass if isinstance(place, TokenPlace) else new_passphrase
    passphrase = find_secret(settings, place, prompt=asking if sys.stdin.isatty() else None)
    house = create_house(settings, plan, clock=utc_now, passphrase=passphrase)
    house.close()
    _tell(settings, place, house.authority.root_der)
    return 0


def _tell(settings: Settings, place: KeyStorePlace, root_der: bytes) -> None:
    root = x509.load_der_x509_certificate(root_der)
    print("Made:")
    for path, what in (
        (settings.root_pem, "root certificate: publish it, with its fingerprint"),
        (settings.issuing_pem, "issuing CA's certificate"),
        _keys(place),
        (settings.house_file, "base URL and name, which cannot change any more"),
        (settings.documents, "records' PDFs will lie here"),
    ):
        print(f"  {path!s:<40} {what}")
    where = settings.home / "eduseal.sqlite"
    print(f"  {where!s:<40} database" if where.exists() else "  database                                 at EDUSEAL_DATABASE_URL")
    print(f"\nRoot: {root.subject.rfc4514_string()}")
    print(f"SHA-256 fingerprint: {root.fingerprint(hashes.SHA256()).hex(':').upper()}")
    if not key_check_of(settings).knows_lists:
        print(f"\n{ABSENT}")
    print(f"\nNext: eduseal serve --home {settings.home}")
    print("Seals, and many people at once, are approved by a second person. Each officer has a PIN of their own; two to begin with:")
    print(f'      eduseal officer add RA-1 --name NAME --reason "the first officers" --home {settings.home}')


def _keys(place: KeyStorePlace) -> tuple[str | Path, str]:
    if isinstance(place, TokenPlace):
        return place.title, f"private keys, as {place.prefix}/…; they stay there: back up the token by its maker's means"
    return place.folder, "private keys, encrypted under the passphrase: back them up"


def _asked(question: str, given: str | None, default: str) -> str:
    if given is not None:
        return given
    if not sys.stdin.isatty():
        return default
    answer: str = typer.prompt(question, default=default)
    return answer
