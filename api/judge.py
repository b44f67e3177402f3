"""The verifier behind the service: each upload in a process of its own, which is killed when it overruns its limits."""

from __future__ import annotations

from datetime import datetime

from config.house import House
from config.trust import external_trust
from signing.bulk.intake import Item
from signing.bulk.pool import Worker
from signing.bulk.worker import Task
from signing.reports.report import Row
from signing.trust.store import NamedAnchor, Supplied, TrustStore


class ProcessJudge:
    """Trusts the house's own root and the other authorities that its operator named, nothing else.

    What one stranger's file does cannot reach the next one's: no process is used twice.
    """

    def __init__(self, house: House) -> None:
        self._policy = house.policy
        self._outside = house.stores.outside
        own = (NamedAnchor(root.certificate_der, root.name) for root in house.authority.roots)
        self._anchors = (*own, *external_trust(house).anchors)

    def __call__(self, name: str, data: bytes, *, at: datetime, supplied: Supplied) -> Row:
        trust = TrustStore(self._anchors, self._outside.registered())
        worker = Worker(Task(policy=self._policy, trust=trust, at=at, supplied=supplied))
        try:
            return worker.judge(Item(name=name, path=name, size=len(data)), data)
        finally:
            worker.close()
