from __future__ import annotations

import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from config.bootstrap import create_house, open_house, open_record_book, open_stores, upgrade_house
from config.errors import HouseExistsError, NoHouseError, SettingsError
from config.house_file import HousePlan, read_plan, write_plan
from config.settings import Settings
from db.engine import sqlite_url
from db.errors import DatabaseError, SchemaError
from pki.authority.establish import Organization
from pki.errors import PkiError, WrongSecretError

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
PLAN = HousePlan(Organization("VN", 'Sở "Giáo dục" \\ Đào tạo', "NTRVN-0100000001"), "http://pki.eduseal.example", crl_shards=2)
PASSPHRASE = "a passphrase for tests"


def clock() -> datetime:
    return NOW


def settings_in(folder: Path, database_url: str | None = None) -> Settings:
    return Settings.from_environment({}, home=folder / "home", database_url=database_url)


def create(settings: Settings, plan: HousePlan = PLAN) -> None:
    create_house(settings, plan, clock=clock, passphrase=PASSPHRASE, lint_rate=0).close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = settings_in(tmp_path)
    create(made)
    return made


def test_a_new_house_lies_where_it_should(settings: Settings) -> None:
    found = {str(path.relative_to(settings.home)) for path in settings.home.rglob("*") if path.is_file()}
    keys = {f"keys/{name}.key" for name in ("root", "issuing", "tsa", "ocsp")}
    assert found >= {"ca/root.pem", "ca/issuing.pem", "house.toml", "eduseal.sqlite", "keys/store.json"} | keys
    assert x509.load_pem_x509_certificate(settings.root_pem.read_bytes()).subject.get_attributes_for_oid(x509.NameOID.COUNTRY_NAME)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (settings.home, settings.keys, settings.documents)} == {0o700}


def test_a_house_opens_as_it_was_made(settings: Settings) -> None:
    house = open_house(settings, clock=clock, passphrase=PASSPHRASE)
    assert house.plan == PLAN
    assert house.authority.issuing.crl_shards == 2
    written = x509.load_pem_x509_certificate(settings.issuing_pem.read_bytes())
    assert written == x509.load_der_x509_certificate(house.authority.issuing_der)
    house.close()


def test_a_house_runs_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    settings = settings_in(tmp_path, postgres_url)
    create(settings)
    house = open_house(settings, clock=clock, passphrase=PASSPHRASE)
    assert [entry.kind for entry in house.stores.log.entries()].count("certificate.issued") == 4
    assert not (settings.home / "eduseal.sqlite").exists()
    house.close()


def test_nothing_is_made_over_a_house(settings: Settings) -> None:
    before = {path: path.stat().st_mtime_ns for path in settings.home.rglob("*") if path.is_file()}
    with pytest.raises(HouseExistsError, match=r"holds an authority already \(ca/root.pem\); nothing was changed"):
        create(settings)
    assert {path: path.stat().st_mtime_ns for path in settings.home.rglob("*") if path.is_file()} == before


def test_an_interrupted_set_up_goes_on_with_the_same_keys(settings: Settings) -> None:
    issuing = settings.issuing_pem.read_bytes()
    settings.root_pem.unlink()
    with pytest.raises(NoHouseError, match="setting up was interrupted; run `eduseal init"):
        open_house(settings, clock=clock, passphrase=PASSPHRASE)
    create(settings)
    assert settings.issuing_pem.read_bytes() == issuing


def test_an_interrupted_set_up_does_not_go_on_under_another_name(settings: Settings) -> None:
    settings.root_pem.unlink()
    with pytest.raises(SettingsError, match="unfinished run with other values"):
        create(settings, replace(PLAN, base_url="http://other.example"))


@pytest.mark.parametrize("base_url", ["ftp://x", "http://x/", "x", "http://x y"])
def test_a_base_url_that_is_none_leaves_nothing_behind(tmp_path: Path, base_url: str) -> None:
    with pytest.raises(PkiError, match="base URL"):
        create(settings_in(tmp_path), replace(PLAN, base_url=base_url))
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(SettingsError, match=r"home cannot be made: [^\n]+$"):
        create(settings_in(tmp_path))


def test_a_wrong_passphrase_opens_nothing(settings: Settings) -> None:
    with pytest.raises(WrongSecretError):
        open_house(settings, clock=clock, passphrase="another passphrase")


def test_an_empty_home_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoHouseError, match=r"holds no authority; `eduseal init --home .*` makes one"):
        open_house(settings_in(tmp_path), clock=clock, passphrase=PASSPHRASE)
    with pytest.raises(NoHouseError):
        open_stores(settings_in(tmp_path))


def test_a_home_without_its_database_is_refused(settings: Settings) -> None:
    (settings.home / "eduseal.sqlite").unlink()
    with pytest.raises(SchemaError, match="database has no schema"):
        open_house(settings, clock=clock, passphrase=PASSPHRASE)


def test_upgrading_needs_no_passphrase_and_changes_nothing_that_is_current(settings: Settings) -> None:
    upgrade_house(settings)
    open_house(settings, clock=clock, passphrase=PASSPHRASE).close()


def test_services_certificates_are_renewed_before_they_expire(settings: Settings) -> None:
    def much_later() -> datetime:
        return NOW + timedelta(days=6 * 365 - 10)

    house = open_house(settings, clock=clock, passphrase=PASSPHRASE)
    later = open_house(settings, clock=much_later, passphrase=PASSPHRASE)
    tsa = [x509.load_der_x509_certificate(each.authority.tsa.certificate_der) for each in (house, later)]
    assert tsa[1].not_valid_after_utc > tsa[0].not_valid_after_utc
    assert tsa[1].public_key() == tsa[0].public_key()
    house.close()
    later.close()


def test_the_plan_is_read_back_as_written(tmp_path: Path) -> None:
    write_plan(tmp_path / "house.toml", PLAN)
    assert read_plan(tmp_path / "house.toml") == PLAN


@pytest.mark.parametrize("text", ["", "base_url = 5", "= x", 'base_url = "x"\ncrl_shards = "many"\n[organization]\n'])
def test_a_damaged_plan_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "house.toml").write_text(text)
    with pytest.raises(SettingsError, match="is not as `eduseal init` wrote it"):
        read_plan(tmp_path / "house.toml")


def test_a_verifiers_book_needs_no_passphrase_and_writes_nothing(settings: Settings) -> None:
    assert open_record_book(settings.home, None).status("r1", 1) is None
    assert open_record_book(None, sqlite_url(settings.home / "eduseal.sqlite")).status("r1", 1) is None


def test_a_book_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="there is no database at"):
        open_record_book(tmp_path, None)
    with pytest.raises(SettingsError, match="neither a home nor a database was named"):
        open_record_book(None, None)
    assert list(tmp_path.iterdir()) == []
