from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.errors import KeyStoreError, WrongSecretError
from pki.keys.kdf import MAX_MEMORY_KIB, RFC9106_64MIB, KdfParameters, KeyDerivation
from pki.keys.wrap import MAX_SECRET, OVERHEAD, Sealer, subkey, wipe

CHEAP = KdfParameters(time_cost=1, memory_kib=8, lanes=1)
SEALER = Sealer(bytes(range(32)))


@settings(derandomize=True, deadline=None, database=None)
@given(secret=st.binary(max_size=200), context=st.binary(max_size=50))
def test_what_is_sealed_opens(secret: bytes, context: bytes) -> None:
    sealed = SEALER.seal(secret, context=context)
    assert SEALER.open(sealed, context=context) == secret
    assert len(sealed) == len(secret) + OVERHEAD


def test_sealing_twice_gives_different_octets() -> None:
    assert SEALER.seal(b"secret", context=b"") != SEALER.seal(b"secret", context=b"")


def test_another_context_does_not_open() -> None:
    with pytest.raises(WrongSecretError, match="the key or context is another"):
        SEALER.open(SEALER.seal(b"secret", context=b"teacher/1"), context=b"teacher/2")


def test_another_key_does_not_open() -> None:
    with pytest.raises(WrongSecretError, match="the key or context is another"):
        Sealer(bytes(32)).open(SEALER.seal(b"secret", context=b""), context=b"")


def test_every_altered_octet_is_found() -> None:
    sealed = SEALER.seal(b"secret", context=b"c")
    for position in range(len(sealed)):
        altered = bytearray(sealed)
        altered[position] ^= 1
        with pytest.raises(WrongSecretError):
            SEALER.open(bytes(altered), context=b"c")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x02" + bytes(40), b"\x01" + bytes(27)])
def test_octets_that_were_never_sealed_are_refused(sealed: bytes) -> None:
    with pytest.raises(WrongSecretError, match="octets that this version did not seal"):
        SEALER.open(sealed, context=b"")


def test_a_secret_too_long_is_not_sealed() -> None:
    with pytest.raises(ValueError, match="at most"):
        SEALER.seal(bytes(MAX_SECRET + 1), context=b"")


def test_a_key_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="sealing key of 16 octets, expected 32"):
        Sealer(bytes(16))


def test_subkeys_differ_by_purpose() -> None:
    assert subkey(bytes(32), "keys") != subkey(bytes(32), "secrets")


def test_wiped_octets_are_zero() -> None:
    secret = bytearray(b"secret")
    wipe(secret)
    assert secret == bytes(6)


def test_argon2id_gives_the_reference_value() -> None:
    """From test.c of the reference implementation (P-H-C/phc-winner-argon2), version 0x13."""
    kdf = KeyDerivation(KdfParameters(time_cost=2, memory_kib=256, lanes=1))
    expected = "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"
    assert kdf.derive("password", salt=b"somesalt").hex() == expected


def test_the_default_cost_is_the_64_mib_option_of_rfc_9106() -> None:
    assert KeyDerivation().parameters == KdfParameters(time_cost=3, memory_kib=65536, lanes=4) == RFC9106_64MIB


def test_same_text_in_another_unicode_form_derives_the_same_key() -> None:
    kdf = KeyDerivation(CHEAP)
    assert kdf.derive("mật khẩu", salt=bytes(16)) == kdf.derive("ma\u0302\u0323t kha\u0302\u0309u", salt=bytes(16))


def test_text_that_is_no_unicode_derives_a_key_too() -> None:
    assert len(KeyDerivation(CHEAP).derive("\ud800pass", salt=bytes(16))) == 32


@pytest.mark.parametrize("cost", [(0, 8, 1), (17, 8, 1), (1, 7, 1), (1, MAX_MEMORY_KIB + 1, 1), (1, 64, 0), (1, 1024, 17)])
def test_costs_outside_the_limits_are_refused(cost: tuple[int, int, int]) -> None:
    with pytest.raises(KeyStoreError, match="are not accepted"):
        KdfParameters(*cost)


def test_no_more_than_two_derivations_run_at_once() -> None:
    running: list[int] = []
    seen: list[int] = []

    def slow(*_: object, **__: object) -> bytes:
        running.append(1)
        seen.append(len(running))
        time.sleep(0.01)
        running.pop()
        return bytes(32)

    kdf = KeyDerivation(argon2id=slow)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: kdf.derive("secret", salt=bytes(16)), range(12)))
    assert max(seen) == 2
