"""Bulk issuance, wired: the desk where batches are submitted, and the process that issues them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from config.house import House
from config.weak_keys import key_check_of
from db.bulk import BulkBatches
from db.bulk_work import BulkWork
from db.engine import Database
from db.work_queue import WorkQueue
from records.bulk_desk import BulkDesk
from records.bulk_issuance import BulkIssuance
from records.bulk_making import Terms
from records.bulk_ports import BulkStore
from records.bulk_sheets import SheetFolder
from records.bulk_workflow import NAME, BulkWorkflow
from records.bulk_workshop import ProcessWorkshop


def bulk_store(database: Database) -> BulkStore:
    """Batches and how far they are; enough for looking, without a key."""
    return BulkBatches(database)


def bulk_desk(house: House) -> BulkDesk:
    return BulkDesk(bulk_store(house.stores.database), house.services.roster, house.clock)


@contextmanager
def bulk_work(house: House, *, workers: int) -> Iterator[tuple[BulkWork, WorkQueue]]:
    """This process takes part in durable work as long as the context lasts; `workers` processes make keys for it."""
    store, authority = BulkBatches(house.stores.database), house.authority.issuing
    # goes to the processes that make keys, and they open nothing
    key_check = partial(key_check_of, replace(house.settings, passphrase=None, key_store=None))
    with ProcessWorkshop(Terms.of(authority, key_check=key_check), workers=workers) as workshop:

        def issuance(batch_id: str) -> BulkIssuance:
            return BulkIssuance(
                batch_id,
                store=store,
                roster=house.stores.roster,
                authority=authority,
                keys=house.keys,
                workshop=workshop,
                sheets=SheetFolder(Path(store.get(batch_id).sheets or "")),
                clock=house.clock,
                ahead=workers,
            )

        workflows = {NAME: BulkWorkflow(store, issuance, house.clock)}
        with WorkQueue(house.stores.database, house.settings.database_url, workflows=workflows, clock=house.clock) as queue:
            yield BulkWork(house.stores.database, queue, clock=house.clock), queue
