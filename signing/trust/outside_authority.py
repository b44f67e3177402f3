"""Another authority that a house accepts, and what for: read from a small TOML file that whoever runs the house wrote.

name = "Government CA"
certificates = ["government-root.pem"]     # files beside this one
roles = ["school-seal"]                    # what its certificates may be registered for; none named: any
time_stamps = false                        # whether its time stamps count, too

[constraints]                              # each may be left out
countries = ["VN"]
organizations = ["NTRVN-"]                 # beginnings of the subject's organizationIdentifier
policies = ["2.16.704.1.1.1"]              # certificate policies of which one must hold
path_length = 1                            # authorities below it
trusted_from = 2024-01-01
trusted_until = 2031-12-31
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from pki.paths.anchor_constraints import AnchorConstraints
from pki.paths.chain import TrustAnchor
from pki.paths.key_purpose import KeyPurpose
from signing.errors import PolicyError
from signing.trust.store import NamedAnchor

ROLES = frozenset({"teacher", "principal", "school-seal"})
MAX_CERTIFICATES = 20
SIGNING_AND_TIME = frozenset({KeyPurpose.DOCUMENT_SIGNING, KeyPurpose.TIME_STAMPING})
_KEYS = {"name", "certificates", "roles", "time_stamps", "constraints"}
_CONSTRAINTS = {"countries", "organizations", "policies", "path_length", "trusted_from", "trusted_until"}


@dataclass(frozen=True)
class OutsideAuthority:
    name: str
    certificates: tuple[bytes, ...]
    """Its trusted certificates, DER."""
    constraints: AnchorConstraints
    roles: frozenset[str] = frozenset()
    """Roles that its certificates may be registered for; empty for any."""
    source: str = ""

    @property
    def anchors(self) -> tuple[TrustAnchor, ...]:
        return tuple(TrustAnchor(der, self.constraints) for der in self.certificates)

    @property
    def named(self) -> tuple[NamedAnchor, ...]:
        return tuple(NamedAnchor(der, self.source or self.name, self.constraints) for der in self.certificates)


def plain_authority(certificates: Sequence[bytes], *, source: str) -> OutsideAuthority:
    """An authority of which no more than its certificates was said: for any role, signatures and time stamps."""
    return OutsideAuthority(source, tuple(certificates), AnchorConstraints(purposes=SIGNING_AND_TIME), source=source)


def read_authority(table: Mapping[str, Any], *, source: str, certificates_in: Callable[[str], Sequence[bytes]]) -> OutsideAuthority:
    """From a parsed file; `certificates_in` reads a file named in it. Raises :class:`signing.errors.PolicyError`: what is not understood is
    not passed over, for it would trust more than was meant."""
    _known(table, _KEYS, source)
    constraints = table.get("constraints", {})
    if not isinstance(constraints, Mapping):
        raise PolicyError(f"{source}: constraints is no table")
    _known(constraints, _CONSTRAINTS, source)
    files = _texts(table, "certificates", source)
    name = table.get("name")
    if not isinstance(name, str) or not name.strip() or not files:
        raise PolicyError(f"{source}: expected a name, and certificates = [files]")
    certificates = tuple(dict.fromkeys(der for file in files for der in certificates_in(file)))
    if not 1 <= len(certificates) <= MAX_CERTIFICATES:
        raise PolicyError(f"{source}: {len(certificates)} certificates, expected 1 to {MAX_CERTIFICATES}")
    roles = frozenset(_texts(table, "roles", source))
    if not roles <= ROLES:
        raise PolicyError(f"{source}: role {min(roles - ROLES)!r}, expected {', '.join(sorted(ROLES))}")
    stamps = table.get("time_stamps", False)
    if not isinstance(stamps, bool):
        raise PolicyError(f"{source}: time_stamps is {stamps!r}, expected true or false")
    return OutsideAuthority(name.strip(), certificates, _constraints(constraints, source, time_stamps=stamps), roles, source)


def _constraints(table: Mapping[str, Any], source: str, *, time_stamps: bool) -> AnchorConstraints:
    path_length = table.get("path_length")
    if path_length is not None and (isinstance(path_length, bool) or not isinstance(path_length, int) or path_length < 0):
        raise PolicyError(f"{source}: path_length is {path_length!r}, expected a number from 0")
    since, until = _moment(table, "trusted_from", source, time.min), _moment(table, "trusted_until", source, time.max)
    if since is not None and until is not None and until < since:
        raise PolicyError(f"{source}: trusted_until lies before trusted_from")
    return AnchorConstraints(
        purposes=SIGNING_AND_TIME if time_stamps else frozenset({KeyPurpose.DOCUMENT_SIGNING}),
        policies=frozenset(_texts(table, "policies", source)),
        countries=frozenset(text.upper() for text in _texts(table, "countries", source)),
        organizations=tuple(_texts(table, "organizations", source)),
        path_length=path_length,
        trusted_from=since,
        trusted_until=until,
    )


def _known(table: Mapping[str, Any], keys: set[str], source: str) -> None:
    if unknown := set(table) - keys:
        raise PolicyError(f"{source}: {min(unknown)!r} is not understood; expected {', '.join(sorted(keys))}")


def _texts(table: Mapping[str, Any], key: str, source: str) -> list[str]:
    found = table.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, str) and one for one in found):
        raise PolicyError(f"{source}: {key} is {found!r}, expected a list of texts")
    return found


def _moment(table: Mapping[str, Any], key: str, source: str, clock: time) -> datetime | None:
    """A date's beginning or end, or the moment itself; UTC where no zone is named."""
    found = table.get(key)
    if found is None:
        return None
    if isinstance(found, datetime):
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    if isinstance(found, date):
        return datetime.combine(found, clock, tzinfo=UTC)
    raise PolicyError(f"{source}: {key} is {found!r}, expected a date such as 2031-12-31")
