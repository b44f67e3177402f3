"""Guessing PINs offline: what it takes, how fast it goes, and that docs/sole-control.md prints what was measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from benchmarks.bench_pin import HOLDER, RIGHT, Loot, loot, rate, stolen
from pki.errors import WrongSecretError
from pki.keys.holderkey import open_holder_key, wrap_holder_key
from pki.keys.kdf import RFC9106_64MIB, KdfParameters, KeyDerivation
from pki.keys.key_stores import open_key_store
from pki.keys.keystore import FileKeyStore
from pki.keys.softkey import SoftwareKey
from tests.support.softhsm import PIN as HSM_PIN
from tests.support.softhsm import SoftHsm

PAGE = (Path(__file__).parents[3] / "docs" / "sole-control.md").read_text(encoding="utf-8")
FEW = 8  # guesses: a second or so
OFF_BY = 5  # other machines, other days
YEAR, DAY, HOUR = 365.25 * 86_400, 86_400, 3_600
CHEAP = KeyDerivation(KdfParameters(time_cost=1, memory_kib=8, lanes=1))


def printed_rate() -> float:
    match = re.search(r"\*\*([0-9.]+) guesses per second and core\*\*", PAGE)
    assert match
    return float(match[1])


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Loot:
    return stolen(tmp_path_factory.mktemp("stolen"))


def pkcs8() -> bytes:
    return SoftwareKey.generate().private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def test_with_the_file_key_a_guess_can_be_checked_offline(taken: Loot) -> None:
    assert taken.opens(RIGHT.text)
    assert not taken.opens("k7x2m9qb")


def test_a_guess_costs_what_rfc_9106_recommends(taken: Loot) -> None:
    assert KdfParameters(time_cost=taken.time_cost, memory_kib=taken.memory_kib, lanes=taken.lanes) == RFC9106_64MIB


def test_guesses_are_as_slow_as_the_page_says(taken: Loot) -> None:
    assert rate(taken, FEW) < OFF_BY * printed_rate()


@pytest.mark.parametrize(
    ("pins", "unit", "shown"),
    [
        (36**8, YEAR, "1.4 × 10¹² | 6,041 years"),
        (10**8, DAY, "5.0 × 10⁷ | 78 days"),
        (10**9, YEAR, "5.0 × 10⁸ | 2.1 years"),
        (10**6, HOUR, "5.0 × 10⁵ | 19 hours"),
    ],
)
def test_the_printed_costs_follow_from_the_printed_rate(pins: int, unit: float, shown: str) -> None:
    assert f"| {shown} |" in PAGE
    number = float(shown.split("| ")[1].split()[0].replace(",", ""))
    assert pins / 2 / printed_rate() / unit == pytest.approx(number, rel=0.03)


def test_without_the_outer_key_the_right_pin_opens_nothing(tmp_path: Path) -> None:
    house, thief = (FileKeyStore.create(tmp_path / name, passphrase="the same", kdf=CHEAP) for name in ("house", "thief"))
    wrapped = wrap_holder_key(pkcs8(), RIGHT, keys=house, holder=HOLDER, kdf=CHEAP)
    with pytest.raises(WrongSecretError), open_holder_key(wrapped, RIGHT, keys=thief, holder=HOLDER, kdf=CHEAP):
        pass


def test_under_a_token_nothing_that_a_guess_needs_lies_on_the_disk(softhsm: SoftHsm, tmp_path: Path) -> None:
    """The salt and the sealed key are under the token's key, which it does not give away (tests/pki/keys/test_pkcs11.py)."""
    keys = open_key_store(softhsm.token().uri(), HSM_PIN, create=True)
    wrapped = wrap_holder_key(pkcs8(), RIGHT, keys=keys, holder=HOLDER, kdf=CHEAP)
    inner = loot(wrapped, keys, HOLDER)
    assert inner.salt not in wrapped
    assert inner.sealed not in wrapped
    other = FileKeyStore.create(tmp_path / "keys", passphrase="of the thief", kdf=CHEAP)
    with pytest.raises(WrongSecretError), open_holder_key(wrapped, RIGHT, keys=other, holder=HOLDER, kdf=CHEAP):
        pass
