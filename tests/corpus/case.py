"""What a corpus case is, and the register that the builders fill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from signing.verdict import Indication, SubIndication


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
class Expected:
    """A verdict and the code of a message that must be in it, written `TOTAL-FAILED/FORMAT_FAILURE BYTE_RANGE_GAP`."""

    indication: Indication
    sub_indication: SubIndication | None
    code: str | None

    @classmethod
    def parse(cls, text: str) -> Expected:
        verdict, _, code = text.partition(" ")
        indication, _, sub_indication = verdict.partition("/")
        return cls(Indication(indication), SubIndication(sub_indication) if sub_indication else None, code or None)

    def __str__(self) -> str:
        verdict = "/".join(part for part in (self.indication, self.sub_indication) if part)
        return f"{verdict} {self.code}" if self.code else verdict


@dataclass(frozen=True)
class Case:
    """One attack, or an honest file that must not be taken for one.

    `codes`: at least one of them must be among the findings of structure and changes; none where the layout is sound and only the
    verdict can tell. `refusal`: part of the error's text where the file cannot be read at all. `record` and `ades` are the verdicts
    under the policies of those names. `signer`: the name that the first signature must be shown with. `beside` makes files that
    lie in the document's folder, by relative path.
    """

    id: str
    attack_class: int
    clause: str
    reason: str
    build: Builder
    codes: frozenset[str]
    record: Expected
    ades: Expected
    refusal: str | None = None
    signer: str | None = None
    beside: Callable[[], Mapping[str, bytes]] = dict

    @property
    def honest(self) -> bool:
        return self.record.indication is Indication.TOTAL_PASSED

    def expected(self, policy: str) -> Expected:
        return {"record": self.record, "ades": self.ades}[policy]


CASES: dict[str, Case] = {}


def case(
    identifier: str,
    attack_class: int,
    *codes: str,
    clause: str,
    reason: str,
    refusal: str | None = None,
    verdict: str | None = None,
    ades: str | None = None,
    signer: str | None = None,
    beside: Callable[[], Mapping[str, bytes]] = dict,
) -> Callable[[Builder], Builder]:
    """Registers the builder below it. Identifiers are unique: `02-byte-range-null`.

    `verdict` under the `record` policy; TOTAL-FAILED/FORMAT_FAILURE with the first of `codes` where it is left out. `ades`: under that
    policy, where it is another. With a `refusal`, `codes` holds the one message of the verdict.
    """
    if verdict is None and not codes:
        raise ValueError(f"corpus case {identifier} names neither a code nor a verdict")
    record = Expected.parse(verdict or f"TOTAL-FAILED/FORMAT_FAILURE {codes[0]}")

    def register(build: Builder) -> Builder:
        if identifier in CASES:
            raise ValueError(f"corpus case {identifier} is registered twice")
        CASES[identifier] = Case(
            id=identifier,
            attack_class=attack_class,
            clause=clause,
            reason=reason,
            build=build,
            codes=frozenset(codes),
            record=record,
            ades=Expected.parse(ades) if ades else record,
            refusal=refusal,
            signer=signer,
            beside=beside,
        )
        return build

    return register
