"""A workflow as data: who signs a kind of record, in which order, in which field. Verifier and signer share it.

The workflow named in a signed `record.json` counts only if the verifier's own policy holds one of that identifier with the same
steps: a pupil may write any `record.json`, but not the policy of the one who reads it (`design.md`, idea 11).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signing.errors import PolicyError

MAX_STEPS = 20  # design.md: up to 20 signatures on a document
MAX_MANIFEST = 1024 * 1024  # octets of record.json; bounds work on hostile input
SCHEMA = "https://eduseal.example/schema/record/1"


@dataclass(frozen=True)
class Step:
    """One signature: the step's `id`, its `role` (a name of the policy's role table), the `field` it fills; `seal` closes the record."""

    id: str
    role: str
    field: str
    seal: bool = False

    def as_dict(self) -> dict[str, Any]:
        return {"id": self.id, "role": self.role, "field": self.field, "seal": self.seal}


@dataclass(frozen=True)
class Workflow:
    """Steps in signing order. Every step is required; the last one is the closing seal."""

    id: str
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.steps) <= MAX_STEPS:
            raise PolicyError(f"workflow {self.id}: {len(self.steps)} steps, expected 1 to {MAX_STEPS}")
        if len({step.id for step in self.steps}) != len(self.steps) or len({step.field for step in self.steps}) != len(self.steps):
            raise PolicyError(f"workflow {self.id}: step ids and fields must each be unique")
        if [step.seal for step in self.steps] != [False] * (len(self.steps) - 1) + [True]:
            raise PolicyError(f"workflow {self.id}: exactly the last step must be the closing seal")

    def as_dict(self) -> dict[str, Any]:
        return {"id": self.id, "steps": [step.as_dict() for step in self.steps]}

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> Workflow:
        """From parsed TOML or JSON `{"id", "steps": [{"id", "role", "field", "seal"?}]}`; raises :class:`PolicyError`."""
        try:
            steps = tuple(
                Step(id=_text(s["id"]), role=_text(s["role"]), field=_text(s["field"]), seal=s.get("seal", False) is True)
                for s in data["steps"]
            )
            return cls(id=_text(data["id"]), steps=steps)
        except (KeyError, TypeError, AttributeError) as exc:
            raise PolicyError(f"workflow is not of the shape id, steps[id, role, field, seal]: {exc!r}") from exc


@dataclass(frozen=True)
class Manifest:
    """What a verifier reads from the signed `record.json`: the record's name, version, school and workflow."""

    record_id: str
    version: int
    school_identifier: str
    """The school's organizationIdentifier (ETSI EN 319 412-1 clause 5.1.4), such as NTRVN-0100109106."""
    workflow: Workflow


def parse_manifest(data: bytes) -> Manifest:
    """Reads the members of `record.json` that verification needs; raises :class:`PolicyError`."""
    if len(data) > MAX_MANIFEST:
        raise PolicyError(f"record.json: {len(data)} octets, more than the {MAX_MANIFEST} that are read")
    try:
        document = json.loads(data, object_pairs_hook=_no_duplicates)
        record = document["record"]
        if document["schema"] != SCHEMA:
            raise PolicyError(f"record.json: schema is not {SCHEMA}")
        version = record["version"]
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            raise PolicyError("record.json: version is not a positive integer")
        return Manifest(
            record_id=_text(record["id"]),
            version=version,
            school_identifier=_text(record["school"]["identifier"]),
            workflow=Workflow.from_mapping(document["workflow"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise PolicyError(f"record.json: not a record manifest ({type(exc).__name__})") from exc


def _no_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate member")  # RFC 8259 section 4: two readers may then see two documents
    return found


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise TypeError("expected a text of 1 to 200 characters")
    return value
