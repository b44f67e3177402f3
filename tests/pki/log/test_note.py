from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.errors import KeyStoreError
from pki.keys.keystore import FileKeyStore
from pki.log.checkpoint import PROOF_HEADER, Checkpoint, CheckpointError, LogProof, opened_checkpoint, read_proof
from pki.log.log_key import log_signer
from pki.log.merkle import ProofError, inclusion_proof, kept_in, leaf_hash, root_of
from pki.log.note import NoteError, NoteSigner, verifier_key

# the example of c2sp.org/signed-note
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
SIGNER = NoteSigner("log.example", Ed25519PrivateKey.from_private_bytes(bytes(32)))
OTHER = NoteSigner("log.example", Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))
DATA = [bytes([n]) * 32 for n in range(5)]
HASHES = [leaf_hash(data) for data in DATA]
HEAD = Checkpoint("log.example", 5, root_of(HASHES))


def proof_of(index: int, extra: bytes = b"") -> LogProof:
    return LogProof(index, inclusion_proof(index, 5, kept_in(HASHES)), HEAD.signed(SIGNER), extra)


def test_the_example_of_the_specification_opens() -> None:
    assert verifier_key(VKEY).opened(NOTE) == "This is an example message.\n"


def test_a_verifier_key_is_written_as_it_is_read() -> None:
    assert str(verifier_key(VKEY)) == VKEY
    assert verifier_key(str(SIGNER.key)) == SIGNER.key


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "expected name\\+id\\+base64"),
        ("a+b+c", "expected name\\+id\\+base64"),
        (VKEY.replace("530d903a", "530d903b"), "its id is 530d903b, expected 530d903a"),
        (VKEY.replace("example.com", "example.org"), "its id is 530d903a, expected"),
        ("a+00000000+AAAA", "expected an Ed25519 key"),
    ],
)
def test_a_verifier_key_that_is_none_is_refused(text: str, why: str) -> None:
    with pytest.raises(NoteError, match=why):
        verifier_key(text)


@pytest.mark.parametrize(
    ("note", "why"),
    [
        ("", "expected text, an empty line"),
        ("text\n", "expected text, an empty line"),
        ("text\n\n", "expected text, an empty line"),
        (NOTE.removesuffix("\n"), "expected text, an empty line"),
        (NOTE.replace("— ", "- "), "not of the form"),
        (NOTE.replace("Uw2Q", "Uw2*"), "not of the form"),
        (NOTE.replace("message", "mess\tage"), "control characters"),
        (NOTE.replace("message", "massage"), "the signature of example.com/foo does not verify"),
        (NOTE.replace("message.\n", "message.\n\nmore\n"), "does not verify"),
        (NOTE.replace("foo", "bar"), "example.com/foo \\(530d903a\\) has not signed it"),
        ("x" * 300_000, "longer than"),
    ],
)
def test_a_note_that_was_altered_is_refused(note: str, why: str) -> None:
    with pytest.raises(NoteError, match=why):
        verifier_key(VKEY).opened(note)


def test_signatures_of_others_beside_it_are_ignored() -> None:
    note = HEAD.signed(SIGNER)
    witnessed = note + OTHER.signed("x\n").rpartition("\n\n")[2]
    assert opened_checkpoint(witnessed, SIGNER.key) == HEAD


def test_another_key_of_the_same_name_vouches_for_nothing() -> None:
    with pytest.raises(NoteError, match="has not signed it"):
        opened_checkpoint(HEAD.signed(OTHER), SIGNER.key)


def test_a_checkpoint_has_origin_size_and_root() -> None:
    assert HEAD.signed(SIGNER).startswith("log.example\n5\n")
    assert opened_checkpoint(HEAD.signed(SIGNER), SIGNER.key) == HEAD


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("other.example\n5\n" + "A" * 43 + "=\n", "it is of the log 'other.example'"),
        ("log.example\n05\n" + "A" * 43 + "=\n", "expected origin, size and root hash"),
        ("log.example\n-5\n" + "A" * 43 + "=\n", "expected origin, size and root hash"),
        ("log.example\n" + "9" * 5000 + "\n" + "A" * 43 + "=\n", "expected origin, size and root hash"),
        ("log.example\n5\nAAAA\n", "expected origin, size and root hash"),
        ("log.example\n5\n", "expected origin, size and root hash"),
        ("log.example\n", "expected origin, size and root hash"),
    ],
)
def test_a_signed_text_that_is_no_checkpoint_of_this_log_is_refused(text: str, why: str) -> None:
    with pytest.raises(CheckpointError, match=why):
        opened_checkpoint(SIGNER.signed(text), SIGNER.key)


def test_a_proof_is_read_as_it_was_written_and_verifies() -> None:
    for index in range(5):
        proof = proof_of(index, b"salt and entry")
        assert read_proof(proof.text()) == proof
        assert proof.verify(DATA[index], SIGNER.key) == HEAD
    assert read_proof(proof_of(0).text()).extra == b""


def test_a_proof_of_another_leaf_is_refused() -> None:
    with pytest.raises(ProofError, match="inclusion of 1 in 5: the proof leads to another root"):
        proof_of(1).verify(DATA[2], SIGNER.key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        PROOF_HEADER,
        proof_of(1).text().replace("@v1", "@v2"),
        proof_of(1).text().replace("index 1", "index 01"),
        proof_of(1).text().replace("index 1\n", ""),
        proof_of(1).text().replace("index 1\n", "index 1\nAAAA\n"),
        proof_of(1).text().replace("index 1\n", "index 1\n" + ("A" * 43 + "=\n") * 65),
        proof_of(1).text().replace("index 1\n", "extra *\nindex 1\n"),
    ],
)
def test_a_text_that_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError, match="proof: expected"):
        read_proof(text)


@settings(derandomize=True, deadline=None)
@given(st.text(alphabet=st.sampled_from("extraind 0123456789=A/+\n—.@v1"), max_size=200), st.booleans())
def test_garbage_gives_our_own_errors(text: str, headed: bool) -> None:
    with suppress(CheckpointError):
        read_proof(f"{PROOF_HEADER}\n{text}" if headed else text)
    with suppress(NoteError, CheckpointError):
        opened_checkpoint(text, SIGNER.key)


def test_the_logs_key_is_made_once_and_found_again(tmp_path: Path) -> None:
    keys = FileKeyStore.create(tmp_path / "keys", passphrase="a passphrase for tests")
    first = log_signer(tmp_path / "key", "log.example", keys)
    assert log_signer(tmp_path / "key", "log.example", keys).key == first.key
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_the_logs_key_opens_for_its_log_and_key_store_alone(tmp_path: Path) -> None:
    keys = FileKeyStore.create(tmp_path / "keys", passphrase="a passphrase for tests")
    log_signer(tmp_path / "key", "log.example", keys)
    with pytest.raises(KeyStoreError, match=r"is not the key of the log other.example under this key store"):
        log_signer(tmp_path / "key", "other.example", keys)
    others = FileKeyStore.create(tmp_path / "others", passphrase="a passphrase for tests")
    with pytest.raises(KeyStoreError, match=r"is not the key of the log log.example under this key store"):
        log_signer(tmp_path / "key", "log.example", others)
