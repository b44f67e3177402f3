"""Attack class 15 in the register: documents that the signer refuses, and which a verifier therefore calls unsigned.

What each holds, and that the signer names it, is in :mod:`tests.corpus.build_class15` and
`tests/signing/inspection/test_inspect_before_signing.py`.
"""

from __future__ import annotations

from tests.corpus import build_class15
from tests.corpus.case import GoodFiles, case


def _register(identifier: str) -> None:
    refused = build_class15.CASES[identifier]

    @case(
        identifier,
        15,
        clause=f"docs/architecture.md, 14: {refused.found}",
        reason=f"refused before it is signed: {refused.text}",
        verdict="NO-SIGNATURE UNSIGNED",
    )
    def build(good: GoodFiles) -> bytes:
        return refused.build(False)


for _identifier in build_class15.CASES:
    _register(_identifier)


@case(
    "15-encrypted",
    15,
    clause="docs/architecture.md, 14: encryption",
    reason="nobody without the password can tell what is in it",
    refusal="encrypted",
    verdict="INDETERMINATE/SIGNED_DATA_NOT_FOUND ENCRYPTED_PDF",
)
def encrypted(good: GoodFiles) -> bytes:
    return build_class15.encrypted()
