"""Key stores by URI: `file:/srv/eduseal/keys`, or a PKCS#11 token as in RFC 7512.

    pkcs11:token=eduseal;object=eduseal?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/etc/eduseal/pin

`token`, `serial`, `manufacturer` and `model` choose the token; `object` is the prefix of its keys' labels ("eduseal" unless named), so that
one token can hold several authorities. A PIN never stands in a URI: `pin-value` is refused, and no message here repeats the URI.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from pki.errors import KeyStoreError

MAX_URI = 4096  # characters
PREFIX = "eduseal"
TOKEN_ATTRIBUTES = ("token", "serial", "manufacturer", "model")

_NAME = re.compile(r"[a-z0-9-]{1,40}")
_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
_PATH_ATTRIBUTES = (*TOKEN_ATTRIBUTES, "object")
_QUERY_ATTRIBUTES = ("module-path", "pin-source")


class KeyStoreUriError(KeyStoreError):
    """A text names no key store of ours."""


@dataclass(frozen=True)
class FolderPlace:
    """An encrypted folder (:mod:`pki.keys.keystore`)."""

    folder: Path


@dataclass(frozen=True)
class TokenPlace:
    """A token behind a PKCS#11 module. What is None of `token`, `serial`, `manufacturer` and `model` may be anything."""

    module: Path
    token: str | None = None
    serial: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    prefix: str = PREFIX
    pin_source: Path | None = None
    """A file whose first line is the PIN, and which its owner alone may read."""

    @property
    def title(self) -> str:
        """For messages."""
        return " ".join(f"{name} {getattr(self, name)!r}" for name in TOKEN_ATTRIBUTES if getattr(self, name) is not None)


KeyStorePlace = FolderPlace | TokenPlace


def parse_key_store_uri(uri: str) -> KeyStorePlace:
    """Raises :class:`KeyStoreUriError`. Nothing is opened."""
    scheme, colon, rest = uri.partition(":")
    if len(uri) > MAX_URI or not colon or scheme not in ("file", "pkcs11"):
        raise KeyStoreUriError("key store: expected file:/FOLDER or pkcs11:token=NAME?module-path=/MODULE.so")
    return _folder(rest) if scheme == "file" else _token(rest)


def key_store_uri(place: KeyStorePlace) -> str:
    """The canonical URI of a place, its folder absolute: what may be written down, for it holds no secret."""
    if isinstance(place, FolderPlace):
        return f"file:{quote(str(place.folder.absolute()))}"
    path = {name: value for name in TOKEN_ATTRIBUTES if (value := getattr(place, name)) is not None} | {"object": place.prefix}
    query = {"module-path": str(place.module)} | ({"pin-source": str(place.pin_source)} if place.pin_source else {})
    return f"pkcs11:{_joined(path, ';')}?{_joined(query, '&')}"


def _folder(rest: str) -> FolderPlace:
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host not in ("", "localhost") or not slash:
            raise KeyStoreUriError("key store file: names a host; expected file:/FOLDER or file:///FOLDER")
        rest = f"/{path}"
    folder = _text("file", rest)
    if not folder or "?" in rest or "#" in rest:
        raise KeyStoreUriError("key store file: expected file:/FOLDER, with ? and # percent-encoded")
    return FolderPlace(Path(folder))


def _token(rest: str) -> TokenPlace:
    path, _, query = rest.partition("?")
    named = _attributes(path, ";", _PATH_ATTRIBUTES)
    asked = _attributes(query, "&", _QUERY_ATTRIBUTES)
    prefix = named.pop("object", PREFIX)
    if not named:
        raise KeyStoreUriError("key store pkcs11: names no token; expected token=NAME or serial=NUMBER")
    if not _PREFIX.fullmatch(prefix):
        raise KeyStoreUriError("key store pkcs11: object is the prefix of key labels: up to 64 letters, digits, spaces, dots, hyphens")
    if "module-path" not in asked:
        raise KeyStoreUriError("key store pkcs11: names no module; add ?module-path=/MODULE.so, such as /usr/lib/softhsm/libsofthsm2.so")
    # a bare file name would be looked for along the loader's search path, where it may be another's
    module = _absolute("module-path", asked["module-path"])
    pin_source = _absolute("pin-source", asked["pin-source"].removeprefix("file:")) if "pin-source" in asked else None
    return TokenPlace(module, **named, prefix=prefix, pin_source=pin_source)


def _attributes(text: str, separator: str, expected: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, text.split(separator)):
        name, equals, value = part.partition("=")
        if name == "pin-value":
            raise KeyStoreUriError(
                "key store pkcs11: pin-value puts the PIN where logs and other users see it; set EDUSEAL_PASSPHRASE instead"
            )
        if not _NAME.fullmatch(name) or not equals:
            raise KeyStoreUriError(f"key store pkcs11: expected NAME=VALUE, separated by {separator} (RFC 7512)")
        if name not in expected:
            raise KeyStoreUriError(f"key store pkcs11: attribute {name} is not used there; expected {', '.join(expected)}")
        if name in found:
            raise KeyStoreUriError(f"key store pkcs11: attribute {name} stands twice")  # RFC 7512 section 2.3 forbids it
        found[name] = _text(name, value)
    return found


def _text(name: str, value: str) -> str:
    try:
        text = unquote_to_bytes(value).decode("utf-8")
    except UnicodeDecodeError:
        raise KeyStoreUriError(f"key store: {name} is not percent-encoded UTF-8") from None
    if not text.isprintable():
        raise KeyStoreUriError(f"key store: {name} holds characters that cannot be printed")
    return text


def _absolute(name: str, value: str) -> Path:
    path = Path(value)
    if not path.is_absolute():
        raise KeyStoreUriError(f"key store pkcs11: {name} is not absolute; expected /FOLDER/FILE")
    return path


def _joined(attributes: dict[str, str], separator: str) -> str:
    return separator.join(f"{name}={quote(value, safe='/')}" for name, value in attributes.items())
