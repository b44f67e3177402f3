"""The encrypted folder. What every key store promises is in test_key_store_contract.py."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pki.durable import read_private, replace, write_new
from pki.errors import KeyStoreError, WrongSecretError
from pki.keys.kdf import KdfParameters, KeyDerivation
from pki.keys.keystore import MAX_FILE, STORE_FILE, FileKeyStore, load_pkcs8
from pki.keys.passphrase import PassphraseError, find_passphrase

PASSPHRASE = "tám chữ cái trở lên"
KDF = KeyDerivation(KdfParameters(time_cost=1, memory_kib=8, lanes=1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def keys(folder: Path) -> FileKeyStore:
    return FileKeyStore.create(folder, passphrase=PASSPHRASE, kdf=KDF)


def reopened(folder: Path, passphrase: str = PASSPHRASE) -> FileKeyStore:
    return FileKeyStore.open_existing(folder, passphrase=passphrase, kdf=KDF)


def listing(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_taken_label_leaves_no_file(keys: FileKeyStore, folder: Path) -> None:
    keys.generate("issuing")
    with pytest.raises(KeyStoreError, match="a key 'issuing' stands already; it was not touched"):
        keys.generate("issuing")
    assert listing(folder) == {STORE_FILE, "issuing.key"}


def test_an_unknown_curve_leaves_no_file(keys: FileKeyStore, folder: Path) -> None:
    with pytest.raises(Exception, match="'P-192' is not one of P-256"):
        keys.generate("issuing", curve="P-192")
    assert listing(folder) == {STORE_FILE}


def test_folder_and_files_are_the_owners_alone(keys: FileKeyStore, folder: Path) -> None:
    keys.generate("issuing")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_wrong_passphrase_is_refused_and_says_what_to_check(keys: FileKeyStore, folder: Path) -> None:
    with pytest.raises(WrongSecretError, match=r"the passphrase does not open the key store .* check EDUSEAL_PASSPHRASE"):
        reopened(folder, "another passphrase")


def test_a_second_store_in_the_folder_is_refused(keys: FileKeyStore, folder: Path) -> None:
    keys.generate("issuing")
    with pytest.raises(KeyStoreError, match=r"store.json stands already; it was not touched"):
        FileKeyStore.create(folder, passphrase=PASSPHRASE, kdf=KDF)
    reopened(folder).open("issuing")


def test_a_folder_without_a_store_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreError, match=r"holds no key store \(no store.json\)"):
        reopened(tmp_path)


def test_a_short_passphrase_makes_no_store(folder: Path) -> None:
    with pytest.raises(PassphraseError, match="the passphrase has 3 characters, expected at least 8"):
        FileKeyStore.create(folder, passphrase="abc", kdf=KDF)
    assert not folder.exists()


def test_a_changed_passphrase_opens_what_was_there(keys: FileKeyStore, folder: Path) -> None:
    made = keys.generate("issuing")
    wrapped = keys.wrap(b"secret", context=b"c")
    keys.change_passphrase(PASSPHRASE, "một mật khẩu khác")
    found = reopened(folder, "một mật khẩu khác")
    assert found.open("issuing").public_key() == made.public_key()
    assert found.unwrap(wrapped, context=b"c") == b"secret"


def test_the_old_passphrase_opens_nothing_after_a_change(keys: FileKeyStore, folder: Path) -> None:
    keys.change_passphrase(PASSPHRASE, "một mật khẩu khác")
    with pytest.raises(WrongSecretError):
        reopened(folder)


def test_changing_the_passphrase_needs_the_old_one(keys: FileKeyStore, folder: Path) -> None:
    with pytest.raises(WrongSecretError):
        keys.change_passphrase("guess guess", "một mật khẩu khác")
    reopened(folder)


def test_a_key_file_cannot_be_opened_as_a_wrapped_secret(keys: FileKeyStore, folder: Path) -> None:
    keys.generate("issuing")
    with pytest.raises(WrongSecretError):
        keys.unwrap((folder / "issuing.key").read_bytes()[14:], context=b"issuing")


def test_every_altered_octet_of_a_key_file_is_found(keys: FileKeyStore, folder: Path) -> None:
    keys.generate("issuing")
    path = folder / "issuing.key"
    content = path.read_bytes()
    for position in range(len(content)):
        altered = bytearray(content)
        altered[position] ^= 0x20
        path.write_bytes(altered)
        with pytest.raises(KeyStoreError, match="restore it from a backup"):
            keys.open("issuing")


def test_a_key_file_under_another_name_is_refused(keys: FileKeyStore, folder: Path) -> None:
    keys.generate("tsa")
    (folder / "tsa.key").rename(folder / "issuing.key")
    with pytest.raises(KeyStoreError, match="was altered, or belongs to another key store"):
        keys.open("issuing")


def test_a_key_file_open_to_others_is_refused(keys: FileKeyStore, folder: Path) -> None:
    keys.generate("issuing")
    (folder / "issuing.key").chmod(0o640)
    with pytest.raises(KeyStoreError, match=r"is open to others \(mode 0640\); run: chmod 600"):
        keys.open("issuing")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"[" * 20_000,
        b'{"format": "eduseal-keystore/1"}',
        b'{"format": "eduseal-keystore/1", "argon2id": {"time_cost": Infinity, "memory_kib": 8, "lanes": 1, "salt": ""}}',
        b'{"format": "eduseal-keystore/1", "argon2id": {"time_cost": 1, "memory_kib": 8, "lanes": 1, "salt": 5}, "key_encryption_key": 5}',
        b'{"format": "eduseal-keystore/1", "argon2id": {"time_cost": 1, "memory_kib": 8, "lanes": 1, "salt": ""}, "key_encryption_key":""}',
    ],
)
def test_a_damaged_store_file_is_one_line(keys: FileKeyStore, folder: Path, content: bytes) -> None:
    (folder / STORE_FILE).write_bytes(content)
    with pytest.raises(KeyStoreError, match=r"store.json is damaged \(.*\); restore it from a backup"):
        reopened(folder)


def test_a_store_of_another_format_is_refused(keys: FileKeyStore, folder: Path) -> None:
    (folder / STORE_FILE).write_bytes(b'{"format": "eduseal-keystore/9"}')
    with pytest.raises(KeyStoreError, match="format 'eduseal-keystore/9', expected 'eduseal-keystore/1'"):
        reopened(folder)


def test_a_store_file_may_not_ask_for_unbounded_work(keys: FileKeyStore, folder: Path) -> None:
    stored = json.loads((folder / STORE_FILE).read_text())
    stored["argon2id"]["memory_kib"] = 2**40
    (folder / STORE_FILE).write_text(json.dumps(stored))
    with pytest.raises(KeyStoreError, match="are not accepted"):
        reopened(folder)


def test_an_endless_store_file_is_not_read_whole(keys: FileKeyStore, folder: Path) -> None:
    (folder / STORE_FILE).write_bytes(bytes(MAX_FILE + 1))
    with pytest.raises(KeyStoreError, match="is longer than the"):
        reopened(folder)


def test_the_files_show_neither_key_nor_passphrase(keys: FileKeyStore, folder: Path) -> None:
    key = keys.generate("issuing").private_key
    scalar = key.private_numbers().private_value.to_bytes(32, "big")  # type: ignore[union-attr]  # EC
    pkcs8 = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    everything = b"".join(path.read_bytes() for path in folder.iterdir())
    for secret in (scalar, scalar.hex().encode(), pkcs8[-40:], PASSPHRASE.encode()):
        assert secret not in everything
        assert secret[:8] not in everything


def test_what_is_no_private_key_is_refused() -> None:
    with pytest.raises(KeyStoreError, match="not an unencrypted DER PKCS#8 structure"):
        load_pkcs8(b"0")


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from pki.errors import KeyStoreError
from pki.keys.kdf import KdfParameters, KeyDerivation
from pki.keys.keystore import FileKeyStore
keys = FileKeyStore.open_existing(Path(sys.argv[1]), passphrase=sys.argv[2], kdf=KeyDerivation(KdfParameters(1, 8, 1)))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40))
try:
    keys.generate("tsa") if sys.argv[3] == "generate" else keys.change_passphrase(sys.argv[2], "another passphrase")
except KeyStoreError as exc:
    print(exc)
"""


