from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.bootstrap import create_house, open_house
from config.errors import SettingsError
from config.house_file import HousePlan
from config.log import log_copy, log_origin, log_verifier
from config.settings import Settings
from db.errors import LogTamperedError
from db.log_check import check_log
from pki.authority.establish import Organization
from pki.errors import KeyStoreError
from pki.log.checkpoint import opened_checkpoint

PLAN = HousePlan(Organization("VN", "Sở", "NTRVN-0100000001"), "https://pki.example:8443/school", crl_shards=1)
PASSPHRASE = "a passphrase for tests"


def clock() -> datetime:
    return datetime(2026, 6, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings.from_environment({}, home=tmp_path / "home")
    create_house(made, PLAN, clock=clock, passphrase=PASSPHRASE, lint_rate=0).close()
    return made


def test_the_log_is_named_after_where_the_authority_publishes() -> None:
    assert log_origin(PLAN) == "pki.example:8443/school/log"


def test_a_new_house_is_sealed_from_the_start(settings: Settings) -> None:
    ((place, note),) = log_copy(settings).items()
    assert place == f"{settings.home}/log/checkpoint"
    head = opened_checkpoint(note, log_verifier(settings))
    house = open_house(settings, clock=clock, passphrase=PASSPHRASE)
    assert head.size == house.stores.log.size() == 8
    assert check_log(house.stores.database, key=log_verifier(settings), notes=log_copy(settings)).sealed == 8
    house.close()


def test_the_verifier_key_is_written_anew_from_the_private_one(settings: Settings) -> None:
    key = log_verifier(settings)
    (settings.log / "vkey").write_text("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n")
    open_house(settings, clock=clock, passphrase=PASSPHRASE).close()
    assert log_verifier(settings) == key


def test_what_is_missing_is_told(settings: Settings) -> None:
    (settings.log / "checkpoint").unlink()
    (settings.log / "vkey").unlink()
    with pytest.raises(SettingsError, match="checkpoint is missing: what the database says of itself is no proof"):
        log_copy(settings)
    with pytest.raises(SettingsError, match="vkey is missing; `eduseal log checkpoint` makes it"):
        log_verifier(settings)


def test_a_damaged_key_opens_no_house(settings: Settings) -> None:
    (settings.log / "key").write_bytes(b"x" * 79)
    with pytest.raises(KeyStoreError, match=r"is not the key of the log pki.example:8443/school/log under this key store"):
        open_house(settings, clock=clock, passphrase=PASSPHRASE)


def test_a_lost_key_is_not_replaced_in_silence(settings: Settings) -> None:
    (settings.log / "key").unlink()
    with pytest.raises(SettingsError, match=r"log/key is missing; restore it from a backup \(docs/log.md: when the key is lost\)"):
        open_house(settings, clock=clock, passphrase=PASSPHRASE)


def test_after_the_loss_of_everything_a_new_key_begins_when_told_to(settings: Settings) -> None:
    shutil.rmtree(settings.log)
    house = open_house(settings, clock=clock, passphrase=PASSPHRASE)
    with pytest.raises(LogTamperedError, match="checkpoint is missing; restore it from a backup, or"):
        house.sealer.seal()
    house.sealer.seal(adopt=True)
    assert check_log(house.stores.database, key=log_verifier(settings), notes=log_copy(settings)).sealed == 8
    house.close()
