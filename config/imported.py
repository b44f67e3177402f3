"""Revocation lists of authorities whose keys are elsewhere, as they were brought into this home: `ca/root.crl`, `ca/root-2.crl`, DER."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from config.errors import SettingsError
from config.settings import Settings
from pki.authority.offline import READ_LIMIT


def list_path(settings: Settings, name: str) -> Path:
    """Where the list of the authority `name` lies, or is to lie."""
    return settings.home / "ca" / f"{name}.crl"


def imported_lists(settings: Settings) -> dict[str, Callable[[], bytes]]:
    """By the authority's name. Each reads anew, so that a list brought here shows in services that are running."""
    return {path.stem: partial(_read, path) for path in sorted((settings.home / "ca").glob("*.crl"))}


def _read(path: Path) -> bytes:
    """Raises :class:`config.errors.SettingsError`."""
    try:
        with path.open("rb") as file:
            return file.read(READ_LIMIT)
    except OSError as exc:
        raise SettingsError(f"{path} cannot be read: {exc.strerror or type(exc).__name__}") from exc
