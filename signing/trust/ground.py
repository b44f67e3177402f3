"""What certificates are judged on: the moment, the anchors, and evidence with what is known of when it existed."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from pki.paths.chain import Pool, TrustAnchor, ValidatedPath, pool_of
from pki.paths.validation_cache import ValidationCache
from pki.remote.lack import Lack
from pki.revocation.judgement import Evidence, Witnesses
from signing.verdict import Message


class Horizon(NamedTuple):
    """`proven`: a time stamp that passed says that what is judged existed by `moment`. Otherwise `moment` is when we judge."""

    moment: datetime
    proven: bool


@dataclass(frozen=True)
class Tier:
    """Evidence that existed by a moment: an archive time stamp's own time for what it covers, the moment of judging for the rest."""

    witnesses: Witnesses
    proven_by: datetime
    archived: bool = False
    embedded: bool = True


class Standing(NamedTuple):
    """A chain that stood. `self_contained`: the document's own evidence was enough; `archived`: evidence under a time stamp was.

    `messages` tell of what was let pass, and why.
    """

    path: ValidatedPath
    self_contained: bool
    archived: bool
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Ground:
    """What certificates are judged on: anchors, the moment of judging, evidence of the document and of the caller, what is remembered.

    Made by :meth:`on`.
    """

    anchors: tuple[TrustAnchor, ...]
    at: datetime
    embedded: Evidence
    supplied: Evidence
    cache: ValidationCache
    own: Tier
    """What the document brings itself."""
    archived: tuple[Tier, ...] = ()
    lacks: list[Lack] = field(default_factory=list, compare=False)
    """What would have to be fetched to know more: filled in while judging, one list for a whole document."""
    stood: dict[tuple[Hashable, ...], Standing] = field(init=False, default_factory=dict, compare=False)
    """What was asked on this ground and stood, at most once for each time stamp of the document."""

    @classmethod
    def on(
        cls,
        embedded: Evidence,
        supplied: Evidence,
        *,
        anchors: tuple[TrustAnchor, ...],
        at: datetime,
        cache: ValidationCache,
        lacks: list[Lack] | None = None,
    ) -> Ground:
        own = Tier(Witnesses(embedded, now=at, anchors=anchors, cache=cache), at)
        missing = [] if lacks is None else lacks
        return cls(anchors=anchors, at=at, embedded=embedded, supplied=supplied, cache=cache, own=own, lacks=missing)

    @cached_property
    def everything(self) -> Tier:
        """All evidence there is, wherever it came from: what bad news is looked for in."""
        one, other = self.embedded, self.supplied
        if other == Evidence():
            return self.own
        both = Evidence(one.certificates + other.certificates, one.crls + other.crls, one.ocsps + other.ocsps)
        return Tier(self._witnesses(both, self.at), self.at, embedded=False)

    @cached_property
    def certificates(self) -> frozenset[bytes]:
        """All that the document brings as validation data, DER."""
        return frozenset(self.embedded.certificates)

    def pool(self, carried: tuple[bytes, ...]) -> Pool:
        """Those, the caller's and those `carried` by what is judged, to look for issuers in. Raises :class:`pki.paths.chain.ChainError`."""
        return self._pool if self.certificates.issuperset(carried) else pool_of((*carried, *self._offered), self.anchors)

    @cached_property
    def _pool(self) -> Pool:
        return pool_of(self._offered, self.anchors)

    @property
    def _offered(self) -> tuple[bytes, ...]:
        return (*self.embedded.certificates, *self.supplied.certificates)

    @cached_property
    def tiers(self) -> tuple[Tier, ...]:
        """Evidence to look for good news in, the best proven first."""
        more = () if self.everything is self.own else (self.everything,)
        return (*self.archived, self.own, *more)

    def with_archive(self, evidence: Evidence, proven_by: datetime) -> Ground:
        """With evidence that a time stamp which passed proves to have existed."""
        witnesses = self.own.witnesses.as_of(proven_by) if evidence == self.embedded else self._witnesses(evidence, proven_by)
        tier = Tier(witnesses, proven_by, archived=True)
        return replace(self, archived=(*self.archived, tier))

    def _witnesses(self, evidence: Evidence, now: datetime) -> Witnesses:
        return Witnesses(evidence, now=now, anchors=self.anchors, cache=self.cache)
