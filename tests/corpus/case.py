"""What a corpus case is, and the register that the builders fill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class GoodFiles:
    """Sound files that cases are made from: one record, signed by teacher, principal and seal, then archived."""

    unsigned: bytes
    stages: tuple[bytes, ...]
    """After the first, second and last signature (B-T each)."""
    archived: bytes
    """B-LTA: validation data and a document time stamp over the last stage."""
    sign: Callable[[bytes, str], bytes]
    """Signs a file honestly for a step ("homeroom", "principal", "seal"): what signers do who were handed a file already tampered with."""

    archive: Callable[[bytes], bytes]
    """Brings a file honestly to B-LTA."""

    @property
    def sealed(self) -> bytes:
        return self.stages[-1]


Builder = Callable[[GoodFiles], bytes]


@dataclass(frozen=True)
class Case:
    """One attack.

    `codes`: at least one of them must be among the findings of structure and changes; none where the layout is sound and only the
    verdict can tell. `refusal`: part of the error's text where the file cannot be read at all. `indication` and `sub_indications`
    are what a verdict under the `record` policy must say (any of the latter).
    """

    id: str
    attack_class: int
    clause: str
    reason: str
    build: Builder
    codes: frozenset[str]
    refusal: str | None = None
    indication: str = "TOTAL-FAILED"
    sub_indications: frozenset[str] = frozenset({"FORMAT_FAILURE", "HASH_FAILURE", "SIG_CONSTRAINTS_FAILURE"})


CASES: dict[str, Case] = {}


def case(
    identifier: str,
    attack_class: int,
    *codes: str,
    clause: str,
    reason: str,
    refusal: str | None = None,
    indication: str = "TOTAL-FAILED",
) -> Callable[[Builder], Builder]:
    """Registers the builder below it. Identifiers are unique: `02-byte-range-null`."""

    def register(build: Builder) -> Builder:
        if identifier in CASES:
            raise ValueError(f"corpus case {identifier} is registered twice")
        CASES[identifier] = Case(identifier, attack_class, clause, reason, build, frozenset(codes), refusal, indication)
        return build

    return register
