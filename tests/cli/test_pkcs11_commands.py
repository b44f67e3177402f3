"""Keys in a token, as a person at the command line meets them: command, stdout, stderr, exit status."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from config.bootstrap import open_house, utc_now
from config.settings import Settings
from pki.errors import KeyStoreError, WrongSecretError
from pki.keys.holderkey import open_holder_key
from pki.keys.kdf import KeyDerivation
from pki.keys.key_stores import open_key_store
from pki.keys.pin import Pin
from records.enrolment import activation_kdf, enrol
from records.roster import RosterFile
from tests.support.school_home import PIN as PERSONS_PIN
from tests.support.school_home import roster_files
from tests.support.softhsm import PIN, SoftHsm, Token


def eduseal(*arguments: str | Path, pin: str | None = PIN, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EDUSEAL_")}
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *map(str, arguments)],
        env={**kept, **({"EDUSEAL_PASSPHRASE": pin} if pin else {}), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def token(softhsm: SoftHsm) -> Token:
    return softhsm.token()


@pytest.fixture(scope="module")
def home(token: Token, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hsm") / "home"
    done = eduseal("init", "--home", folder, "--key-store", token.uri("hanoi"))
    assert (done.returncode, done.stderr) == (0, "")
    row = f"  {f'token {token.label!r}':<40} private keys, as hanoi/…; they stay there: back up the token by its maker's means"
    assert row in done.stdout.splitlines()
    root = x509.load_pem_x509_certificate((folder / "ca" / "root.pem").read_bytes())
    assert root.fingerprint(hashes.SHA256()).hex(":").upper() in done.stdout
    return folder


def test_the_home_holds_no_key_and_no_pin(home: Path) -> None:
    assert not (home / "keys").exists()
    assert not any(PIN.encode() in path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_the_key_store_is_remembered_without_its_pin(home: Path, token: Token) -> None:
    assert f'key_store = "{token.uri("hanoi")}"' in (home / "house.toml").read_text(encoding="utf-8").splitlines()


def test_a_wrong_pin_is_one_line_that_does_not_show_it(home: Path, token: Token) -> None:
    done = eduseal("serve", "--home", home, "--port", "0", pin="a wrong PIN")
    assert (done.returncode, done.stdout) == (65, "")
    assert done.stderr == (
        f"eduseal: the PIN does not open the key store (token {token.label!r}); check EDUSEAL_PASSPHRASE, the passphrase file or "
        "pin-source before trying again: tokens lock after a few wrong PINs\n"
    )


def test_an_absent_token_is_one_line(home: Path, token: Token) -> None:
    token.take_away()
    try:
        done = eduseal("serve", "--home", home, "--port", "0")
    finally:
        token.bring_back()
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (65, "", 1)
    assert f"token {token.label!r} is not there; plug it in or correct the key store URI" in done.stderr


def test_a_pin_in_the_uri_makes_nothing_and_is_not_repeated(token: Token, tmp_path: Path) -> None:
    done = eduseal("init", "--home", tmp_path / "home", "--key-store", token.uri() + "&pin-value=hunter2")
    assert (done.returncode, done.stdout) == (65, "")
    assert done.stderr == (
        "eduseal: key store pkcs11: pin-value puts the PIN where logs and other users see it; set EDUSEAL_PASSPHRASE instead\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_second_authority_does_not_take_the_first_ones_keys(home: Path, token: Token, tmp_path: Path) -> None:
    done = eduseal("init", "--home", tmp_path / "home", "--key-store", token.uri("hanoi"))
    assert (done.returncode, done.stdout) == (65, "")
    assert done.stderr == (
        "eduseal: the key store holds another authority's keys; nothing was changed; name a token or object of its own\n"
    )
    assert not (tmp_path / "home" / "house.toml").exists()


def test_the_pin_comes_from_pin_source(softhsm: SoftHsm, tmp_path: Path) -> None:
    file = tmp_path / "pin"
    file.write_text(f"{PIN}\n", encoding="utf-8")
    file.chmod(0o600)
    uri = softhsm.token().uri(**{"pin-source": str(file)})
    assert eduseal("init", "--home", tmp_path / "home", "--key-store", uri, pin=None).returncode == 0
    file.chmod(0o644)
    done = eduseal("serve", "--home", tmp_path / "home", "--port", "0", pin=None)
    assert (done.returncode, done.stderr) == (65, f"eduseal: {file} is open to others (mode 0644); run: chmod 600 {file}\n")


def test_a_home_that_nobody_named_loads_no_module(home: Path, tmp_path: Path) -> None:
    """A `var` in an unpacked archive, with a library beside it, would otherwise run as the user."""
    shutil.copytree(home, tmp_path / "var")
    command = [sys.executable, "-m", "cli.main", "serve", "--port", "0"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EDUSEAL_")}
    environment = {**kept, "EDUSEAL_PASSPHRASE": PIN, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (65, "")
    assert done.stderr == "eduseal: var/house.toml names a PKCS#11 module to load; name the home yourself: --home var\n"


def test_a_persons_key_opens_with_pin_and_token_and_not_without_the_token(home: Path, softhsm: SoftHsm, token: Token) -> None:
    settings = Settings.from_environment({}, home=home)
    house = open_house(settings, clock=utc_now, passphrase=PIN)
    try:
        files = [RosterFile(name, data) for name, data in roster_files().items()]
        house.services.roster.import_files(schools=files[0], teachers=files[1], students=files[2])
        who = next(each for each in house.services.roster.people_to_enrol(school_id="SM") if each.id == "SM-GV04")
        enrolled = enrol(
            who,
            house.stores.roster.school("SM"),
            authority=house.authority.issuing,
            keys=house.keys,
            holder_keys=house.stores.holder_keys,
            kdf=activation_kdf(),
            clock=house.clock,
        )
        house.services.holders.activate(who.id, enrolled.activation_code, Pin(PERSONS_PIN))
        with house.services.holders.opened(who.id, Pin(PERSONS_PIN)) as (_, key):
            key.algorithm.verify(key.public_key(), key.sign(b"data"), b"data")
        wrapped = house.stores.holder_keys.get(who.id).wrapped_key
    finally:
        house.close()
    elsewhere = open_key_store(softhsm.token().uri("hanoi"), PIN, create=True)
    with (
        pytest.raises(WrongSecretError, match="does not open this key"),
        open_holder_key(wrapped, Pin(PERSONS_PIN), keys=elsewhere, holder=who.id, kdf=KeyDerivation()),
    ):
        pass
    token.take_away()
    try:
        with pytest.raises(KeyStoreError, match="is not there"):
            open_house(settings, clock=utc_now, passphrase=PIN)
    finally:
        token.bring_back()
