"""Other authorities that this house accepts signatures of: certificates that whoever runs it laid into `HOME/trust`.

Public schools hold seals of the government's authority, private schools those of licensed ones. The folder belongs to the home that the
operator names; nothing is trusted because it lies somewhere else (attack class 44).
"""

from __future__ import annotations

from config.errors import SettingsError
from config.settings import Settings
from signing.errors import PolicyError
from signing.trust import TrustStore

FOLDER = "trust"
MAX_FILES = 100
MAX_FILE = 1024 * 1024  # octets


def external_trust(settings: Settings) -> TrustStore:
    """Every certificate in `HOME/trust/*.pem`, `*.cer`, `*.crt`; raises :class:`config.errors.SettingsError` where one cannot be read."""
    folder = settings.home / FOLDER
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix in (".pem", ".cer", ".crt")) if folder.is_dir() else []
        if len(files) > MAX_FILES or any(path.stat().st_size > MAX_FILE for path in files):
            raise SettingsError(f"{folder}: more than {MAX_FILES} files, or one of more than {MAX_FILE} octets")
        return TrustStore.read((str(path), path.read_bytes()) for path in files)
    except OSError as exc:
        raise SettingsError(f"{exc.filename or folder} cannot be read: {exc.strerror or type(exc).__name__}") from exc
    except PolicyError as exc:
        raise SettingsError(str(exc)) from exc
