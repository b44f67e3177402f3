"""A verification policy as a frozen value: what a verifier demands beyond mathematics.

The files `certs/policies/record.toml` and `ades.toml` are the two policies that come with the house; a caller may hand in its own.

>>> VerificationPolicy.from_mapping({"name": "mine"})
Traceback (most recent call last):
...
signing.errors.PolicyError: policy mine: member 'permitted_changes' is missing
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from signing.errors import PolicyError
from signing.verdict import Changes
from signing.workflow import Workflow

CADES = "ETSI.CAdES.detached"  # ISO 32000-2 table 255; the only SubFilter of a PAdES baseline signature (EN 319 142-1 clause 6.3)
PKCS7 = "adbe.pkcs7.detached"
_SUBFILTERS = frozenset({CADES, PKCS7})
_MEMBERS = frozenset(
    {
        "name",
        "permitted_changes",
        "entitlement",
        "outermost_tsa_revocation",
        "failed_timestamps",
        "subfilters",
        "policy_arc",
        "roles",
        "workflows",
    }
)

WorkflowSource = Callable[[str], Mapping[str, Any]]
"""Finds the parsed workflow file of a name, such as "workflow-school-record"; raises LookupError or OSError."""


@dataclass(frozen=True)
class VerificationPolicy:
    """What the verifier asks. Every member must be said: a policy that leaves one out is refused rather than completed."""

    name: str
    permitted_changes: Changes
    """The worst kind of change allowed after the last signature."""
    entitlement: bool
    """Whether our own signers must fit the record's workflow (docs/architecture.md)."""
    lenient_outermost_tsa: bool
    """The outermost archive time stamp's TSA counts as unrevoked while its certificate is valid and nothing contradicts it."""
    failed_timestamps_count: bool
    """A time stamp that does not pass takes its signatures down with it; otherwise it merely proves nothing."""
    subfilters: frozenset[str]
    policy_arc: str
    """The arc of our certificate policy OIDs, dotted: a path that carries one of them is ours."""
    roles: tuple[tuple[str, str], ...]
    """(role, dotted policy OID of that role's certificates)."""
    workflows: tuple[Workflow, ...]

    def oid_of(self, role: str) -> str | None:
        return dict(self.roles).get(role)

    def role_of(self, policies: frozenset[str]) -> str | None:
        """The role that a certificate's policy OIDs name; None for none or for more than one."""
        found = [role for role, oid in self.roles if oid in policies]
        return found[0] if len(found) == 1 else None

    def is_ours(self, oid: str) -> bool:
        return oid == self.policy_arc or oid.startswith(f"{self.policy_arc}.")

    @property
    def strict_changes(self) -> bool:
        """Whether nothing may change but signature fields that stood before, validation data and time stamps."""
        return self.permitted_changes in (Changes.NONE, Changes.LTA)

    def permitted_after(self, *, last: bool) -> Changes:
        """The worst change after a signature: before the `last` one, those that follow it still fill their fields."""
        return self.permitted_changes if last or not self.strict_changes else Changes.FORM_FILLING

    def workflow(self, identifier: str) -> Workflow | None:
        return next((workflow for workflow in self.workflows if workflow.id == identifier), None)

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any], *, workflows: WorkflowSource | None = None) -> VerificationPolicy:
        """From parsed TOML. `workflows` there are names that `workflows` finds, or whole tables. Raises :class:`PolicyError`."""
        name = data.get("name")
        if not isinstance(name, str) or not name:
            raise PolicyError("policy: member 'name' is missing or not a text")
        unknown = set(data) - _MEMBERS
        if unknown:
            raise PolicyError(f"policy {name}: unknown member {min(unknown)!r}; expected only {', '.join(sorted(_MEMBERS))}")
        read = _Reader(name, data)
        policy = cls(
            name=name,
            permitted_changes=Changes(read.choice("permitted_changes", tuple(kind.value for kind in Changes if kind != Changes.UNDEFINED))),
            entitlement=read.flag("entitlement"),
            lenient_outermost_tsa=read.choice("outermost_tsa_revocation", ("strict", "lenient")) == "lenient",
            failed_timestamps_count=read.choice("failed_timestamps", ("refuse", "ignore")) == "refuse",
            subfilters=frozenset(read.texts("subfilters")),
            policy_arc=read.text("policy_arc"),
            roles=read.roles(),
            workflows=read.workflows(workflows),
        )
        _check(policy)
        return policy


def _check(policy: VerificationPolicy) -> None:
    if not policy.subfilters or not policy.subfilters <= _SUBFILTERS:
        raise PolicyError(f"policy {policy.name}: subfilters must be one or more of {', '.join(sorted(_SUBFILTERS))}")
    for role, oid in policy.roles:
        if not policy.is_ours(oid):
            raise PolicyError(f"policy {policy.name}: role {role} has OID {oid}, which lies outside the arc {policy.policy_arc}")
    if len({oid for _, oid in policy.roles}) != len(policy.roles):
        raise PolicyError(f"policy {policy.name}: two roles share one OID")
    if policy.entitlement and not policy.workflows:
        raise PolicyError(f"policy {policy.name}: entitlement needs at least one workflow")
    if len({workflow.id for workflow in policy.workflows}) != len(policy.workflows):
        raise PolicyError(f"policy {policy.name}: two workflows share one id")
    for workflow in policy.workflows:
        for step in workflow.steps:
            if policy.oid_of(step.role) is None:
                raise PolicyError(f"policy {policy.name}: step {step.id} of {workflow.id} asks for role {step.role}, which has no OID")


@dataclass(frozen=True)
class _Reader:
    name: str
    data: Mapping[str, Any]

    def _get(self, member: str, kind: type) -> Any:
        if member not in self.data:
            raise PolicyError(f"policy {self.name}: member {member!r} is missing")
        value = self.data[member]
        if not isinstance(value, kind):
            raise PolicyError(f"policy {self.name}: member {member!r} is a {type(value).__name__}, expected a {kind.__name__}")
        return value

    def flag(self, member: str) -> bool:
        return bool(self._get(member, bool))

    def text(self, member: str) -> str:
        return str(self._get(member, str))

    def choice(self, member: str, allowed: tuple[str, ...]) -> str:
        value = self.text(member)
        if value not in allowed:
            raise PolicyError(f"policy {self.name}: {member} is {value!r}, expected one of {', '.join(allowed)}")
        return value

    def texts(self, member: str) -> tuple[str, ...]:
        values = self._get(member, list)
        if not all(isinstance(value, str) for value in values):
            raise PolicyError(f"policy {self.name}: member {member!r} must hold texts")
        return tuple(values)

    def roles(self) -> tuple[tuple[str, str], ...]:
        table = self._get("roles", dict)
        if not all(isinstance(oid, str) for oid in table.values()):
            raise PolicyError(f"policy {self.name}: roles must map a role to a dotted OID")
        return tuple(table.items())

    def workflows(self, find: WorkflowSource | None) -> tuple[Workflow, ...]:
        found = []
        for entry in self._get("workflows", list):
            if isinstance(entry, str):
                if find is None:
                    raise PolicyError(f"policy {self.name}: workflow {entry!r} is a name, but no place to look for it was given")
                try:
                    entry = find(entry)
                except (LookupError, OSError) as exc:
                    raise PolicyError(f"policy {self.name}: workflow {entry!r} is not there") from exc
            found.append(Workflow.from_mapping(entry))
        return tuple(found)
