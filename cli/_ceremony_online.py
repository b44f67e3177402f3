"""`eduseal ceremony request|install|take-crl`: what is done in the home that serves."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from cli._ceremony_look import PlanFile, read_plan_file
from cli._ceremony_root import KeyStoreUri, passphrase_of, settings_of, write_transcript
from cli._home import PassphraseFile
from cli._input import read_input
from cli.main import UsageError
from config.bootstrap import open_house, utc_now
from config.ceremony_books import take_list
from config.ceremony_files import MAX_CARRIED, read_carried
from config.ceremony_install import install, request
from config.house_file import read_plan, write_whole
from pki.ceremony.order import key_digest
from pki.registration.ca_request import read_request, request_pem

ServingHome = Annotated[str, typer.Option("--home", metavar="DIR", envvar="EDUSEAL_HOME", help="The home that serves.", show_default=False)]
Folder = Annotated[str, typer.Option("--folder", metavar="DIR", help="What is carried between the homes.", show_default=False)]


def request_certificate(
    file: PlanFile, folder: Folder, home: ServingHome, key_store: KeyStoreUri = None, passphrase_file: PassphraseFile = None
) -> int:
    """Make the keys that live in this home, and their requests (PKCS#10) for the root. A home that is not there is made."""
    plan = read_plan_file(file)
    if not Path(folder).is_dir():
        raise UsageError(f"{folder} is not a folder; make one to carry to the root's home")
    settings = settings_of(home, passphrase_file, key_store)
    house = read_plan(settings.house_file) if settings.house_file.exists() else None
    made, octets = request(settings, plan, passphrase=passphrase_of(settings, house, new=house is None), clock=utc_now)
    if not made:
        raise UsageError(f"{file} puts no key into the home that serves; nothing is to be requested")
    for label, der in made.items():
        path = Path(folder) / f"{label}.csr"
        write_whole(path, request_pem(der))
        print(f"Written: {path}")
        print(f"  SHA-256 of the key {label}: {key_digest(read_request(der).public_key)}")
        print("  Whoever approves the ceremony needs these digits, on paper: the folder may be exchanged on the way.")
    print(f"Transcript of this step (request): SHA-256 {hashlib.sha256(octets).hexdigest()}")
    return 0


def install_certificate(
    file: PlanFile,
    folder: Folder,
    home: ServingHome,
    fingerprint: Annotated[
        str | None, typer.Option(metavar="HEX", help="SHA-256 of the root's certificate, as its home showed it.", show_default=False)
    ] = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Take certificates and lists in, after holding them against the file; the home then serves under them. Repeating is safe."""
    plan = read_plan_file(file)
    settings = settings_of(home, passphrase_file)
    passphrase = passphrase_of(settings, read_plan(settings.house_file))
    carried = read_carried(Path(folder))
    authority, octets = install(settings, plan, carried, passphrase=passphrase, fingerprint=fingerprint, clock=utc_now)
    house = open_house(settings, clock=utc_now, passphrase=passphrase)
    house.sealer.seal()
    house.close()
    print(f"Issuing authority: {authority.issuing.name}, under {authority.root.name}")
    for root in authority.roots:
        print(f"  {root.name}: SHA-256 fingerprint {hashlib.sha256(root.certificate_der).digest().hex(':').upper()}")
    for earlier in authority.earlier_issuers:
        print(f"  {earlier.authority.name}: certifies nobody any more; revokes and answers for what it issued")
    print("Restart the services that run on this home (`eduseal serve`): they go on under what they opened.")
    path = Path(folder) / f"install-{plan.sha256.hex()[:16]}.jsonl"
    if not path.exists():
        write_transcript(Path(folder), "install", plan.sha256, octets)
    return 0


def take_crl(
    file: Annotated[str, typer.Argument(metavar="NAME.crl", help="A root's new list, named after it.", show_default=False)],
    home: ServingHome,
) -> int:
    """Take a newer revocation list of an offline root in. It shows in running services within minutes; no key is opened."""
    crl = take_list(settings_of(home, None), Path(file).stem, read_input(file, limit=MAX_CARRIED), clock=utc_now)
    until = f", holds until {crl.next_update_utc:%Y-%m-%d}" if crl.next_update_utc else ""
    print(f"List of {Path(file).stem}: {len(crl)} revoked{until}")
    return 0
