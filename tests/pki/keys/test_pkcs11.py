"""Keys in a token: made there, never to leave; PINs, loss of the token, threads, forks and other processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pkcs11 import Attribute, KeyType, ObjectClass

from pki.errors import KeyNotFoundError, KeyStoreError, WrongSecretError
from pki.keys.key_stores import open_key_store
from pki.keys.pkcs11.module import PinBlockedError, TokenLostError
from pki.keys.pkcs11.store import Pkcs11KeyStore
from tests.support.softhsm import MODULE, PIN, SO_PIN, SoftHsm, Token

P256 = bytes.fromhex("06082a8648ce3d030107")


@pytest.fixture
def token(softhsm: SoftHsm) -> Iterator[Token]:
    made = softhsm.token()
    yield made
    if not made.folder.exists():
        made.bring_back()


@pytest.fixture
def keys(token: Token) -> Pkcs11KeyStore:
    return opened(token, create=True)


def opened(token: Token, pin: str = PIN, *, create: bool = False, prefix: str | None = None) -> Pkcs11KeyStore:
    store = open_key_store(token.uri(prefix), pin, create=create)
    assert isinstance(store, Pkcs11KeyStore)
    return store


@pytest.fixture
def session(keys: Pkcs11KeyStore, token: Token) -> pkcs11.Session:
    """Past our store, in its login: what somebody with the PIN can do."""
    keys.labels()
    return pkcs11.lib(str(MODULE)).get_token(token_label=token.label).open(rw=True)


def objects(session: pkcs11.Session, **wanted: Any) -> list[Any]:
    return list(session.get_objects({Attribute[name.upper()]: value for name, value in wanted.items()}))


# keys stay


def test_keys_bear_the_stores_prefix_and_are_a_pair_and_a_secret(keys: Pkcs11KeyStore, session: pkcs11.Session) -> None:
    keys.generate("issuing")
    assert {(each.object_class, each[Attribute.LABEL]) for each in objects(session)} == {
        (ObjectClass.PRIVATE_KEY, "eduseal/issuing"),
        (ObjectClass.PUBLIC_KEY, "eduseal/issuing"),
        (ObjectClass.SECRET_KEY, "eduseal/kek"),
    }


ALWAYS = {"token": True, "private": True, "sensitive": True, "extractable": False}
MADE_THERE = {"local": True, "always_sensitive": True, "never_extractable": True}


def attributes(key: Any, names: set[str]) -> dict[str, Any]:
    return {name: key[Attribute[name.upper()]] for name in names}


def test_a_signing_key_was_made_in_the_token_stays_there_and_only_signs(keys: Pkcs11KeyStore, session: pkcs11.Session) -> None:
    keys.generate("issuing")
    (key,) = objects(session, **{"class": ObjectClass.PRIVATE_KEY})
    expected = ALWAYS | MADE_THERE | {"sign": True, "decrypt": False, "unwrap": False, "derive": False}
    assert attributes(key, set(expected)) == expected


def test_the_key_encryption_key_is_aes_256_and_neither_wraps_signs_nor_derives(keys: Pkcs11KeyStore, session: pkcs11.Session) -> None:
    (key,) = objects(session, label="eduseal/kek")
    uses = {"encrypt": True, "decrypt": True, "wrap": False, "unwrap": False, "sign": False, "verify": False, "derive": False}
    expected = ALWAYS | MADE_THERE | uses | {"key_type": KeyType.AES, "value_len": 32}
    assert attributes(key, set(expected)) == expected


@pytest.mark.parametrize("label", ["eduseal/issuing", "eduseal/kek"])
def test_no_key_can_be_read(keys: Pkcs11KeyStore, session: pkcs11.Session, label: str) -> None:
    keys.generate("issuing")
    (key,) = [each for each in objects(session, label=label) if each.object_class is not ObjectClass.PUBLIC_KEY]
    with pytest.raises(pkcs11.exceptions.AttributeSensitive):
        key[Attribute.VALUE]


@pytest.mark.parametrize("label", ["eduseal/issuing", "eduseal/kek"])
def test_no_key_can_be_wrapped_out(keys: Pkcs11KeyStore, session: pkcs11.Session, label: str) -> None:
    keys.generate("issuing")
    (key,) = [each for each in objects(session, label=label) if each.object_class is not ObjectClass.PUBLIC_KEY]
    thief = session.generate_key(KeyType.AES, 256)
    with pytest.raises((pkcs11.exceptions.KeyUnextractable, pkcs11.exceptions.KeyNotWrappable)):
        thief.wrap_key(key)


@pytest.mark.parametrize(("attribute", "value"), [("extractable", True), ("sensitive", False)])
def test_no_key_can_be_made_to_leave_later(keys: Pkcs11KeyStore, session: pkcs11.Session, attribute: str, value: bool) -> None:
    keys.generate("issuing")
    for key in [*objects(session, **{"class": ObjectClass.PRIVATE_KEY}), *objects(session, label="eduseal/kek")]:
        with pytest.raises(pkcs11.exceptions.AttributeReadOnly):
            key[Attribute[attribute.upper()]] = value


def plant(session: pkcs11.Session, label: str, **private: Any) -> None:
    parameters = session.create_domain_parameters(KeyType.EC, {Attribute.EC_PARAMS: P256}, local=True)
    template = {Attribute[name.upper()]: value for name, value in private.items()}
    parameters.generate_keypair(label=label, store=True, private_template=template)


@pytest.mark.parametrize(("private", "said"), [({"extractable": True}, "EXTRACTABLE True"), ({"sensitive": False}, "SENSITIVE False")])
def test_a_key_that_could_leave_is_not_used(keys: Pkcs11KeyStore, session: pkcs11.Session, private: dict[str, bool], said: str) -> None:
    plant(session, "eduseal/tsa", **private)
    with pytest.raises(KeyStoreError, match=f"key 'eduseal/tsa' has {said}: it was not made to stay in the token, and is not used"):
        keys.open("tsa")


def test_an_imported_key_is_not_used(keys: Pkcs11KeyStore, session: pkcs11.Session) -> None:
    numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
    kinds = {Attribute.KEY_TYPE: KeyType.EC, Attribute.EC_PARAMS: P256, Attribute.LABEL: "eduseal/tsa", Attribute.TOKEN: True}
    value = {Attribute.VALUE: numbers.private_value.to_bytes(32, "big"), Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
    session.create_object(kinds | value | {Attribute.CLASS: ObjectClass.PRIVATE_KEY})
    with pytest.raises(KeyStoreError, match="has ALWAYS_SENSITIVE False: it was not made to stay"):
        keys.open("tsa")


def test_a_planted_key_encryption_key_is_not_used(token: Token, session: pkcs11.Session) -> None:
    value = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.KEY_TYPE: KeyType.AES, Attribute.VALUE: bytes(32)}
    session.create_object(value | {Attribute.LABEL: "other/kek", Attribute.TOKEN: True, Attribute.SENSITIVE: True})
    with pytest.raises(KeyStoreError, match=r"key 'other/kek' has .*: it was not made to stay in the token"):
        opened(token, prefix="other").wrap(b"secret", context=b"")


def test_a_public_half_of_another_key_is_found_out(keys: Pkcs11KeyStore, session: pkcs11.Session) -> None:
    keys.generate("issuing")
    keys.generate("tsa")
    (public,) = objects(session, label="eduseal/tsa", **{"class": ObjectClass.PUBLIC_KEY})
    public.destroy()
    (other,) = objects(session, label="eduseal/issuing", **{"class": ObjectClass.PUBLIC_KEY})
    other.copy({Attribute.LABEL: "eduseal/tsa", Attribute.TOKEN: True})
    with pytest.raises(KeyStoreError, match="the halves of key 'tsa' do not belong together"):
        keys.open("tsa")


def test_a_missing_public_half_is_said_to_be_missing(keys: Pkcs11KeyStore, session: pkcs11.Session) -> None:
    keys.generate("tsa")
    (public,) = objects(session, label="eduseal/tsa", **{"class": ObjectClass.PUBLIC_KEY})
    public.destroy()
    with pytest.raises(KeyStoreError, match="key 'tsa' lacks its public half"):
        keys.open("tsa")


def test_a_label_that_stands_twice_is_refused(keys: Pkcs11KeyStore, session: pkcs11.Session) -> None:
    for _ in range(2):
        plant(session, "eduseal/tsa")
    with pytest.raises(KeyStoreError, match="holds 2 objects 'eduseal/tsa', expected one"):
        keys.open("tsa")


def test_prefixes_keep_authorities_in_one_token_apart(keys: Pkcs11KeyStore, token: Token) -> None:
    keys.generate("issuing")
    other = opened(token, prefix="eduseal2", create=True)
    assert other.labels() == ()
    with pytest.raises(KeyNotFoundError):
        other.open("issuing")
    with pytest.raises(WrongSecretError):
        other.unwrap(keys.wrap(b"secret", context=b""), context=b"")


# PINs


def test_a_pin_is_refused_to_a_second_store_though_the_process_is_logged_in(keys: Pkcs11KeyStore, token: Token) -> None:
    with pytest.raises(WrongSecretError, match="the PIN does not open the key store"):
        opened(token, "a wrong PIN")


@pytest.mark.parametrize("pin", ["1", "x" * 300, "", "a wrong PIN"])
def test_a_pin_of_any_length_is_refused_alike(token: Token, pin: str) -> None:
    with pytest.raises(WrongSecretError, match="tokens lock after a few wrong PINs"):
        opened(token, pin)


def test_a_refused_pin_is_tried_once(softhsm: SoftHsm, token: Token, keys: Pkcs11KeyStore) -> None:
    """So that a service whose PIN was changed under it does not lock the token."""
    key = keys.generate("tsa")
    away_and_back(token)
    change_pin(softhsm, token, "another PIN")
    with pytest.raises(WrongSecretError):
        key.sign(b"data")
    change_pin(softhsm, token, PIN)
    with pytest.raises(WrongSecretError):
        key.sign(b"data")
    away_and_back(token)
    assert opened(token).open("tsa").public_key() == key.public_key()


def change_pin(softhsm: SoftHsm, token: Token, pin: str) -> None:
    """By the security officer, in another process."""
    script = (
        f"import pkcs11; t = pkcs11.lib({str(MODULE)!r}).get_token(token_label={token.label!r}); "
        f"t.open(rw=True, so_pin={SO_PIN!r}).init_pin({pin!r})"
    )
    subprocess.run([sys.executable, "-c", script], env={**os.environ, **softhsm.variables}, check=True, timeout=30)


def away_and_back(token: Token) -> None:
    """So that the store has to log in again."""
    token.take_away()
    with pytest.raises(KeyStoreError):
        opened(token)
    token.bring_back()


def test_a_token_whose_pin_was_never_set_says_who_must_set_it(softhsm: SoftHsm) -> None:
    token = softhsm.token_without_pin()
    message = rf"token '{token.label}' takes no PIN now \(UserPinNotInitialized\); its security officer must set a new one"
    with pytest.raises(PinBlockedError, match=message):
        opened(token)


def test_errors_and_reprs_show_no_pin(token: Token, keys: Pkcs11KeyStore) -> None:
    assert PIN not in repr(vars(keys)) + repr(keys._token._connection._held)
    with pytest.raises(WrongSecretError) as caught:
        opened(token, "a wrong PIN")
    assert "a wrong PIN" not in str(caught.value)


# the token comes and goes


def test_an_absent_token_is_named_with_those_that_are_there(softhsm: SoftHsm, token: Token) -> None:
    with pytest.raises(TokenLostError, match=rf"token 'no such token' is not there; .* \(tokens seen: .*'{token.label}'"):
        open_key_store(f"pkcs11:token=no%20such%20token?module-path={MODULE}", PIN)


def test_a_module_that_cannot_be_loaded_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "module.so").write_bytes(b"not a library")
    for name in ("module.so", "none.so"):
        with pytest.raises(KeyStoreError, match=r"PKCS#11 module .* cannot be loaded \(PKCS11Error\); check module-path"):
            open_key_store(f"pkcs11:token=a?module-path={tmp_path / name}", PIN)


def test_a_library_that_is_no_module_is_refused() -> None:
    library = next(Path("/usr/lib").rglob("libcrypto.so.*"))
    with pytest.raises(KeyStoreError, match="cannot be loaded"):
        open_key_store(f"pkcs11:token=a?module-path={library}", PIN)


def test_a_lost_token_is_a_typed_error_and_works_again_when_it_is_back(token: Token, keys: Pkcs11KeyStore) -> None:
    key, wrapped = keys.generate("tsa"), keys.wrap(b"secret", context=b"c")
    token.take_away()
    for action in (lambda: key.sign(b"data"), lambda: keys.unwrap(wrapped, context=b"c"), lambda: keys.wrap(b"", context=b""), keys.labels):
        with pytest.raises(TokenLostError, match=f"token '{token.label}' is not there; plug it in"):
            action()
    token.bring_back()
    key.algorithm.verify(key.public_key(), key.sign(b"data"), b"data")
    assert keys.unwrap(wrapped, context=b"c") == b"secret"


def test_one_tokens_loss_does_not_disturb_another(softhsm: SoftHsm, token: Token, keys: Pkcs11KeyStore) -> None:
    other = opened(softhsm.token(), create=True)
    key, others = keys.generate("tsa"), other.generate("tsa")
    token.take_away()
    with pytest.raises(TokenLostError):
        key.sign(b"data")
    others.algorithm.verify(others.public_key(), others.sign(b"data"), b"data")
    token.bring_back()
    for each in (key, others):  # handles of one token are never used in the other, whatever numbers they were given again
        each.algorithm.verify(each.public_key(), each.sign(b"data"), b"data")


def test_a_key_removed_from_the_token_is_not_found(keys: Pkcs11KeyStore, session: pkcs11.Session) -> None:
    key = keys.generate("tsa")
    for each in objects(session, label="eduseal/tsa"):
        each.destroy()
    with pytest.raises(KeyNotFoundError, match="the token holds no key 'eduseal/tsa'"):
        key.sign(b"data")


# threads, forks, processes


def test_threads_share_a_store(keys: Pkcs11KeyStore) -> None:
    key, failed = keys.generate("tsa"), []

    def work(number: int) -> None:
        try:
            for turn in range(100):
                data = b"%d %d" % (number, turn)
                key.algorithm.verify(key.public_key(), key.sign(data), data)
                assert keys.unwrap(keys.wrap(data, context=data), context=data) == data
        except BaseException as exc:
            failed.append(exc)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def run(softhsm: SoftHsm, script: str, *arguments: str) -> list[subprocess.CompletedProcess[str]]:
    """Two processes at once."""
    command = [sys.executable, "-c", script, *arguments]
    environment = {**os.environ, **softhsm.variables, "PIN": PIN}
    started = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    return [subprocess.CompletedProcess(command, each.wait(60), *each.communicate()) for each in started]


FORKING = """
import os, sys, threading
from pki.keys.key_stores import open_key_store
from pki.keys.pkcs11.module import MODULES
keys = open_key_store(sys.argv[1], os.environ["PIN"])
key, wrapped = keys.open("tsa"), keys.wrap(b"secret", context=b"c")
def check():
    for _ in range(50):
        key.algorithm.verify(key.public_key(), key.sign(b"data"), b"data")
        assert keys.unwrap(wrapped, context=b"c") == b"secret"
