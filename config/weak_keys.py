"""The check of keys that a house makes: with a blocklist where one lies in the home (`blocklist/`, in the format of badkeys)."""

from __future__ import annotations

from config.settings import Settings
from pki.keys.weak_keys import Blocklist, WeakKeys

FOLDER = "blocklist"
ABSENT = (
    "No blocklist of weak keys: Debian's of 2006-2008 and others known by list alone are not recognised in keys made elsewhere. "
    f"`badkeys --update-bl` fetches one; put blocklist.dat and badkeysdata.json into {FOLDER}/ of the home."
)


def key_check_of(settings: Settings) -> WeakKeys:
    """Raises :class:`pki.errors.KeyStoreError` where the folder is there without a list that can be read: a broken one guards nothing."""
    folder = settings.home / FOLDER
    return WeakKeys(Blocklist.open(folder) if folder.exists() else None)
