"""Which key store a house uses, and the secret that opens it."""

from __future__ import annotations

from collections.abc import Callable

from config.errors import SettingsError
from config.house_file import HousePlan
from config.settings import Settings
from pki.keys.key_store_uri import FolderPlace, KeyStorePlace, TokenPlace, parse_key_store_uri
from pki.keys.passphrase import passphrase_in


def key_store_place(settings: Settings, plan: HousePlan | None) -> KeyStorePlace:
    """Of the caller, else of `house.toml`, else the folder `keys` in the home. Raises SettingsError, or KeyStoreUriError.

    A `house.toml` names a module, which is code, only in a home that the caller named: not in a `./var` that happens to lie there.
    """
    if settings.key_store is not None:
        return parse_key_store_uri(settings.key_store)
    if plan is None or plan.key_store is None:
        return FolderPlace(settings.keys)
    place = parse_key_store_uri(plan.key_store)
    if isinstance(place, TokenPlace) and not settings.explicit_home:
        raise SettingsError(f"{settings.house_file} names a PKCS#11 module to load; name the home yourself: --home {settings.home}")
    return place


def find_secret(settings: Settings, place: KeyStorePlace, *, prompt: Callable[[str], str] | None = None) -> str:
    """The folder's passphrase or the token's PIN: from the passphrase file, else the environment, else `pin-source`, else asked for.

    Raises :class:`pki.keys.passphrase.PassphraseError`, and KeyStoreError where a file is open to others.
    """
    unsaid = settings.passphrase_file is None and not settings.passphrase
    if unsaid and isinstance(place, TokenPlace) and place.pin_source is not None:
        return passphrase_in(place.pin_source)
    what = f"PIN of the key store ({place.title}): " if isinstance(place, TokenPlace) else "Passphrase of the key store: "
    asked = (lambda _: prompt(what)) if prompt is not None else None
    return settings.find_passphrase(prompt=asked)
