"""Bulk issuance over a database, with an authority and a key store in memory: for tests of one chunk, without the work queue."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.bulk import BulkBatches
from db.certificates import Certificates
from db.engine import Database
from db.holder_keys import HolderKeys
from db.roster import Roster
from pki.issuing.issue import Authority
from pki.keys.weak_keys import refuse_weak_key
from records.bulk import Batch
from records.bulk_desk import BulkDesk
from records.bulk_issuance import BulkIssuance
from records.bulk_making import Terms
from records.bulk_sheets import SheetFolder
from records.bulk_workshop import OwnWorkshop
from records.roster import RosterFile
from records.roster_service import RosterService
from tests.support.authority import BASE_URL, MemoryKeyStore, StandingClock, TestAuthority, make_authority
from tests.support.bulk_cases import bulk_files


class Crash(BaseException):
    """The process dies here: nobody catches it."""


@dataclass(frozen=True)
class BulkRoom:
    database: Database
    house: TestAuthority
    authority: Authority
    store: BulkBatches
    desk: BulkDesk
    folder: SheetFolder

    @property
    def clock(self) -> StandingClock:
        return self.house.clock

    @property
    def keys(self) -> MemoryKeyStore:
        return self.house.keys

    def started(self, people: int = 12, *, chunk: int = 5, files: tuple[RosterFile, RosterFile] | None = None) -> Batch:
        """A batch that has been started, as if it had been approved."""
        schools, teachers = files or bulk_files(people)
        batch = self.desk.submit(by="RA-1", schools=schools, teachers=teachers, chunk=chunk).batch
        assert batch is not None
        self.store.start(batch.id, sheets=str(self.folder.path), workflow_id="w", at=self.clock())
        return batch

    def worker(self, batch: Batch, **others: Any) -> BulkIssuance:
        """A process's work on the batch; `others` are collaborators of another kind."""
        parts: dict[str, Any] = {
            "store": self.store,
            "roster": Roster(self.database),
            "authority": self.authority,
            "keys": self.keys,
            "workshop": OwnWorkshop(Terms.of(self.authority, key_check=lambda: refuse_weak_key)),
            "sheets": self.folder,
            "clock": self.clock,
        }
        return BulkIssuance(batch.id, **{**parts, **others})

    def finish(self, batch: Batch) -> None:
        worker = self.worker(batch)
        for number in self.store.open_chunks(batch.id):
            worker.issue_chunk(number)
        self.store.finish(batch.id, at=self.clock())

    def sheet_lines(self) -> list[dict[str, str]]:
        """Every line of every sheet that has its name."""
        sheets = sorted(path for path in self.folder.path.iterdir() if path.suffix == ".csv")
        return [line for path in sheets for line in csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline=""))]

    def parts(self) -> Sequence[Path]:
        """Sheets without a name, of work that is under way or was interrupted."""
        return [path for path in self.folder.path.iterdir() if path.name.startswith(".part-")]

    @property
    def certificates(self) -> Certificates:
        return Certificates(self.database)

    @property
    def holder_keys(self) -> HolderKeys:
        return HolderKeys(self.database)


def make_bulk_room(database: Database, folder: Path) -> BulkRoom:
    house = make_authority()
    issuing = house.established.issuing
    authority = Authority(
        name=issuing.name,
        certificate_der=issuing.certificate_der,
        key=house.issuing_key,
        profiles=house.profiles,
        store=Certificates(database),
        clock=house.clock,
        urls=house.urls,
        crl_shards=issuing.crl_shards,
        lint_rate=0,
    )
    assert house.urls.base == BASE_URL
    store = BulkBatches(database)
    desk = BulkDesk(store, RosterService(Roster(database), house.keys, house.clock), house.clock)
    return BulkRoom(database, house, authority, store, desk, SheetFolder.create(folder / "sheets"))


class DyingAt:
    """Stands before a store, a folder or a press and dies at one call of one method: before it, or right after it."""

    def __init__(self, inner: Any, method: str, *, after: bool, call: int = 1) -> None:
        self._inner, self._method, self._after, self._left = inner, method, after, call

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name != self._method:
            return found

        def dying(*arguments: Any, **keywords: Any) -> Any:
            self._left -= 1
            if self._left or not self._after:
                if not self._left:
                    raise Crash
                return found(*arguments, **keywords)
            found(*arguments, **keywords)
            raise Crash

        return dying