def hold():
    with module.lock:
        held.set()
        forked.wait()
(module,), held, forked = MODULES.values(), threading.Event(), threading.Event()
threading.Thread(target=hold).start()
held.wait()
children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        check()
        os._exit(0)
    children.append(child)
forked.set()
check()
print([os.waitpid(child, 0)[1] for child in children])
"""


def test_children_made_by_fork_log_in_anew_and_leave_the_parent_alone(softhsm: SoftHsm, token: Token, keys: Pkcs11KeyStore) -> None:
    keys.generate("tsa")
    for done in run(softhsm, FORKING, token.uri()):
        assert (done.returncode, done.stdout, done.stderr) == (0, "[0, 0, 0, 0]\n", "")


RACING = """
import os, sys
from pki.errors import KeyStoreError
from pki.keys.key_stores import open_key_store
keys = open_key_store(sys.argv[1], os.environ["PIN"])
for number in range(20):
    try:
        keys.generate(f"seal-{number}")
    except KeyStoreError:
        pass
"""


def test_two_processes_never_leave_two_keys_under_one_label(
    softhsm: SoftHsm, token: Token, keys: Pkcs11KeyStore, session: pkcs11.Session
) -> None:
    for done in run(softhsm, RACING, token.uri()):
        assert (done.returncode, done.stderr) == (0, "")
    found = [each[Attribute.LABEL] for each in objects(session, **{"class": ObjectClass.PRIVATE_KEY})]
    assert len(found) == len(set(found))
    assert [keys.open(label).public_key() for label in keys.labels()]


STARTING = """
import os, sys
from pki.keys.key_stores import open_key_store
from pki.keys.pkcs11.module import MODULES
keys = open_key_store(sys.argv[1], os.environ["PIN"])
for _ in range(15):
    key = keys.open("tsa")
    key.algorithm.verify(key.public_key(), key.sign(b"data"), b"data")
    for module in MODULES.values():
        module.restart()
