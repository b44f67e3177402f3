"""A random secret in m of n shares: words on paper, of which any m give it back and fewer do not (SLIP-39; docs/adr/0011).

    secret = new_secret()
    shares = split(secret, threshold=2, holders=("An", "Bình", "Chi"))
    write_shares(folder, shares)                                    # once, a file for each holder
    secret = combine([read_share(path) for path in two_of_them])    # raises a leaf of ShareError

Each share carries a checksum, so a mistyped word is found out alone; the shares together carry a digest of the secret, so a share that does
not belong is found out too. No message here repeats a word of a share.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from shamir_mnemonic import EncryptedMasterSecret, MnemonicError
from shamir_mnemonic.shamir import ShareGroup, recover_ems, split_ems
from shamir_mnemonic.share import Share as Slip39Share

from pki.durable import FileTakenError, read_private, write_new
from pki.errors import KeyStoreError

SECRET_OCTETS = 32
MAX_SHARES = 16  # SLIP-39: four bits count them; docs/cps.md 6.2
MAX_SHARE_FILE = 8 * 1024  # octets; one has about 600
MAX_WORDS = 64  # a share of 32 octets has 33

_PASSPHRASE = b""  # SLIP-39 can add one; the shares alone are to be enough


class ShareError(KeyStoreError):
    """Shares do not give the secret back. The message never shows a word of one."""


class TooFewSharesError(ShareError):
    """Fewer shares than the threshold."""


class MistypedShareError(ShareError):
    """A share's words are not SLIP-39's, or do not fit their checksum."""


class ForeignShareError(ShareError):
    """Shares of different sets were mixed."""


class DuplicateShareError(ShareError):
    """One share was given twice."""


class WrongShareError(ShareError):
    """Each share is sound, but together they give no secret: one belongs to another set, or was altered."""


@dataclass(frozen=True)
class Share:
    """One holder's. `number` counts from 1."""

    number: int
    count: int
    threshold: int
    holder: str
    words: tuple[str, ...] = field(repr=False)

    @property
    def file_name(self) -> str:
        return f"share-{self.number}-of-{self.count}.txt"

    def text(self) -> str:
        """What the holder keeps: a heading, then the words, numbered, one a line."""
        heading = (
            f"# EduSeal: share {self.number} of {self.count}, held by {self.holder}.",
            f"# Any {self.threshold} shares of this set open the key store. Show it to nobody; never keep two together.",
            "",
        )
        return "\n".join((*heading, *(f"{place:2} {word}" for place, word in enumerate(self.words, start=1)), ""))


@dataclass(frozen=True)
class GivenShare:
    """A share as somebody brought it; `source` names the file, for messages."""

    source: str
    words: str = field(repr=False)


def new_secret() -> bytes:
    """32 octets from the operating system."""
    return os.urandom(SECRET_OCTETS)


def as_passphrase(secret: bytes) -> str:
    """The form in which the secret opens a key store: 64 hexadecimal digits in the place of a passphrase."""
    return secret.hex()


def split(secret: bytes, *, threshold: int, holders: Sequence[str]) -> tuple[Share, ...]:
    """One share for each holder, in their order. Raises :class:`ShareError` for a threshold or number that is impossible."""
    count = len(holders)
    if not 2 <= threshold <= count <= MAX_SHARES:
        raise ShareError(f"shares: got {threshold} of {count}, expected at least 2, and at most {MAX_SHARES} holders")
    identifier = int.from_bytes(os.urandom(2), "big") >> 1  # 15 bits: tells sets apart
    sealed = EncryptedMasterSecret.from_master_secret(secret, _PASSPHRASE, identifier, extendable=True, iteration_exponent=0)
    (group,) = split_ems(1, [(threshold, count)], sealed)
    return tuple(
        Share(place, count, threshold, holder, tuple(one.words()))
        for place, (holder, one) in enumerate(zip(holders, group, strict=True), 1)
    )


def combine(given: Sequence[GivenShare]) -> bytes:
    """The secret, from any `threshold` shares or more; every share given is checked. Raises a leaf of :class:`ShareError`."""
    if not given:
        raise TooFewSharesError("shares: got none; name the holders' files")
    read = [(share.source, _read(share)) for share in given]
    first = read[0][1]
    for source, share in read[1:]:
        if share.group_parameters() != first.group_parameters():
            raise ForeignShareError(f"shares: {source} is of another set than {read[0][0]}")
    seen: dict[int, str] = {}
    for source, share in read:
        if share.index in seen:
            raise DuplicateShareError(f"shares: {source} is the same share as {seen[share.index]}; each holder brings their own")
        seen[share.index] = source
    needed = first.member_threshold
    if len(read) < needed:
        raise TooFewSharesError(f"shares: got {len(read)}, needed {needed}")
    secret = _recover(share for _, share in islice(read, needed))
    for source, share in read[needed:]:
        others = [one for _, one in islice(read, needed - 1)]
        if _recover([*others, share]) != secret:
            raise WrongShareError(f"shares: {source} does not belong to the others")
    return secret


def write_shares(folder: Path, shares: Iterable[Share]) -> tuple[Path, ...]:
    """Mode 0600, one file for each; raises :class:`ShareError` where one of that name stands, KeyStoreError where it cannot be written."""
    written: list[Path] = []
    for share in shares:
        path = folder / share.file_name
        try:
            write_new(path, share.text().encode())
        except FileTakenError:
            raise ShareError(
                f"{path} stands already; shares are written once: name another folder, or destroy it if its set was never used"
            ) from None
        written.append(path)
    return tuple(written)


def read_share(path: Path) -> GivenShare:
    """A share file that its owner alone may read: lines of words, with or without numbers; # opens a remark. Raises :class:`ShareError`."""
    try:
        content = read_private(path, MAX_SHARE_FILE).decode("utf-8")
    except FileNotFoundError:
        raise ShareError(f"share file {path} is not there") from None
    except UnicodeDecodeError:
        raise MistypedShareError(f"share {path}: not UTF-8 text") from None
    lines = (line for line in content.splitlines() if not line.lstrip().startswith("#"))
    return GivenShare(str(path), " ".join(word for line in lines for word in line.split() if not word.rstrip(".").isdigit()))


def _read(given: GivenShare) -> Slip39Share:
    if given.words.count(" ") >= MAX_WORDS:
        raise MistypedShareError(f"share {given.source}: more than {MAX_WORDS} words")
    try:
        share = Slip39Share.from_mnemonic(given.words)
    except (MnemonicError, ValueError):
        # the library's own message repeats words of the share
        raise MistypedShareError(f"share {given.source}: a word is missing, misspelt or out of place (its checksum does not fit)") from None
    ours = (share.group_count, share.group_threshold, share.iteration_exponent, len(share.value)) == (1, 1, 0, SECRET_OCTETS)
    if not ours or share.member_threshold < 2:  # a share that opens alone is none
        raise ForeignShareError(f"share {given.source}: it was not made by EduSeal")
    return share


def _recover(shares: Iterable[Slip39Share]) -> bytes:
    group = ShareGroup()
    try:
        for share in shares:
            group.add(share)
        return bytes(recover_ems({0: group}).decrypt(_PASSPHRASE))
    except (MnemonicError, ValueError):
        raise WrongShareError("shares: each is sound, but together they give no secret; one is of another set, or was altered") from None
