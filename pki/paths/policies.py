"""Certificate policies along a path, as a graph rather than a tree (RFC 5280 section 6.1, computed as RFC 9618 has it).

RFC 5280's tree doubles at hostile mappings; the graph has one node for each policy and depth, so work grows with the certificates' size
alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pki.paths.chain_errors import ConstraintError
from pki.structures.extensions import ANY_POLICY, Extensions


@dataclass
class _Node:
    expected: set[str]
    parents: set[str]
    """Valid policies of the nodes one level up that it hangs on."""


_Level = dict[str, _Node]


@dataclass
class PolicyState:
    """The policy variables of RFC 5280 section 6.1.2 for a path of `length` certificates, worked through from the top."""

    length: int
    require_explicit: bool = False
    inhibit_mapping: bool = False
    inhibit_any: bool = False
    explicit: int = field(init=False)
    mapping: int = field(init=False)
    any_policy: int = field(init=False)
    _levels: list[_Level] | None = field(init=False)

    def __post_init__(self) -> None:
        self.explicit = 0 if self.require_explicit else self.length + 1
        self.mapping = 0 if self.inhibit_mapping else self.length + 1
        self.any_policy = 0 if self.inhibit_any else self.length + 1
        self._levels = [{ANY_POLICY: _Node({ANY_POLICY}, set())}]

    def process(self, extensions: Extensions, *, self_issued: bool, last: bool, label: str) -> None:
        """One certificate: RFC 5280 6.1.3 d-f, then 6.1.4 a, b, h-j, or 6.1.5 a, b for the last. Raises ConstraintError."""
        if extensions.policies is None:
            self._levels = None
        elif self._levels is not None:
            self._descend(extensions.policies, any_counts=self.any_policy > 0 or (not last and self_issued))
        self._require(label)
        if last:
            self.explicit = max(self.explicit - 1, 0)
            if extensions.require_explicit_policy == 0:
                self.explicit = 0
            return
        self._map(extensions.policy_mappings, label)
        if not self_issued:
            self.explicit, self.mapping, self.any_policy = (max(n - 1, 0) for n in (self.explicit, self.mapping, self.any_policy))
        self.explicit = _least(self.explicit, extensions.require_explicit_policy)
        self.mapping = _least(self.mapping, extensions.inhibit_policy_mapping)
        self.any_policy = _least(self.any_policy, extensions.inhibit_any_policy)

    def conclude(self, acceptable: frozenset[str] | None, label: str) -> frozenset[str]:
        """The leaf's valid policies among those that lead back to an `acceptable` one (None: any). Raises ConstraintError."""
        if self._levels is not None and acceptable is not None and ANY_POLICY not in acceptable:
            self._restrict(acceptable)
        self._require(label)
        return frozenset(self._levels[-1]) if self._levels is not None else frozenset()

    def _require(self, label: str) -> None:
        if self.explicit == 0 and self._levels is None:
            raise ConstraintError(f"{label} has no valid policy, and an explicit policy is required")

    def _descend(self, policies: tuple[str, ...], *, any_counts: bool) -> None:
        levels = self._levels or []
        above, here = levels[-1], _Level()
        expecting: dict[str, set[str]] = {}
        for valid, node in above.items():
            for policy in node.expected:
                expecting.setdefault(policy, set()).add(valid)
        for policy in policies:
            if policy == ANY_POLICY:
                continue
            if policy in expecting:
                here[policy] = _Node({policy}, expecting[policy])
            elif ANY_POLICY in above:
                here[policy] = _Node({policy}, {ANY_POLICY})
        if ANY_POLICY in policies and any_counts:
            for policy, parents in expecting.items():
                if policy not in here:
                    here[policy] = _Node({policy}, parents)
        levels.append(here)
        self._prune()

    def _map(self, mappings: tuple[tuple[str, str], ...], label: str) -> None:
        if any(ANY_POLICY in pair for pair in mappings):
            raise ConstraintError(f"{label} maps a policy to or from anyPolicy")
        if self._levels is None or not mappings:
            return
        here = self._levels[-1]
        targets: dict[str, set[str]] = {}
        for source, target in mappings:
            targets.setdefault(source, set()).add(target)
        for source, mapped in targets.items():
            if self.mapping == 0:
                here.pop(source, None)
            elif source in here:
                here[source].expected = mapped
            elif ANY_POLICY in here:
                here[source] = _Node(mapped, {ANY_POLICY})
        self._prune()

    def _restrict(self, acceptable: frozenset[str]) -> None:
        """RFC 5280 6.1.5 g iii: drops what hangs on a policy below anyPolicy that is not acceptable, and spells anyPolicy out at the
        leaf.
        """
        levels = self._levels or []
        authority_policies: set[str] = set()
        for depth in range(1, len(levels)):
            for policy, node in levels[depth].items():
                if policy != ANY_POLICY and ANY_POLICY in node.parents:
                    authority_policies.add(policy)
                    if policy not in acceptable:
                        node.parents.clear()
            self._drop_orphans(depth)
        last = levels[-1]
        if ANY_POLICY in last:
            parents = last.pop(ANY_POLICY).parents
            for policy in acceptable - authority_policies:
                last.setdefault(policy, _Node({policy}, set(parents)))
        self._prune()

    def _drop_orphans(self, depth: int) -> None:
        levels = self._levels or []
        for policy, node in list(levels[depth].items()):
            node.parents &= set(levels[depth - 1])
            if not node.parents:
                del levels[depth][policy]

    def _prune(self) -> None:
        """Removes nodes without children, from below; the graph is NULL once the last level is empty."""
        levels = self._levels or []
        if not levels[-1]:
            self._levels = None
            return
        for depth in range(len(levels) - 2, -1, -1):
            needed = set().union(*(node.parents for node in levels[depth + 1].values()))
            levels[depth] = {policy: node for policy, node in levels[depth].items() if policy in needed}


def _least(current: int, found: int | None) -> int:
    return current if found is None else min(current, found)
