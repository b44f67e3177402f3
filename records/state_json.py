"""A record's state as JSON, for stores: :func:`state_json` and :func:`state_from_json` are each other's inverse but for `revision`."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from records.canonical import canonical_json, record_as_dict, record_from_dict
from records.errors import RecordContentError
from records.state import Phase, RecordState, SignedStep, UnlockRequest, Version
from signing.verdict import RecordStatus
from signing.workflow import Workflow

FORMAT = 1


def state_json(state: RecordState) -> bytes:
    """Canonical JSON, UTF-8. `revision` is left out: it belongs to the store."""
    unlock = state.unlock
    return canonical_json(
        {
            "format": FORMAT,
            "phase": state.phase.value,
            "workflow": state.workflow.as_dict(),
            "unlock": {"by": unlock.by, "reason": unlock.reason, "at": _moment(unlock.at)} if unlock else None,
            "versions": [_version_as_dict(version, state.workflow) for version in state.versions],
        }
    )


def state_from_json(data: bytes, *, revision: int) -> RecordState:
    """Raises :class:`RecordContentError` where `data` is not what :func:`state_json` wrote."""
    try:
        document = json.loads(data)
        if document["format"] != FORMAT:
            raise RecordContentError(f"stored record has format {document['format']!r}, expected {FORMAT}")
        unlock = document["unlock"]
        return RecordState(
            workflow=Workflow.from_mapping(document["workflow"]),
            versions=tuple(_version_from_dict(version) for version in document["versions"]),
            phase=Phase(document["phase"]),
            unlock=UnlockRequest(unlock["by"], unlock["reason"], datetime.fromisoformat(unlock["at"])) if unlock else None,
            revision=revision,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise RecordContentError(f"stored record is not of the shape this version writes ({type(exc).__name__})") from exc


def _version_as_dict(version: Version, workflow: Workflow) -> dict[str, Any]:
    return {
        "record": record_as_dict(version.record, workflow),
        "signed": [{"step": s.step, "by": s.by, "at": _moment(s.at), "document_sha256": s.document_sha256} for s in version.signed],
        "status": version.status.value if version.status else None,
    }


def _version_from_dict(data: dict[str, Any]) -> Version:
    record, _ = record_from_dict(data["record"])
    return Version(
        record=record,
        signed=tuple(SignedStep(s["step"], s["by"], datetime.fromisoformat(s["at"]), s["document_sha256"]) for s in data["signed"]),
        status=RecordStatus(data["status"]) if data["status"] else None,
    )


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
