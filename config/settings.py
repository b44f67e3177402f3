"""Settings: from arguments first, then from the environment.

| setting          | argument         | environment                |
| ---------------- | ---------------- | -------------------------- |
| home folder      | `--home`         | `EDUSEAL_HOME`             |
| database         | `--database-url` | `EDUSEAL_DATABASE_URL`     |
| passphrase       |                  | `EDUSEAL_PASSPHRASE`       |
| passphrase file  |                  | `EDUSEAL_PASSPHRASE_FILE`  |
| key store        | `--key-store`    | `EDUSEAL_KEY_STORE`        |
| address of pages |                  | `EDUSEAL_PUBLIC_URL`       |
| check of clock   |                  | `EDUSEAL_CLOCK_CHECK`      |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from db.engine import sqlite_url
from pki.keys.passphrase import VARIABLE, find_passphrase

DEFAULT_HOME = Path("var")  # for commands that write; a verifier names its home or has none


@dataclass(frozen=True)
class Settings:
    """Where things lie. `explicit_home` says that a caller named the home folder: only then may it lend trust (attack class 44)."""

    home: Path
    database_url: str
    explicit_home: bool
    passphrase: str | None = field(default=None, repr=False)
    passphrase_file: Path | None = None
    key_store: str | None = field(default=None, repr=False)
    """A key store URI that the caller named; without one, what `house.toml` says (:mod:`config.key_store`)."""
    public_url: str | None = None
    """Where people reach the pages, when that is not the base URL written into certificates."""
    clock_check: str | None = None
    """Who vouches for the clock before a time stamp is made: none, kernel, or command:… (:mod:`config.clock`)."""

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], *, home: Path | None = None, database_url: str | None = None, key_store: str | None = None
    ) -> Settings:
        """The keywords are command-line arguments and win. An empty variable counts as unset."""
        named = home or _path(environment.get("EDUSEAL_HOME"))
        place = named or DEFAULT_HOME
        return cls(
            home=place,
            database_url=database_url or environment.get("EDUSEAL_DATABASE_URL") or sqlite_url(place / "eduseal.sqlite"),
            explicit_home=named is not None,
            passphrase=environment.get(VARIABLE) or None,
            passphrase_file=_path(environment.get("EDUSEAL_PASSPHRASE_FILE")),
            key_store=key_store or environment.get("EDUSEAL_KEY_STORE") or None,
            public_url=environment.get("EDUSEAL_PUBLIC_URL") or None,
            clock_check=environment.get("EDUSEAL_CLOCK_CHECK") or None,
        )

    @property
    def root_pem(self) -> Path:
        return self.home / "ca" / "root.pem"

    @property
    def issuing_pem(self) -> Path:
        return self.home / "ca" / "issuing.pem"

    @property
    def keys(self) -> Path:
        """The key store's folder, unless another key store is named."""
        return self.home / "keys"

    @property
    def log(self) -> Path:
        """The log's key and the newest checkpoint (:mod:`config.log`)."""
        return self.home / "log"

    @property
    def documents(self) -> Path:
        return self.home / "documents"

    @property
    def house_file(self) -> Path:
        """What cannot change once certificates are out: published base URL, number of CRL shards."""
        return self.home / "house.toml"

    def find_passphrase(self, *, prompt: Callable[[str], str] | None = None) -> str:
        """The key store's passphrase: from the file, else from the environment, else asked for. Raises PassphraseError."""
        return find_passphrase(file=self.passphrase_file, environment={VARIABLE: self.passphrase or ""}, prompt=prompt)


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
