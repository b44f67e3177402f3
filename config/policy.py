"""Finds a verification policy: one of those that come with the house, or a file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from certs.loader import load, names
from config.errors import SettingsError
from signing.policy import VerificationPolicy

MAX_POLICY_FILE = 1024 * 1024  # octets


def load_policy(name_or_file: str) -> VerificationPolicy:
    """`record`, `ades`, or the path of a TOML file, whose workflows are looked for beside it first, then among the house's own.

    Raises :class:`config.errors.SettingsError` where there is none, :class:`signing.errors.PolicyError` where it does not say what it must.
    """
    if name_or_file in policy_names():
        return VerificationPolicy.from_mapping(load("policies", name_or_file), workflows=_shipped)
    path = Path(name_or_file)
    if not path.is_file():
        raise SettingsError(f"policy {name_or_file!r} is neither a file nor one of {', '.join(policy_names())}")

    def workflows(name: str) -> Mapping[str, Any]:
        beside = path.parent / f"{name}.toml"
        return _read(beside) if _plain(name) and beside.is_file() else _shipped(name)

    return VerificationPolicy.from_mapping(_read(path), workflows=workflows)


def policy_names() -> tuple[str, ...]:
    """The policies that come with the house; workflows and the policy of registration lie in the same folder and are none."""
    return tuple(name for name in names("policies") if not name.startswith(("workflow-", "registration")))


def _shipped(name: str) -> Mapping[str, Any]:
    if not _plain(name):
        raise LookupError(name)
    return load("policies", name)


def _plain(name: str) -> bool:
    """A file name and no path: a policy names workflows, not places on the disk."""
    return Path(name).name == name and name not in ("", ".", "..")


def _read(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > MAX_POLICY_FILE:
            raise SettingsError(f"policy file {path} is larger than {MAX_POLICY_FILE} octets")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise SettingsError(f"policy file {path} cannot be read: {exc.strerror or type(exc).__name__}") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise SettingsError(f"policy file {path} is not TOML: {exc}") from exc