def on_a_full_disk(folder: Path, action: str) -> str:
    """What a process says that cannot write more than 40 octets to a file."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(folder), PASSPHRASE, action], capture_output=True, text=True, timeout=60, check=True
    )
    assert not done.stderr
    return done.stdout


@pytest.mark.parametrize("action", ["generate", "change"])
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(keys: FileKeyStore, folder: Path, action: str) -> None:
    made = keys.generate("issuing")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    said = on_a_full_disk(folder, action)
    assert "cannot be written: File too large; nothing was changed" in said
    assert said.count("\n") == 1
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert reopened(folder).open("issuing").public_key() == made.public_key()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(KeyStoreError, match="cannot be made: Not a directory"):
        FileKeyStore.create(tmp_path / "file" / "keys", passphrase=PASSPHRASE, kdf=KDF)


def test_writing_new_does_not_replace(tmp_path: Path) -> None:
    write_new(tmp_path / "a", b"first")
    with pytest.raises(KeyStoreError, match="stands already"):
        write_new(tmp_path / "a", b"second")
    assert read_private(tmp_path / "a", 10) == b"first"
    assert listing(tmp_path) == {"a"}


def test_replacing_replaces(tmp_path: Path) -> None:
    replace(tmp_path / "a", b"first")
    replace(tmp_path / "a", b"second")
    assert read_private(tmp_path / "a", 10) == b"second"
    assert listing(tmp_path) == {"a"}


def passphrase_file(tmp_path: Path, content: bytes, mode: int = 0o600) -> Path:
    path = tmp_path / "passphrase"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    "content", [b"m\xe1\xba\xadt kh\xe1\xba\xa9u", b"m\xe1\xba\xadt kh\xe1\xba\xa9u\n", b"m\xe1\xba\xadt kh\xe1\xba\xa9u\r\nmore"]
)
def test_passphrase_is_the_first_line_of_a_file(tmp_path: Path, content: bytes) -> None:
    assert find_passphrase(file=passphrase_file(tmp_path, content)) == "mật khẩu"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_passphrase_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(KeyStoreError, match="is open to others"):
        find_passphrase(file=passphrase_file(tmp_path, b"passphrase", mode))


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "the first line is empty"), (b"\nsecond", "the first line is empty"), (b"\xff", "is not UTF-8 text")]
)
def test_a_useless_passphrase_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(PassphraseError, match=message):
        find_passphrase(file=passphrase_file(tmp_path, content))


def test_a_missing_passphrase_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PassphraseError, match=r"passphrase file .* is not there"):
        find_passphrase(file=tmp_path / "none")


def test_file_comes_before_environment_before_prompt(tmp_path: Path) -> None:
    file, environment = passphrase_file(tmp_path, b"from file"), {"EDUSEAL_PASSPHRASE": "from environment"}
    assert find_passphrase(file=file, environment=environment, prompt=str) == "from file"
    assert find_passphrase(environment=environment, prompt=str) == "from environment"
    assert find_passphrase(environment={}, prompt=lambda _: "typed") == "typed"


def test_without_any_passphrase_the_message_says_how_to_give_one() -> None:
    with pytest.raises(PassphraseError, match="name a passphrase file, or set EDUSEAL_PASSPHRASE"):
        find_passphrase(environment={"EDUSEAL_PASSPHRASE": ""}, prompt=lambda _: "")
