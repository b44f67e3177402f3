"""What every key store promises (pki.ports.KeyStore), held against each: the encrypted folder, and a token behind PKCS#11."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pki.errors import KeyNotFoundError, KeyStoreError, UnsupportedAlgorithmError, WrongSecretError
from pki.keys.key_stores import open_key_store
from pki.keys.wrap import MAX_SECRET
from pki.ports import KeyStore
from tests.support.softhsm import PIN, SoftHsm

Open = Callable[..., KeyStore]


@pytest.fixture(params=["file", "pkcs11"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes URIs of stores that do not stand yet, all opened by :data:`PIN`."""
    if request.param == "file":
        return lambda: f"file:{tmp_path}/{len(list(tmp_path.iterdir()))}"
    hsm: SoftHsm = request.getfixturevalue("softhsm")
    return lambda: hsm.token().uri()


@pytest.fixture
def uri(place: Callable[[], str]) -> str:
    return place()


@pytest.fixture
def keys(uri: str) -> KeyStore:
    return open_key_store(uri, PIN, create=True)


def reopened(uri: str) -> KeyStore:
    return open_key_store(uri, PIN)


def test_a_new_store_holds_no_key(keys: KeyStore) -> None:
    assert keys.labels() == ()


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_a_key_signs_alike_after_reopening(keys: KeyStore, uri: str, curve: str) -> None:
    made = keys.generate("issuing", curve=curve)
    found = reopened(uri).open("issuing")
    assert found.public_key() == made.public_key()
    assert found.algorithm is made.algorithm
    made.algorithm.verify(found.public_key(), found.sign(b"data"), b"data")


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_signatures_are_minimal_der(keys: KeyStore, curve: str) -> None:
    """Short r and s, and those with the high bit set, come once in some hundred signatures."""
    key = keys.generate("tsa", curve=curve)
    for number in range(300):
        signature = key.sign(b"%d" % number)
        key.algorithm.verify(key.public_key(), signature, b"%d" % number)
        assert all(value > 0 for value in decode_dss_signature(signature))


def test_labels_are_sorted(keys: KeyStore) -> None:
    for label in ("tsa", "issuing", "seal.school-1_a"):
        keys.generate(label)
    assert keys.labels() == ("issuing", "seal.school-1_a", "tsa")


def test_a_taken_label_is_refused_and_its_key_stays(keys: KeyStore, uri: str) -> None:
    made = keys.generate("issuing")
    with pytest.raises(KeyStoreError, match="a key 'issuing' stands already; it was not touched"):
        keys.generate("issuing")
    assert reopened(uri).open("issuing").public_key() == made.public_key()


def test_an_unknown_label_is_not_found(keys: KeyStore) -> None:
    with pytest.raises(KeyNotFoundError, match="holds no key 'tsa'"):
        keys.open("tsa")


@pytest.mark.parametrize("label", ["", "../root", "a/b", "Root", ".hidden", "a" * 101, "a\n"])
def test_what_is_no_label_is_refused(keys: KeyStore, label: str) -> None:
    for action in (keys.generate, keys.open):
        with pytest.raises(KeyStoreError, match="expected 1 to 100 lower-case letters"):
            action(label)


def test_an_unknown_curve_makes_no_key(keys: KeyStore) -> None:
    with pytest.raises(UnsupportedAlgorithmError, match="'P-192' is not one of P-256"):
        keys.generate("issuing", curve="P-192")
    assert keys.labels() == ()


def test_a_wrong_secret_is_refused_and_says_what_to_check(keys: KeyStore, uri: str) -> None:
    with pytest.raises(WrongSecretError, match=r"does not open the key store .* check EDUSEAL_PASSPHRASE") as caught:
        open_key_store(uri, "another secret")
    assert "another secret" not in str(caught.value)


def test_a_store_that_was_never_made_is_not_opened(uri: str) -> None:
    with pytest.raises(KeyStoreError, match="holds no key store"):
        reopened(uri)


def test_creating_a_store_that_stands_opens_it(keys: KeyStore, uri: str) -> None:
    made = keys.generate("issuing")
    assert open_key_store(uri, PIN, create=True).open("issuing").public_key() == made.public_key()


def test_wrapped_secrets_open_again_after_reopening(keys: KeyStore, uri: str) -> None:
    assert reopened(uri).unwrap(keys.wrap(b"secret", context=b"teacher/1"), context=b"teacher/1") == b"secret"


@settings(derandomize=True, max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=st.binary(max_size=5000), context=st.binary(max_size=300))
def test_whatever_is_wrapped_is_unwrapped(keys: KeyStore, secret: bytes, context: bytes) -> None:
    wrapped = keys.wrap(secret, context=context)
    assert keys.unwrap(wrapped, context=context) == secret
    with pytest.raises(WrongSecretError):
        keys.unwrap(wrapped, context=context + b"\0")


@pytest.mark.parametrize("size", [MAX_SECRET, 0])
def test_long_secrets_and_empty_ones_are_wrapped(keys: KeyStore, size: int) -> None:
    assert keys.unwrap(keys.wrap(bytes(size), context=b"c"), context=b"c") == bytes(size)


def test_a_secret_beyond_the_limit_is_refused(keys: KeyStore) -> None:
    with pytest.raises(ValueError, match="at most 1048576 are"):
        keys.wrap(bytes(MAX_SECRET + 1), context=b"")


def test_the_same_secret_is_never_wrapped_alike(keys: KeyStore) -> None:
    assert len({keys.wrap(b"secret", context=b"") for _ in range(100)}) == 100


@pytest.mark.parametrize("context", [b"", b"teacher/2", b"teacher/11", b"\x02teacher/1"])
def test_a_wrapped_secret_is_bound_to_its_context(keys: KeyStore, context: bytes) -> None:
    with pytest.raises(WrongSecretError):
        keys.unwrap(keys.wrap(b"secret", context=b"teacher/1"), context=context)


def test_every_altered_octet_is_found_and_the_store_goes_on(keys: KeyStore) -> None:
    wrapped = keys.wrap(b"secret", context=b"c")
    for position in range(len(wrapped)):
        altered = bytearray(wrapped)
        altered[position] ^= 0x20
        with pytest.raises(WrongSecretError):
            keys.unwrap(bytes(altered), context=b"c")
    assert keys.unwrap(wrapped, context=b"c") == b"secret"


@pytest.mark.parametrize("kept", [0, 1, 12, 13, 28, 34])
def test_a_shortened_secret_is_refused(keys: KeyStore, kept: int) -> None:
    with pytest.raises(WrongSecretError):
        keys.unwrap(keys.wrap(b"secret", context=b"")[:kept], context=b"")


def test_stores_do_not_open_each_others_secrets(keys: KeyStore, place: Callable[[], str]) -> None:
    other = open_key_store(place(), PIN, create=True)
    with pytest.raises(WrongSecretError):
        other.unwrap(keys.wrap(b"secret", context=b""), context=b"")


def test_kinds_of_stores_do_not_open_each_others_secrets(tmp_path: Path, softhsm: SoftHsm) -> None:
    folder = open_key_store(f"file:{tmp_path}/keys", PIN, create=True)
    token = open_key_store(softhsm.token().uri(), PIN, create=True)
    for one, other in ((folder, token), (token, folder)):
        with pytest.raises(WrongSecretError):
            other.unwrap(one.wrap(b"secret", context=b""), context=b"")
