"""Which key store a house uses, what house.toml remembers of it, and where the secret comes from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.bootstrap import create_house, open_house
from config.errors import HouseExistsError, SettingsError
from config.house_file import HousePlan, read_plan, write_plan
from config.key_store import find_secret, key_store_place
from config.settings import Settings
from pki.authority.establish import Organization
from pki.keys.key_store_uri import FolderPlace, KeyStoreUriError, TokenPlace
from pki.keys.passphrase import PassphraseError

PLAN = HousePlan(Organization("VN", "Sở Giáo dục", "NTRVN-0100000001"), "http://pki.eduseal.example", crl_shards=2)
TOKEN = "pkcs11:token=eduseal;object=hanoi?module-path=/usr/lib/softhsm/libsofthsm2.so"
IN_TOKEN = replace(PLAN, key_store=TOKEN)
PLACE = TokenPlace(Path("/usr/lib/softhsm/libsofthsm2.so"), token="eduseal", prefix="hanoi")
PASSPHRASE = "a passphrase for tests"
HOME = Path("/srv/house")


def clock() -> datetime:
    return datetime(2026, 6, 1, 8, 0, tzinfo=UTC)


def settings(home: Path | None = HOME, **environment: str) -> Settings:
    return Settings.from_environment({f"EDUSEAL_{name}": value for name, value in environment.items()}, home=home)


def test_without_a_word_keys_lie_in_the_home() -> None:
    assert key_store_place(settings(), PLAN) == FolderPlace(HOME / "keys")
    assert key_store_place(settings(), None) == FolderPlace(HOME / "keys")


def test_house_toml_names_the_store_and_the_caller_overrides_it() -> None:
    assert key_store_place(settings(), IN_TOKEN) == PLACE
    assert key_store_place(settings(KEY_STORE="file:/srv/keys"), IN_TOKEN) == FolderPlace(Path("/srv/keys"))


def test_a_home_that_nobody_named_names_no_module() -> None:
    with pytest.raises(SettingsError, match=r"names a PKCS#11 module to load; name the home yourself: --home var"):
        key_store_place(settings(None), IN_TOKEN)
    assert key_store_place(settings(None, HOME="var"), IN_TOKEN) == PLACE
    assert key_store_place(settings(None, KEY_STORE=TOKEN), IN_TOKEN) == PLACE


def test_the_store_is_written_down_and_read_back(tmp_path: Path) -> None:
    for plan in (PLAN, IN_TOKEN):
        write_plan(tmp_path / "house.toml", plan)
        assert read_plan(tmp_path / "house.toml") == plan
    write_plan(tmp_path / "house.toml", PLAN)
    assert "key_store" not in (tmp_path / "house.toml").read_text()


def test_a_house_remembers_a_folder_elsewhere(tmp_path: Path) -> None:
    here, keys = settings(tmp_path / "home"), tmp_path / "my keys"
    create_house(replace(here, key_store=f"file:{keys}".replace(" ", "%20")), PLAN, clock=clock, passphrase=PASSPHRASE, lint_rate=0).close()
    assert (keys / "issuing.key").exists()
    assert not here.keys.exists()
    house = open_house(here, clock=clock, passphrase=PASSPHRASE)
    assert house.keys.labels() == ("issuing", "ocsp", "root", "tsa")
    house.close()


def test_a_store_that_holds_another_houses_keys_is_refused(tmp_path: Path) -> None:
    first, second = (replace(settings(tmp_path / name), key_store=f"file:{tmp_path}/keys") for name in ("a", "b"))
    create_house(first, PLAN, clock=clock, passphrase=PASSPHRASE, lint_rate=0).close()
    with pytest.raises(HouseExistsError, match="the key store holds another authority's keys; nothing was changed"):
        create_house(second, PLAN, clock=clock, passphrase=PASSPHRASE, lint_rate=0)
    assert not second.house_file.exists()


def test_an_interrupted_set_up_goes_on_with_the_same_store_alone(tmp_path: Path) -> None:
    here = settings(tmp_path / "home")
    elsewhere = replace(here, key_store=f"file:{tmp_path}/keys")
    create_house(elsewhere, PLAN, clock=clock, passphrase=PASSPHRASE, lint_rate=0).close()
    here.root_pem.unlink()
    with pytest.raises(SettingsError, match="unfinished run with other values"):
        create_house(here, PLAN, clock=clock, passphrase=PASSPHRASE, lint_rate=0)
    create_house(elsewhere, PLAN, clock=clock, passphrase=PASSPHRASE, lint_rate=0).close()


def test_a_uri_that_names_nothing_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreUriError):
        create_house(replace(settings(tmp_path / "home"), key_store="ftp:x"), PLAN, clock=clock, passphrase=PASSPHRASE)
    assert list(tmp_path.iterdir()) == []


def test_the_pin_comes_from_file_environment_pin_source_or_prompt_in_that_order(tmp_path: Path) -> None:
    for name in ("file", "source"):
        (tmp_path / name).write_text(f"from {name}\n")
        (tmp_path / name).chmod(0o600)
    place = replace(PLACE, pin_source=tmp_path / "source")
    asked: list[str] = []

    def prompt(question: str) -> str:
        asked.append(question)
        return "typed"

    assert find_secret(settings(PASSPHRASE_FILE=str(tmp_path / "file"), PASSPHRASE="said"), place) == "from file"
    assert find_secret(settings(PASSPHRASE="said"), place) == "said"
    assert find_secret(settings(), place, prompt=prompt) == "from source"
    assert find_secret(settings(), PLACE, prompt=prompt) == "typed"
    assert find_secret(settings(), FolderPlace(HOME), prompt=prompt) == "typed"
    assert asked == ["PIN of the key store (token 'eduseal'): ", "Passphrase of the key store: "]


def test_no_pin_at_all_is_refused_with_what_to_do() -> None:
    with pytest.raises(PassphraseError, match="name a passphrase file, or set EDUSEAL_PASSPHRASE"):
        find_secret(settings(), PLACE)
