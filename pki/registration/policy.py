"""How many people approve which kind of request, and for how long: `certs/policies/registration.toml`, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from pki.errors import PkiError

MAX_APPROVALS = 8
MAX_HOURS = 24 * 366
_KEYS = frozenset({"approvals", "decide_hours", "hold_hours"})


class RegistrationPolicyError(PkiError):
    """A registration policy does not say what it must."""


class RequestKind(StrEnum):
    PERSON = "person"
    """A teacher's, principal's or pupil's certificate, also over a key that they keep elsewhere."""
    SEAL = "seal"
    BULK = "bulk"
    """Many people at once."""
    CA = "ca"
    """A certificate authority's certificate: a ceremony."""


@dataclass(frozen=True)
class KindRule:
    """`approvals` officers besides the requester, decided within `decide_within`, good for `holds` after the last approval."""

    approvals: int
    decide_within: timedelta
    holds: timedelta


@dataclass(frozen=True)
class RegistrationPolicy:
    rules: Mapping[RequestKind, KindRule]

    def rule(self, kind: RequestKind) -> KindRule:
        return self.rules[kind]

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any]) -> RegistrationPolicy:
        """Of parsed TOML; every kind must be there, and nothing else. Raises :class:`RegistrationPolicyError`."""
        unknown = set(data) - {"name"} - set(RequestKind)
        missing = set(RequestKind) - set(data)
        if unknown or missing:
            raise RegistrationPolicyError(f"registration policy: unknown {sorted(unknown)}, missing {sorted(map(str, missing))}")
        return cls({kind: _rule(kind, data[kind]) for kind in RequestKind})


def _rule(kind: RequestKind, data: Any) -> KindRule:
    if not isinstance(data, Mapping) or set(data) != _KEYS:
        raise RegistrationPolicyError(f"registration policy, {kind}: expected exactly {', '.join(sorted(_KEYS))}")
    approvals = _number(kind, "approvals", data["approvals"], 0, MAX_APPROVALS)
    hours = [_number(kind, key, data[key], 1, MAX_HOURS) for key in ("decide_hours", "hold_hours")]
    return KindRule(approvals, timedelta(hours=hours[0]), timedelta(hours=hours[1]))


def _number(kind: RequestKind, key: str, value: Any, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise RegistrationPolicyError(f"registration policy, {kind}: {key} must be a number from {least} to {most}, got {value!r}")
    return value
