"""Shares of a secret: any m of n, no fewer; every wrong share refused by name, no word of one ever shown."""

from __future__ import annotations

import stat
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shamir_mnemonic import EncryptedMasterSecret, combine_mnemonics
from shamir_mnemonic.shamir import split_ems
from shamir_mnemonic.share import Share as Slip39Share
from shamir_mnemonic.wordlist import WORDLIST

from pki.ceremony.split import (
    DuplicateShareError,
    ForeignShareError,
    GivenShare,
    MistypedShareError,
    Share,
    ShareError,
    TooFewSharesError,
    WrongShareError,
    as_passphrase,
    combine,
    new_secret,
    read_share,
    split,
    write_shares,
)
from pki.errors import KeyStoreError, WrongSecretError
from pki.keys.kdf import KdfParameters, KeyDerivation
from pki.keys.keystore import FileKeyStore

HOLDERS = ("An", "Bình", "Chi")
SECRET = bytes(range(32))
CHEAP = KeyDerivation(KdfParameters(1, 64, 1))


def given_(share: Share, *, source: str | None = None, words: tuple[str, ...] | None = None) -> GivenShare:
    return GivenShare(source or share.holder, " ".join(words or share.words))


@pytest.fixture
def shares() -> tuple[Share, ...]:
    return split(SECRET, threshold=2, holders=HOLDERS)


@pytest.mark.parametrize("pair", list(combinations(range(3), 2)))
def test_any_two_of_three_give_the_secret(shares: tuple[Share, ...], pair: tuple[int, int]) -> None:
    for order in (pair, pair[::-1]):
        assert combine([given_(shares[place]) for place in order]) == SECRET


def test_all_three_give_the_secret(shares: tuple[Share, ...]) -> None:
    assert combine([given_(share) for share in shares]) == SECRET


@pytest.mark.parametrize("place", range(3))
def test_one_of_three_is_too_few(shares: tuple[Share, ...], place: int) -> None:
    with pytest.raises(TooFewSharesError, match=r"^shares: got 1, needed 2$"):
        combine([given_(shares[place])])


def test_none_is_too_few() -> None:
    with pytest.raises(TooFewSharesError, match="got none"):
        combine([])


@given(count=st.integers(2, 7), data=st.data())
@settings(derandomize=True, max_examples=25, deadline=None)
def test_any_m_of_n_and_never_fewer(count: int, data: st.DataObject) -> None:
    threshold = data.draw(st.integers(2, count))
    secret = data.draw(st.binary(min_size=32, max_size=32))
    made = split(secret, threshold=threshold, holders=[f"holder {number}" for number in range(count)])
    order = data.draw(st.permutations(made))
    assert combine([given_(share) for share in order[:threshold]]) == secret
    with pytest.raises(TooFewSharesError, match=f"got {threshold - 1}, needed {threshold}"):
        combine([given_(share) for share in order[: threshold - 1]])


def test_any_slip39_program_combines_our_shares(shares: tuple[Share, ...]) -> None:
    assert combine_mnemonics([" ".join(share.words) for share in shares[:2]]) == SECRET


def test_share_given_twice_is_a_duplicate(shares: tuple[Share, ...]) -> None:
    with pytest.raises(DuplicateShareError, match="b is the same share as a"):
        combine([given_(shares[0], source="a"), given_(shares[0], source="b")])


def test_share_of_another_set_is_foreign(shares: tuple[Share, ...]) -> None:
    other = split(new_secret(), threshold=2, holders=HOLDERS)
    with pytest.raises((ForeignShareError, WrongShareError), match=r"another set|no secret"):
        combine([given_(shares[0]), given_(other[1])])


def test_share_that_opens_alone_was_not_made_here() -> None:
    sealed = EncryptedMasterSecret.from_master_secret(SECRET, b"", 7, extendable=True, iteration_exponent=0)
    ((alone,),) = split_ems(1, [(1, 1)], sealed)
    with pytest.raises(ForeignShareError, match="it was not made by EduSeal"):
        combine([GivenShare("paper", " ".join(alone.words()))])


def test_third_share_that_does_not_belong_is_found(shares: tuple[Share, ...]) -> None:
    """Of a set of the same number, by chance one in 32,768: only the digest of the secret tells."""
    ours = Slip39Share.from_mnemonic(" ".join(shares[0].words))
    others = [Slip39Share.from_mnemonic(" ".join(share.words)) for share in split(bytes(32), threshold=2, holders=HOLDERS)]
    alike = [GivenShare("forged", replace(other, identifier=ours.identifier).mnemonic()) for other in others]
    with pytest.raises(WrongShareError, match="together they give no secret"):
        combine([given_(shares[0]), given_(shares[1]), alike[2]])
    with pytest.raises(WrongShareError, match="together they give no secret"):
        combine([given_(shares[0]), alike[1]])


