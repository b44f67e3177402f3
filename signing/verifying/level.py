"""The PAdES baseline level that a signature reaches (ETSI EN 319 142-1 clause 6): what is proven, not what is claimed."""

from __future__ import annotations

from typing import NamedTuple


class LevelFacts(NamedTuple):
    """What verification has found out about one signature. Each fact counts only where the material itself passed its checks."""

    pades: bool
    """SubFilter ETSI.CAdES.detached, with the signed attributes of a baseline signature."""
    timestamped: bool
    """A time stamp that passed stands over the signature value or over the revision that holds it."""
    validation_data: bool
    """The document carries the certificates and revocation data with which the signer's chain was judged."""
    archived: bool
    """A document time stamp that passed covers those validation data."""


def baseline_level(facts: LevelFacts) -> str | None:
    """Such as "PAdES-BASELINE-LTA"; each level needs all below it; None where the signature is not PAdES at all."""
    if not facts.pades:
        return None
    level = "B"
    for name, reached in (("T", facts.timestamped), ("LT", facts.validation_data), ("LTA", facts.archived)):
        if not reached:
            break
        level = name
    return f"PAdES-BASELINE-{level}"
