"""A workflow as data: who signs a kind of record, in which order, in which field. Verifier and signer share it.

The workflow named in a signed `record.json` counts only if the verifier's own policy holds one of that identifier with the same
steps: a pupil may write any `record.json`, but not the policy of the one who reads it (`design.md`, idea 11).

>>> steps = [{"id": "maths", "after": []}, {"id": "music", "after": []}, {"id": "seal", "after": ["maths", "music"], "seal": True}]
>>> workflow = Workflow.from_mapping({"id": "w", "steps": [{**step, "role": "teacher", "field": step["id"]} for step in steps]})
>>> [step.id for step in workflow.open_steps({"music"})]
['maths']
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from signing.errors import PolicyError
from signing.expressible import MAX_STEPS, check_expressible, check_names
from signing.step import Step, predecessors, text

__all__ = ["MAX_MANIFEST", "MAX_STEPS", "SCHEMA", "Manifest", "Step", "Workflow", "parse_manifest"]

MAX_VERSION = 2**31 - 1  # of a record: what the books can hold, and be asked for
MAX_MANIFEST = 1024 * 1024  # octets of record.json; bounds work on hostile input
MAX_REMEMBERED_WORKFLOW = 16 * 1024  # characters of JSON
SCHEMA = "https://eduseal.example/schema/record/1"


@dataclass(frozen=True)
class Workflow:
    """Every step is required; the last one is the closing seal. Made only where PDF can express it, else :class:`PolicyError`."""

    id: str
    steps: tuple[Step, ...]
    _before: Mapping[str, frozenset[str]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        check_names(self.id, self.steps)
        before = predecessors(self.id, self.steps)
        check_expressible(self.id, self.steps, before)
        object.__setattr__(self, "_before", before)

    def step(self, step_id: str) -> Step | None:
        return next((step for step in self.steps if step.id == step_id), None)

    def before(self, step_id: str) -> frozenset[str]:
        """The steps that must be signed before this one, however indirectly."""
        return self._before[step_id]

    def open_steps(self, signed: Collection[str]) -> tuple[Step, ...]:
        """The steps that may be signed next, where those in `signed` are."""
        return tuple(step for step in self.steps if step.id not in signed and self._before[step.id] <= set(signed))

    def as_dict(self) -> dict[str, Any]:
        return {"id": self.id, "steps": [step.as_dict() for step in self.steps]}

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> Workflow:
        """From parsed TOML or JSON `{"id", "steps": [{"id", "role", "field", …}]}`, see :class:`Step`; raises :class:`PolicyError`."""
        try:
            listed = data["steps"]
            if not isinstance(listed, list) or len(listed) > MAX_STEPS:
                raise PolicyError(f"workflow: expected a list of 1 to {MAX_STEPS} steps")
            return cls(id=text(data["id"]), steps=tuple(Step.from_mapping(step) for step in listed))
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
        if type(version) is not int or not 1 <= version <= MAX_VERSION:
            raise PolicyError(f"record.json: version is not an integer from 1 to {MAX_VERSION}")
        return Manifest(
            record_id=text(record["id"]),
            version=version,
            school_identifier=text(record["school"]["identifier"]),
            workflow=_workflow(document["workflow"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise PolicyError(f"record.json: not a record manifest ({type(exc).__name__})") from exc


def _workflow(data: Mapping[str, Any]) -> Workflow:
    try:
        written = json.dumps(data)
        if len(written) <= MAX_REMEMBERED_WORKFLOW:
            return _read_workflow(written)
    except RecursionError:
        pass  # nested as deeply as can just be read, and not written and read once more
    return Workflow.from_mapping(data)


@lru_cache(maxsize=128)  # thousands of records share a few workflows
def _read_workflow(written: str) -> Workflow:
    return Workflow.from_mapping(json.loads(written))


def _no_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate member")  # RFC 8259 section 4: two readers may then see two documents
    return found
