"""Settings: from arguments first, then from the environment.

| setting          | argument         | environment                |
| ---------------- | ---------------- | -------------------------- |
| home folder      | `--home`         | `EDUSEAL_HOME`             |
| database         | `--database-url` | `EDUSEAL_DATABASE_URL`     |
| passphrase       |                  | `EDUSEAL_PASSPHRASE`       |
| passphrase file  |                  | `EDUSEAL_PASSPHRASE_FILE`  |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config.errors import SettingsError
from db.engine import sqlite_url

DEFAULT_HOME = Path("var")  # for commands that write; a verifier names its home or has none
MAX_PASSPHRASE = 1024  # octets read of a passphrase file
MIN_PASSPHRASE = 8  # characters: the key store's own derivation is slow, an empty or one-letter passphrase defeats it


@dataclass(frozen=True)
class Settings:
    """Where things lie. `explicit_home` says that a caller named the home folder: only then may it lend trust (attack class 44)."""

    home: Path
    database_url: str
    explicit_home: bool
    passphrase: str | None = field(default=None, repr=False)
    passphrase_file: Path | None = None

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], *, home: Path | None = None, database_url: str | None = None
    ) -> Settings:
        """`home` and `database_url` are command-line arguments and win. An empty variable counts as unset."""
        named = home or _path(environment.get("EDUSEAL_HOME"))
        place = named or DEFAULT_HOME
        return cls(
            home=place,
            database_url=database_url or environment.get("EDUSEAL_DATABASE_URL") or sqlite_url(place / "eduseal.sqlite"),
            explicit_home=named is not None,
            passphrase=environment.get("EDUSEAL_PASSPHRASE") or None,
            passphrase_file=_path(environment.get("EDUSEAL_PASSPHRASE_FILE")),
        )

    @property
    def root_pem(self) -> Path:
        return self.home / "ca" / "root.pem"

    @property
    def issuing_pem(self) -> Path:
        return self.home / "ca" / "issuing.pem"

    @property
    def keys(self) -> Path:
        return self.home / "keys"

    @property
    def documents(self) -> Path:
        return self.home / "documents"

    @property
    def house_file(self) -> Path:
        """What cannot change once certificates are out: published base URL, number of CRL shards."""
        return self.home / "house.toml"

    def read_passphrase(self, *, prompt: Callable[[], str] | None = None) -> str:
        """The key store's passphrase: from the environment, else from the file, else asked for. Raises :class:`SettingsError`."""
        if self.passphrase is not None:
            return _checked(self.passphrase, "EDUSEAL_PASSPHRASE")
        if self.passphrase_file is not None:
            return _checked(_first_line(self.passphrase_file), "EDUSEAL_PASSPHRASE_FILE")
        if prompt is not None:
            return _checked(prompt(), "the passphrase")
        raise SettingsError("no passphrase for the key store; set EDUSEAL_PASSPHRASE_FILE (or EDUSEAL_PASSPHRASE)")


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _first_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.readline(MAX_PASSPHRASE).decode("utf-8").rstrip("\r\n")
    except OSError as exc:
        raise SettingsError(f"passphrase file {path} cannot be read: {exc.strerror or type(exc).__name__}") from exc
    except UnicodeDecodeError:
        raise SettingsError(f"passphrase file {path} is not UTF-8 text") from None


def _checked(passphrase: str, source: str) -> str:
    if len(passphrase) < MIN_PASSPHRASE:
        raise SettingsError(f"{source} has {len(passphrase)} characters, expected at least {MIN_PASSPHRASE}")
    return passphrase
