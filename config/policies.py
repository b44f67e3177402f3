"""The verification policies that come with the house, and those that a caller keeps in a file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from certs import loader
from signing.errors import PolicyError
from signing.policy import VerificationPolicy

BUILT_IN = ("record", "ades")
MAX_POLICY = 1024 * 1024  # octets of a policy file


def verification_policy(name_or_file: str) -> VerificationPolicy:
    """`record`, `ades`, or a TOML file of the same shape; raises :class:`signing.errors.PolicyError`.

    A file's `workflows` are names of the house's own workflows, or of TOML files beside it, or whole tables.
    """
    if name_or_file in BUILT_IN:
        return VerificationPolicy.from_mapping(loader.load("policies", name_or_file), workflows=_own_workflow)
    path = Path(name_or_file)
    return VerificationPolicy.from_mapping(_read(path), workflows=partial(_workflow_near, path.parent))


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_POLICY:
            raise PolicyError(f"{path}: more than {MAX_POLICY} octets, which is no policy")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise PolicyError(f"{path}: is neither one of {', '.join(BUILT_IN)} nor a policy file that can be read ({exc.strerror})") from exc
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise PolicyError(f"{path}: is not TOML ({exc})") from exc


def _own_workflow(name: str) -> Mapping[str, Any]:
    if not name.startswith("workflow-") or name not in loader.names("policies"):
        raise LookupError(name)
    return loader.load("policies", name)


def _workflow_near(folder: Path, name: str) -> Mapping[str, Any]:
    if Path(name).name == name and (folder / f"{name}.toml").is_file():
        return _read(folder / f"{name}.toml")
    return _own_workflow(name)
