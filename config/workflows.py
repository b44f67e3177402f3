"""Finds a signing workflow among those that come with the house (`certs/policies/workflow-*.toml`)."""

from __future__ import annotations

from certs.loader import load, names
from config.errors import SettingsError
from signing.workflow import Workflow

PREFIX = "workflow-"


def load_workflow(name: str) -> Workflow:
    """Such as "school-record"; raises :class:`config.errors.SettingsError` where there is none of that name."""
    if name not in workflow_names():
        raise SettingsError(f"workflow {name!r} is not one of {', '.join(workflow_names())}")
    return Workflow.from_mapping(load("policies", PREFIX + name))


def workflow_names() -> tuple[str, ...]:
    return tuple(name.removeprefix(PREFIX) for name in names("policies") if name.startswith(PREFIX))
