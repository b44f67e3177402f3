"""A blocklist of weak keys in the home is used; a broken one opens no house."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from config.settings import Settings
from config.weak_keys import key_check_of
from pki.errors import KeyStoreError, WeakKeyError
from tests.support.weak_moduli import public, write_blocklist

MODULUS = random.Random(41).getrandbits(2048) | 1 << 2047 | 1


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_environment({}, home=tmp_path)


def test_a_list_in_the_home_is_used(settings: Settings) -> None:
    write_blocklist(settings.home / "blocklist", MODULUS)
    check = key_check_of(settings)
    assert check.knows_lists
    with pytest.raises(WeakKeyError):
        check(public(MODULUS))


def test_without_one_the_check_says_so(settings: Settings) -> None:
    assert not key_check_of(settings).knows_lists


def test_a_folder_without_a_list_opens_no_house(settings: Settings) -> None:
    (settings.home / "blocklist").mkdir()
    with pytest.raises(KeyStoreError, match=r"expected blocklist.dat and badkeysdata.json"):
        key_check_of(settings)
