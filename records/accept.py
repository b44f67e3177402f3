"""Keeping a signature that was made elsewhere: the same move and the same transaction as one of ours."""

from __future__ import annotations

from datetime import datetime

from records.errors import StaleRecordError
from records.lifecycle import record_signature
from records.ports import Document, DocumentKind, RecordStore
from records.state import Actor, RecordState


def accept_signature(
    records: RecordStore, state: RecordState, *, step: str, by: Actor, at: datetime, before: bytes, signed: bytes
) -> RecordState:
    """Keeps `signed` as the working version's document with `step`; `before` is what the books hold of it now.

    Raises as :func:`records.lifecycle.record_signature`, and :class:`records.errors.StaleRecordError` where `signed` is not `before` with
    more after it, or somebody else saved the record meanwhile.
    """
    if not signed.startswith(before) or len(signed) == len(before):
        raise StaleRecordError(f"record {state.record_id}: the signed document is not the one in the books with a signature after it")
    number = state.working.number
    document = Document(state.record_id, number, DocumentKind.SIGNED, signed)
    moved, entries = record_signature(state, step, by=by, at=at, document_sha256=document.sha256)
    kept = [] if state.working.signed else [Document(state.record_id, number, DocumentKind.EXPORT, before)]
    return records.save(moved, entries, documents=[*kept, document])
