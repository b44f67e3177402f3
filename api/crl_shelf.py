"""CRLs ready to be handed out: made when first asked for, kept for a while, since each takes a signature and a number from the books."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pki.crl import CrlSigner
from pki.ports import Clock

REFRESH = timedelta(minutes=5)  # a revocation stands in the published list no later than this


@dataclass(frozen=True)
class ShelvedCrl:
    der: bytes
    made_at: datetime


class CrlShelf:
    """The current list of every shard of every issuer. Safe to share between threads."""

    def __init__(self, signers: Sequence[CrlSigner], *, clock: Clock, refresh: timedelta = REFRESH) -> None:
        self._signers = {signer.issuer: signer for signer in signers}
        self._clock = clock
        self._refresh = refresh
        self._lock = threading.Lock()
        self._lists: dict[tuple[str, int], ShelvedCrl] = {}

    def get(self, issuer: str, shard: int) -> ShelvedCrl | None:
        """None where there is no such issuer or shard; raises what the store or the key raises."""
        signer = self._signers.get(issuer)
        if signer is None or not 0 <= shard < signer.shards:
            return None
        with self._lock:
            now = self._clock()
            found = self._lists.get((issuer, shard))
            if found is None or not timedelta(0) <= now - found.made_at < self._refresh:
                found = self._lists[issuer, shard] = ShelvedCrl(signer.crl(shard), now)
            return found
