"""What certificates are judged on: the moment, the anchors, and evidence with what is known of when it existed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from pki.chain import TrustAnchor
from pki.revocation import Evidence
from pki.validation_cache import ValidationCache


@dataclass(frozen=True)
class Horizon:
    """`proven`: a time stamp that passed says that what is judged existed by `moment`. Otherwise `moment` is when we judge."""

    moment: datetime
    proven: bool


@dataclass(frozen=True)
class Tier:
    """Evidence that existed by a moment: an archive time stamp's own time for what it covers, the moment of judging for the rest."""

    evidence: Evidence
    proven_by: datetime
    archived: bool = False
    embedded: bool = True


@dataclass(frozen=True)
class Ground:
    """What certificates are judged on: anchors, the moment of judging, evidence of the document and of the caller, what is remembered."""

    anchors: tuple[TrustAnchor, ...]
    at: datetime
    embedded: Evidence
    supplied: Evidence
    cache: ValidationCache
    archived: tuple[Tier, ...] = ()

    @property
    def everything(self) -> Evidence:
        one, other = self.embedded, self.supplied
        return Evidence(one.certificates + other.certificates, one.crls + other.crls, one.ocsps + other.ocsps)

    def with_archive(self, evidence: Evidence, proven_by: datetime) -> Ground:
        """With evidence that a time stamp which passed proves to have existed."""
        return replace(self, archived=(*self.archived, Tier(evidence, proven_by, archived=True)))

    def tiers(self) -> Iterator[Tier]:
        """Evidence to look for good news in, the best proven first."""
        yield from self.archived
        yield Tier(self.embedded, self.at)
        if self.supplied != Evidence():
            yield Tier(self.everything, self.at, embedded=False)
