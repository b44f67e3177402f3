"""`house.toml` in the home folder: what cannot change once certificates are out, because it is written into every one of them."""

from __future__ import annotations

import json
import os
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from config.errors import NoHouseError, SettingsError
from pki.authority.establish import CRL_SHARDS, Organization


@dataclass(frozen=True)
class HousePlan:
    """Who runs the authority, where it publishes (`base_url`, no trailing slash), and into how many shards its CRL is cut."""

    organization: Organization
    base_url: str
    crl_shards: int = CRL_SHARDS
    key_store: str | None = None
    """URI of the key store, without a secret; None for the folder `keys` in the home."""


def read_plan(path: Path) -> HousePlan:
    """Raises :class:`config.errors.NoHouseError` where there is none, SettingsError where it is not of this form."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        organization = Organization(**{name: str(data["organization"][name]) for name in ("country", "name", "identifier")})
        key_store = str(data["key_store"]) if "key_store" in data else None
        return HousePlan(organization, str(data["base_url"]), int(data["crl_shards"]), key_store)
    except FileNotFoundError:
        raise NoHouseError(f"{path.parent} holds no authority; `eduseal init --home {path.parent}` makes one") from None
    except OSError as exc:
        raise SettingsError(f"{path} cannot be read: {exc.strerror or type(exc).__name__}") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as exc:
        raise SettingsError(f"{path} is not as `eduseal init` wrote it ({type(exc).__name__}); restore it from a backup") from exc


def write_plan(path: Path, plan: HousePlan) -> None:
    """Whole or not at all; raises :class:`config.errors.SettingsError`."""
    text = "\n".join(
        (
            "# Written into every certificate: do not change.",
            f"base_url = {_toml(plan.base_url)}",
            f"crl_shards = {plan.crl_shards}",
            *(("", "# Where the keys are. No PIN stands here.", f"key_store = {_toml(plan.key_store)}") if plan.key_store else ()),
            "",
            "[organization]",
            *(f"{name} = {_toml(getattr(plan.organization, name))}" for name in ("country", "name", "identifier")),
            "",
        )
    )
    write_whole(path, text.encode())


def write_whole(path: Path, data: bytes) -> None:
    """Writes through a temporary file in the same folder, so that nothing half-written stays; raises SettingsError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as exc:
        raise SettingsError(f"{path} cannot be written: {exc.strerror or type(exc).__name__}") from exc


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a TOML basic string