"""


def test_processes_that_log_in_over_and_over_do_not_lose_the_token(softhsm: SoftHsm, token: Token, keys: Pkcs11KeyStore) -> None:
    """SoftHSM writes a token's file at every login; a process that starts at that moment does not see the token."""
    keys.generate("tsa")
    for done in run(softhsm, STARTING, token.uri()):
        assert (done.returncode, done.stderr) == (0, "")


def test_a_token_that_lacks_a_mechanism_is_refused_by_its_name(softhsm: SoftHsm, token: Token, tmp_path: Path) -> None:
    lines = Path(softhsm.variables["SOFTHSM2_CONF"]).read_text()
    (tmp_path / "softhsm2.conf").write_text(f"{lines}slots.mechanisms = CKM_EC_KEY_PAIR_GEN,CKM_ECDSA,CKM_AES_KEY_GEN\n")
    script = "import os, sys; from pki.keys.key_stores import open_key_store as o; o(sys.argv[1], os.environ['PIN'], create=True)"
    environment = {**os.environ, "SOFTHSM2_CONF": str(tmp_path / "softhsm2.conf"), "PIN": PIN}
    done = subprocess.run(
        [sys.executable, "-c", script, token.uri()], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert f"token '{token.label}' lacks CKM_AES_GCM; docs/hsm.md says what it must do" in done.stderr


def test_a_folder_store_loads_nothing_of_pkcs11(tmp_path: Path) -> None:
    script = (
        "import sys; from pki.keys.key_stores import open_key_store as o; o(sys.argv[1], 'x' * 9, create=True); "
        "print('pkcs11' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script, f"file:{tmp_path}/keys"], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\n"
