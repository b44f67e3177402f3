from __future__ import annotations

import gc
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pki.errors import KeyStoreError, WrongSecretError
from pki.keys.holderkey import MAGIC, KeyClosedError, is_activated, open_holder_key, rewrap, wrap_holder_key
from pki.keys.kdf import KdfParameters, KeyDerivation
from pki.keys.key_stores import open_key_store
from pki.keys.keystore import FileKeyStore
from pki.keys.pin import ActivationCode, Pin, new_activation_code
from pki.keys.softkey import SoftwareKey
from pki.ports import KeyStore
from tests.support.softhsm import PIN as HSM_PIN
from tests.support.softhsm import SoftHsm

KDF = KeyDerivation(KdfParameters(time_cost=1, memory_kib=8, lanes=1))
PIN = Pin("con mèo béo 7")
HOLDER = "teacher/17"
REFUSED = "^the PIN or activation code does not open this key$"


@pytest.fixture(params=["file", "pkcs11"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> KeyStore:
    if request.param == "file":
        return FileKeyStore.create(tmp_path / "keys", passphrase="passphrase of the store", kdf=KDF)
    hsm: SoftHsm = request.getfixturevalue("softhsm")
    return open_key_store(hsm.token().uri(), HSM_PIN, create=True)


def pkcs8(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


KEY = ec.generate_private_key(ec.SECP256R1())


def wrapped_under(secret: Pin | ActivationCode, keys: KeyStore, holder: str = HOLDER) -> bytes:
    return wrap_holder_key(pkcs8(KEY), secret, keys=keys, holder=holder, kdf=KDF)


def sign(wrapped: bytes, pin: Pin, keys: KeyStore, holder: str = HOLDER) -> bytes:
    with open_holder_key(wrapped, pin, keys=keys, holder=holder, kdf=KDF) as key:
        signature = key.sign(b"data")
        key.algorithm.verify(key.public_key(), signature, b"data")
    return signature


def test_the_holders_pin_opens_the_key(keys: KeyStore) -> None:
    signature = sign(wrapped_under(PIN, keys), PIN, keys)
    SoftwareKey(KEY).algorithm.verify(KEY.public_key(), signature, b"data")


def test_an_rsa_key_is_wrapped_as_well(keys: KeyStore) -> None:
    wrapped = wrap_holder_key(pkcs8(rsa.generate_private_key(65537, 2048)), PIN, keys=keys, holder=HOLDER, kdf=KDF)
    assert sign(wrapped, PIN, keys)


def test_a_wrong_pin_is_refused(keys: KeyStore) -> None:
    with pytest.raises(WrongSecretError, match=REFUSED):
        sign(wrapped_under(PIN, keys), Pin("con mèo béo 8"), keys)


def test_another_holder_is_refused(keys: KeyStore) -> None:
    with pytest.raises(WrongSecretError, match=REFUSED):
        sign(wrapped_under(PIN, keys), PIN, keys, holder="teacher/18")


def test_another_key_store_is_refused(keys: KeyStore, tmp_path: Path) -> None:
    other = FileKeyStore.create(tmp_path / "other", passphrase="passphrase of the store", kdf=KDF)
    with pytest.raises(WrongSecretError, match=REFUSED):
        sign(wrapped_under(PIN, keys), PIN, other)


def test_every_altered_octet_is_found(keys: KeyStore) -> None:
    wrapped = wrapped_under(PIN, keys)
    for position in range(len(wrapped)):
        altered = bytearray(wrapped)
        altered[position] ^= 1
        with pytest.raises(KeyStoreError):
            sign(bytes(altered), PIN, keys)


def test_a_key_under_its_activation_code_does_not_sign(keys: KeyStore) -> None:
    code = new_activation_code()
    wrapped = wrapped_under(code, keys)
    assert not is_activated(wrapped)
    with pytest.raises(WrongSecretError, match=REFUSED):
        sign(wrapped, Pin(code.text), keys)


def test_relabelling_a_key_as_activated_does_not_help(keys: KeyStore) -> None:
    code = new_activation_code()
    wrapped = wrapped_under(code, keys)
    relabelled = MAGIC + b"P" + wrapped[len(MAGIC) + 1 :]
    with pytest.raises(WrongSecretError, match=REFUSED):
        sign(relabelled, Pin(code.text), keys)


def test_activation_puts_the_key_under_a_pin(keys: KeyStore) -> None:
    code = new_activation_code()
    activated = rewrap(wrapped_under(code, keys), code, PIN, keys=keys, holder=HOLDER, kdf=KDF)
    assert is_activated(activated)
    SoftwareKey(KEY).algorithm.verify(KEY.public_key(), sign(activated, PIN, keys), b"data")


def test_a_used_code_opens_nothing(keys: KeyStore) -> None:
    code = new_activation_code()
    activated = rewrap(wrapped_under(code, keys), code, PIN, keys=keys, holder=HOLDER, kdf=KDF)
    with pytest.raises(WrongSecretError, match=REFUSED):
        rewrap(activated, code, Pin("another pin 99"), keys=keys, holder=HOLDER, kdf=KDF)


def test_a_wrong_code_does_not_activate(keys: KeyStore) -> None:
    with pytest.raises(WrongSecretError, match=REFUSED):
        rewrap(wrapped_under(new_activation_code(), keys), new_activation_code(), PIN, keys=keys, holder=HOLDER, kdf=KDF)


def test_a_changed_pin_replaces_the_old_one(keys: KeyStore) -> None:
    new = Pin("một con mèo khác")
    changed = rewrap(wrapped_under(PIN, keys), PIN, new, keys=keys, holder=HOLDER, kdf=KDF)
    assert sign(changed, new, keys)
    with pytest.raises(WrongSecretError, match=REFUSED):
        sign(changed, PIN, keys)


def test_the_cost_of_wrapping_is_kept_with_the_key(keys: KeyStore) -> None:
    wrapped = wrapped_under(PIN, keys)
    dearer = KeyDerivation(KdfParameters(time_cost=2, memory_kib=16, lanes=2))
    with open_holder_key(wrapped, PIN, keys=keys, holder=HOLDER, kdf=dearer) as key:
        assert key.sign(b"data")


def test_a_key_is_closed_after_its_block(keys: KeyStore) -> None:
    with open_holder_key(wrapped_under(PIN, keys), PIN, keys=keys, holder=HOLDER, kdf=KDF) as key:
        pass
    for use in (lambda: key.sign(b"data"), key.public_key, lambda: key.algorithm):
        with pytest.raises(KeyClosedError, match="the key was closed; enter the PIN again"):
            use()


def test_a_key_is_closed_after_an_error_in_its_block(keys: KeyStore) -> None:
    with pytest.raises(ZeroDivisionError), open_holder_key(wrapped_under(PIN, keys), PIN, keys=keys, holder=HOLDER, kdf=KDF) as key:
        raise ZeroDivisionError
    with pytest.raises(KeyClosedError):
        key.sign(b"data")


def test_no_key_object_outlives_the_block(keys: KeyStore) -> None:
    wrapped = wrapped_under(PIN, keys)
    gc.collect()
    before = sum(isinstance(thing, SoftwareKey) for thing in gc.get_objects())
    with open_holder_key(wrapped, PIN, keys=keys, holder=HOLDER, kdf=KDF) as key:
        key.sign(b"data")
    assert sum(isinstance(thing, SoftwareKey) for thing in gc.get_objects()) == before


@pytest.mark.parametrize("octets", [b"", b"EDUSEAL-HOLDER-1", b"EDUSEAL-HOLDER-1X" + bytes(90), b"EDUSEAL-HOLDER-2P" + bytes(90)])
def test_octets_of_another_form_are_refused(keys: KeyStore, octets: bytes) -> None:
    with pytest.raises(KeyStoreError, match="octets that are not of the form EDUSEAL-HOLDER-1"):
        sign(octets, PIN, keys)


@pytest.mark.parametrize("inner", [b"", bytes(10), bytes(60)])
def test_an_inner_layer_of_another_form_is_refused(keys: KeyStore, inner: bytes) -> None:
    octets = MAGIC + b"P" + keys.wrap(inner, context=MAGIC + b"P" + HOLDER.encode())
    with pytest.raises(KeyStoreError):
        sign(octets, PIN, keys)


def test_a_key_of_another_kind_is_not_wrapped(keys: KeyStore) -> None:
    with pytest.raises(KeyStoreError, match="is neither EC nor RSA"):
        wrap_holder_key(pkcs8(ed25519.Ed25519PrivateKey.generate()), PIN, keys=keys, holder=HOLDER, kdf=KDF)


def test_the_octets_show_neither_key_nor_pin(keys: KeyStore) -> None:
    wrapped = wrapped_under(PIN, keys)
    scalar = KEY.private_numbers().private_value.to_bytes(32, "big")
    for secret in (scalar[:8], scalar.hex()[:16].encode(), PIN.text.encode(), PIN.text.encode()[:6], HOLDER.encode()):
        assert secret not in wrapped
