"""Each kind of weak key, built on purpose, is refused by its name; sound keys are not."""

from __future__ import annotations

import random
import subprocess
import sys
from functools import cache
from pathlib import Path

import badkeys
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pki.errors import KeyStoreError, WeakKeyError
from pki.issuing.issue import CertificateRequest
from pki.keys.softkey import SoftwareKey
from pki.keys.weak_keys import Blocklist, WeakKeys, refuse_weak_key
from pki.structures.algorithms import PublicKey
from tests.support.authority import make_authority
from tests.support.weak_moduli import HALF, SHARED, next_prime, public, random_prime, roca_prime, write_blocklist

CURVES = [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()]


@cache
def sound(bits: int = 2048) -> rsa.RSAPublicKey:
    return rsa.generate_private_key(65537, bits).public_key()


def weakness(key: PublicKey) -> str:
    with pytest.raises(WeakKeyError, match=r"^weak key ") as caught:
        refuse_weak_key(key)
    assert f"({caught.value.weakness})" in str(caught.value)
    return caught.value.weakness


def small_private_exponent() -> rsa.RSAPublicKey:
    """Wiener: d below a third of the fourth root of n; the public exponent stays under 2^256 only for a modulus that is not sound."""
    p, q = random_prime(1), random_prime(2)
    d = next_prime(1 << 500)
    return public(p * q, pow(d, -1, (p - 1) * (q - 1)))


@pytest.mark.parametrize("bits", [2048, 3072])
def test_sound_rsa_keys_pass(bits: int) -> None:
    refuse_weak_key(sound(bits))


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_keys_on_the_three_curves_pass(curve: ec.EllipticCurve) -> None:
    refuse_weak_key(ec.generate_private_key(curve).public_key())


@pytest.mark.parametrize("curve", [ec.SECP256K1(), ec.BrainpoolP256R1(), ec.SECP224R1()], ids=lambda curve: curve.name)
def test_other_curves_are_refused(curve: ec.EllipticCurve) -> None:
    assert weakness(ec.generate_private_key(curve).public_key()) == "curve"