def typos(share: Share) -> list[tuple[str, ...]]:
    words = share.words
    return [
        ("zzzz", *words[1:]),
        (words[1], words[0], *words[2:]),
        words[:-1],
        (*words, words[0]),
        (*words[:10], "academic" if words[10] != "academic" else "acid", *words[11:]),
        ("word",) * 5000,
        (),
    ]


@pytest.mark.parametrize("number", range(7))
def test_mistyped_share_is_named_and_its_words_are_not_shown(shares: tuple[Share, ...], number: int) -> None:
    wrong = typos(shares[0])[number]
    with pytest.raises(MistypedShareError, match=r"^share An: ") as caught:
        combine([GivenShare("An", " ".join(wrong)), given_(shares[1])])
    shown = set(str(caught.value).split())
    assert not shown & (set(shares[0].words) | {"zzzz"}) - {"share", "checksum"}
    assert caught.value.__context__ is None or caught.value.__suppress_context__


@given(place=st.integers(0, 32), word=st.integers(0, 1023))
@settings(derandomize=True, max_examples=80, deadline=None)
def test_every_single_wrong_word_is_found(place: int, word: int) -> None:
    share = split(SECRET, threshold=2, holders=HOLDERS)[0]
    if share.words[place] == WORDLIST[word]:
        return
    with pytest.raises((MistypedShareError, ForeignShareError)):
        combine([given_(share, words=(*share.words[:place], WORDLIST[word], *share.words[place + 1 :]))] * 1)


@pytest.mark.parametrize(("threshold", "count"), [(1, 3), (0, 3), (4, 3), (2, 1), (2, 17)])
def test_impossible_split_is_refused(threshold: int, count: int) -> None:
    with pytest.raises(ShareError, match=f"got {threshold} of {count}"):
        split(SECRET, threshold=threshold, holders=["x"] * count)


def test_share_does_not_show_its_words_in_repr(shares: tuple[Share, ...]) -> None:
    assert shares[0].words[3] not in repr(shares[0])
    assert shares[0].words[3] not in repr(given_(shares[0]))


def test_files_are_for_their_owner_alone_and_read_back(tmp_path: Path, shares: tuple[Share, ...]) -> None:
    paths = write_shares(tmp_path, shares)
    assert [path.name for path in paths] == ["share-1-of-3.txt", "share-2-of-3.txt", "share-3-of-3.txt"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert combine([read_share(paths[2]), read_share(paths[0])]) == SECRET


def test_words_typed_in_from_paper_are_read(tmp_path: Path, shares: tuple[Share, ...]) -> None:
    paper = tmp_path / "typed.txt"
    paper.write_text(" ".join(shares[0].words).upper())
    paper.chmod(0o600)
    assert combine([read_share(paper), given_(shares[1])]) == SECRET


def test_shares_are_written_once(tmp_path: Path, shares: tuple[Share, ...]) -> None:
    before = write_shares(tmp_path, shares)[0].read_bytes()
    with pytest.raises(ShareError, match="stands already; shares are written once"):
        write_shares(tmp_path, split(SECRET, threshold=2, holders=HOLDERS))
    assert (tmp_path / "share-1-of-3.txt").read_bytes() == before


def test_share_file_open_to_others_is_refused(tmp_path: Path, shares: tuple[Share, ...]) -> None:
    path = write_shares(tmp_path, shares)[0]
    path.chmod(0o644)
    with pytest.raises(KeyStoreError, match="open to others"):
        read_share(path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"# only a remark\n", b"\x00" * 100])
def test_share_file_of_rubbish_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "share.txt"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(MistypedShareError):
        combine([read_share(path)])


def test_missing_share_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ShareError, match="is not there"):
        read_share(tmp_path / "nowhere.txt")


def test_key_store_opens_with_two_shares_and_not_with_what_one_holds(tmp_path: Path, shares: tuple[Share, ...]) -> None:
    FileKeyStore.create(tmp_path / "keys", passphrase=as_passphrase(SECRET), kdf=CHEAP).generate("root", curve="P-384")
    together = combine([given_(shares[1]), given_(shares[2])])
    assert FileKeyStore.open_existing(tmp_path / "keys", passphrase=as_passphrase(together), kdf=CHEAP).labels() == ("root",)
    for share in shares:
        alone = Slip39Share.from_mnemonic(" ".join(share.words)).value
        for guess in (as_passphrase(alone), " ".join(share.words), as_passphrase(bytes(32))):
            with pytest.raises(WrongSecretError):
                FileKeyStore.open_existing(tmp_path / "keys", passphrase=guess, kdf=CHEAP)
