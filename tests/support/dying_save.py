"""A record saved with its document by a process that dies at a moment: `python -m tests.support.dying_save URL FOLDER WHEN`."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath

from db.content import ContentFolder
from db.engine import open_database
from db.records import Records
from records.ports import Document, DocumentKind
from records.state import RecordState, Version
from signing.workflow import Step, Workflow
from tests.support.record_cases import make_record

RECORD = make_record()
WORKFLOW = Workflow("w/1", (Step("homeroom", "teacher", "F1"), Step("seal", "school-seal", "F2", seal=True)))
FIRST, SECOND = (Document(RECORD.id, 1, DocumentKind.SIGNED, octets) for octets in (b"%PDF signed once", b"%PDF signed twice"))
STATE = RecordState(WORKFLOW, (Version(RECORD),))


class DyingContent(ContentFolder):
    """The process is gone once the file has its name (`named`), or before the one that it replaced is removed (`committed`)."""

    when = ""

    def put(self, path: PurePosixPath, data: bytes) -> bool:
        done = super().put(path, data)
        if self.when == "named":
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    def remove(self, path: PurePosixPath) -> None:
        if self.when == "committed":
            os.kill(os.getpid(), signal.SIGKILL)
        super().remove(path)


def save(records: Records, document: Document, *, revision: int) -> RecordState:
    return records.save(replace(STATE, revision=revision), [], documents=[document])


if __name__ == "__main__":
    content = DyingContent(Path(sys.argv[2]))
    content.when = sys.argv[3]
    save(Records(open_database(sys.argv[1]), content), SECOND, revision=1)