@pytest.mark.parametrize("bits", [1024, 1536, 2047])
def test_short_rsa_is_refused(bits: int) -> None:
    short = public(random_prime(1, bits // 2) * random_prime(2, bits - bits // 2))
    assert weakness(short) == "rsa-too-short"


def test_rsa_beyond_what_is_worked_with_is_refused() -> None:
    assert weakness(public((1 << 8200) + 1)) == "rsa-too-long"


@pytest.mark.parametrize("e", [3, 17, 65535, 65539 << 240 | 1])
def test_exponents_out_of_range_are_refused(e: int) -> None:
    assert weakness(public(sound().public_numbers().n, e)) == "exponent"


def test_close_primes_are_refused() -> None:
    p = random_prime(3)
    assert weakness(public(p * next_prime(p + 2))) == "close-primes"


def test_the_square_of_a_prime_is_refused() -> None:
    assert weakness(public(random_prime(4) ** 2)) == "close-primes"


def test_primes_found_within_a_hundred_rounds_are_refused() -> None:
    """(p - q)^2 = 8 * rounds * sqrt(n), nearly: within the hundred rounds of the Baseline Requirements, and beyond them."""
    q = random_prime(5)
    assert weakness(public(q * next_prime(q + (24 << (HALF // 2))))) == "close-primes"
    refuse_weak_key(public(q * next_prime(q + (30 << (HALF // 2)))))


def test_primes_that_differ_in_their_upper_half_pass_fermat() -> None:
    q = random_prime(6)
    refuse_weak_key(public(q * next_prime(q + (1 << (HALF - 100)))))


def test_roca_keys_are_refused() -> None:
    assert weakness(public(roca_prime(7) * roca_prime(8))) == "roca"


def test_one_roca_prime_is_not_taken_for_a_roca_key() -> None:
    refuse_weak_key(public(roca_prime(7) * random_prime(9)))


@pytest.mark.parametrize("factor", [2, 3, 751, 65537])
def test_small_factors_are_refused(factor: int) -> None:
    assert weakness(public(factor * (random.Random(10).getrandbits(2047) | 1 << 2046 | 1))) == "small-factors"


def test_primes_shared_with_published_keys_are_refused() -> None:
    assert weakness(public(SHARED)) == "shared-primes"


def test_small_private_exponents_are_refused() -> None:
    """Their public exponent is as long as the modulus, so the rule on exponents comes first; the method itself is asked beside it."""
    key = small_private_exponent()
    assert weakness(key) == "exponent"
    numbers = key.public_numbers()
    assert badkeys.checkrsa(numbers.n, numbers.e, checks=["smalld"])


def test_a_modulus_with_a_pattern_of_zeros_is_refused() -> None:
    """Only the lowest 16 of each 128 bits are set: the modulus is a polynomial in 2^128 with small coefficients."""
    rng = random.Random(12)
    n = 0
    while n.bit_length() < 2048 or any(n % small == 0 for small in range(3, 65537, 2)):
        n = 1 << 2047 | sum((rng.getrandbits(15) | 1) << (128 * chunk) for chunk in range(16)) | 1
        n = n & ~(((1 << 112) - 1) << (128 * 15 + 16)) | 1 << 2047
    assert weakness(public(n)) == "zero-pattern"


# --- by list ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def listed(tmp_path: Path) -> tuple[WeakKeys, rsa.RSAPublicKey, ec.EllipticCurvePublicKey]:
    on_curve = SoftwareKey.generate().private_key.public_key()
    assert isinstance(on_curve, ec.EllipticCurvePublicKey)
    others = [random.Random(13).getrandbits(2048) for _ in range(1_000)]
    folder = write_blocklist(tmp_path / "blocklist", sound().public_numbers().n, on_curve.public_numbers().x, *others)
    return WeakKeys(Blocklist.open(folder)), sound(), on_curve


def test_keys_on_the_blocklist_are_refused(listed: tuple[WeakKeys, rsa.RSAPublicKey, ec.EllipticCurvePublicKey]) -> None:
    check, modulus, point = listed
    for key in (modulus, point):
        with pytest.raises(
            WeakKeyError, match=r"weak key \(listed\): it is on the blocklist debianopenssl; its private key is known"
        ) as caught:
            check(key)
        assert caught.value.weakness == "listed"


def test_keys_that_are_not_on_it_pass(listed: tuple[WeakKeys, rsa.RSAPublicKey, ec.EllipticCurvePublicKey]) -> None:
    check = listed[0]
    for curve in CURVES:
        check(ec.generate_private_key(curve).public_key())
    check(sound(3072))


def test_the_list_reads_as_badkeys_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same files, asked by the library that made the format, in a process of its own: it keeps them open for good."""
    numbers = [random.Random(n).getrandbits(2048) | 1 for n in range(50)]
    folder = write_blocklist(tmp_path / "badkeys", *numbers[:25])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked = f"import badkeys; print([bool(badkeys.checkrsa(n, checks=['blocklist'])) for n in {numbers}])"
    theirs = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True).stdout.strip()
    blocklist = Blocklist.open(folder)
    assert str([blocklist.list_of(public(n)) is not None for n in numbers]) == theirs == str([True] * 25 + [False] * 25)


def test_the_check_says_whether_it_knows_lists(tmp_path: Path) -> None:
    assert not WeakKeys().knows_lists
    assert WeakKeys(Blocklist.open(write_blocklist(tmp_path, 3))).knows_lists


def test_a_number_without_a_name_is_told_by_number(tmp_path: Path) -> None:
    folder = write_blocklist(tmp_path, sound().public_numbers().n)
    (folder / "badkeysdata.json").write_text('{"blocklists": []}')
    with pytest.raises(WeakKeyError, match="on the blocklist number 1"):
        WeakKeys(Blocklist.open(folder))(sound())


@pytest.mark.parametrize(
    ("file", "content", "text"),
    [
        ("blocklist.dat", None, "No such file or directory; expected blocklist.dat and badkeysdata.json"),
        ("blocklist.dat", b"", r"not in the format of badkeys \(ValueError\)"),
        ("blocklist.dat", bytes(17), "blocklist.dat is no sorted list of 16-octet records"),
        ("blocklist.dat", b"\xff" * 16 + bytes(16), "blocklist.dat is no sorted list of 16-octet records"),
        ("badkeysdata.json", None, "No such file or directory"),
        ("badkeysdata.json", b"[]", r"not in the format of badkeys \(TypeError\)"),
        ("badkeysdata.json", b"{", r"not in the format of badkeys \(JSONDecodeError\)"),
    ],
)
def test_a_broken_list_is_refused(tmp_path: Path, file: str, content: bytes | None, text: str) -> None:
    folder = write_blocklist(tmp_path, 3, 5)
    (folder / file).unlink() if content is None else (folder / file).write_bytes(content)
    with pytest.raises(KeyStoreError, match=f"blocklist .*: {text}"):
        Blocklist.open(folder)


# --- where it is asked -----------------------------------------------------------------------------------------------------------


def test_the_authority_asks_before_it_prepares() -> None:
    house = make_authority()
    seal = house.issue_seal()
    request = CertificateRequest(profile="school-seal", subject=seal.subject, public_key=public(random_prime(4) ** 2), holder="seal/x")
    with pytest.raises(WeakKeyError, match="close-primes"):
        house.established.issuing.prepare(request)


def test_importing_the_module_does_not_load_the_arithmetic() -> None:
    asked = "import sys, pki.keys.weak_keys, pki.issuing.issue; print('badkeys' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True).stdout.strip() == "False"
