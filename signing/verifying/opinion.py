"""What a second verifier may say of a document, for :mod:`signing.verifying.verify` to hold its own answer against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from signing.trust.store import Supplied, TrustStore
from signing.verdict import SubIndication


@dataclass(frozen=True)
class Dissent:
    """The other verifier does not let a signature pass; `text` is its reason."""

    sub_indication: SubIndication
    text: str


@dataclass(frozen=True)
class Question:
    """What the other verifier is asked: the same document, trust, evidence and moment.

    `unrevoked_tsa`: our policy takes the outermost archive time stamp's TSA for unrevoked, so the other is told the same. `understood`:
    our own list lets every signature of the document pass and has read all evidence in it; `own_make`: and the document is one of ours
    (:mod:`signing.verifying.own_make`).
    """

    document: bytes
    trust: TrustStore
    supplied: Supplied
    at: datetime
    unrevoked_tsa: bool
    understood: bool = False
    own_make: bool = False


class SecondOpinion(Protocol):
    def dissents(self, question: Question, fields: Sequence[str]) -> Mapping[str, Dissent]:
        """By field name, those of the signatures in `fields` that it would not let pass, time aside. Never raises; silence is consent."""
        ...
