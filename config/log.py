"""The log of one home: its name, its key, and where its newest checkpoint lies outside the database.

log/key          the log's private key, under the key store's key-encryption key
log/vkey         the verifier key: public, to be written down by whoever wants to check the log later
log/checkpoint   the newest checkpoint
"""

from __future__ import annotations

from config.errors import SettingsError
from config.house_file import HousePlan, write_whole
from config.settings import Settings
from db.engine import Database
from db.log_seal import LogSealer
from pki.log.log_key import log_signer
from pki.log.note import MAX_NOTE, VerifierKey, verifier_key
from pki.ports import KeyStore


def log_origin(plan: HousePlan) -> str:
    """The log's name in checkpoints: a URL without a scheme, as c2sp.org/tlog-checkpoint recommends."""
    return plan.base_url.partition("://")[2] + "/log"


def log_sealer(settings: Settings, plan: HousePlan, *, keys: KeyStore, database: Database) -> LogSealer:
    """The sealer; makes the log's key where nothing was signed yet. Raises SettingsError and :class:`pki.errors.KeyStoreError`."""
    folder = settings.log
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as exc:
        raise SettingsError(f"{folder} cannot be made: {exc.strerror or type(exc).__name__}") from exc
    if (folder / "checkpoint").exists() and not (folder / "key").exists():
        raise SettingsError(f"{folder}/key is missing; restore it from a backup (docs/log.md: when the key is lost)")
    sealer = LogSealer(database, signer=log_signer(folder / "key", log_origin(plan), keys), copy=folder / "checkpoint")
    line = f"{sealer.key}\n".encode()
    if _read(settings, "vkey") != line:
        write_whole(folder / "vkey", line)
    return sealer


def log_verifier(settings: Settings) -> VerifierKey:
    """What `log/vkey` says; raises SettingsError where it is missing, :class:`pki.log.note.NoteError` where it is none."""
    content = _read(settings, "vkey")
    if content is None:
        raise SettingsError(f"{settings.log}/vkey is missing; `eduseal log checkpoint` makes it")
    return verifier_key(content.decode("utf-8", "replace"))


def log_copy(settings: Settings) -> dict[str, str]:
    """The checkpoint that is kept outside the database, by where it lies; raises SettingsError where it is missing."""
    content = _read(settings, "checkpoint")
    if content is None:
        raise SettingsError(f"{settings.log}/checkpoint is missing: what the database says of itself is no proof; restore it from a backup")
    return {f"{settings.log}/checkpoint": content.decode("utf-8", "replace")}


def _read(settings: Settings, name: str) -> bytes | None:
    try:
        with (settings.log / name).open("rb") as file:
            return file.read(MAX_NOTE + 1)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise SettingsError(f"{settings.log / name} cannot be read: {exc.strerror or type(exc).__name__}") from exc
