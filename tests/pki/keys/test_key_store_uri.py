"""Key store URIs: which are taken, what they mean, and that no message repeats one."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.keys.key_store_uri import FolderPlace, KeyStorePlace, KeyStoreUriError, TokenPlace, key_store_uri, parse_key_store_uri

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
Q = f"?module-path={MODULE}"


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("file:/srv/keys", FolderPlace(Path("/srv/keys"))),
        ("file:///srv/keys", FolderPlace(Path("/srv/keys"))),
        ("file://localhost/srv/my%20keys", FolderPlace(Path("/srv/my keys"))),
        (f"pkcs11:token=eduseal{Q}", TokenPlace(MODULE, token="eduseal")),
        (f"pkcs11:token=S%E1%BB%9F%20GD;object=hanoi{Q}", TokenPlace(MODULE, token="Sở GD", prefix="hanoi")),
        (
            f"pkcs11:serial=f00d;model=SoftHSM%20v2;manufacturer=M{Q}",
            TokenPlace(MODULE, serial="f00d", model="SoftHSM v2", manufacturer="M"),
        ),
        (f"pkcs11:token=a{Q}&pin-source=/etc/pin", TokenPlace(MODULE, token="a", pin_source=Path("/etc/pin"))),
        (f"pkcs11:token=a{Q}&pin-source=file:/etc/pin", TokenPlace(MODULE, token="a", pin_source=Path("/etc/pin"))),
    ],
)
def test_a_uri_names_a_place(uri: str, place: KeyStorePlace) -> None:
    assert parse_key_store_uri(uri) == place
    assert parse_key_store_uri(key_store_uri(place)) == place


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("", "expected file:/FOLDER or pkcs11:"),
        (f"https://{SECRET}", "expected file:/FOLDER or pkcs11:"),
        (f"/srv/{SECRET}", "expected file:/FOLDER or pkcs11:"),
        ("file:", "expected file:/FOLDER"),
        (f"file:/keys?{SECRET}", "percent-encoded"),
        (f"file://{SECRET}/keys", "names a host"),
        ("file:/a%ff", "file is not percent-encoded UTF-8"),
        ("file:/a%00b", "cannot be printed"),
        (f"pkcs11:{Q}", "names no token"),
        (f"pkcs11:object=a{Q}", "names no token"),
        ("pkcs11:token=a", "names no module"),
        ("pkcs11:token=a?module-path=libsofthsm2.so", "module-path is not absolute"),
        (f"pkcs11:token=a{Q}&pin-source=pin", "pin-source is not absolute"),
        (f"pkcs11:token=a{Q}&pin-value={SECRET}", "pin-value puts the PIN where logs"),
        (f"pkcs11:token=a;pin-value={SECRET}{Q}", "pin-value puts the PIN where logs"),
        (f"pkcs11:token=a;token=b{Q}", "attribute token stands twice"),
        (f"pkcs11:token=a;slot-id={SECRET}{Q}", "attribute slot-id is not used there"),
        (f"pkcs11:token=a{Q}&module-name={SECRET}", "attribute module-name is not used there"),
        (f"pkcs11:token=a;{SECRET}{Q}", "expected NAME=VALUE, separated by ;"),
        (f"pkcs11:token=a{Q}&{SECRET}", "expected NAME=VALUE, separated by &"),
        (f"pkcs11:token=a;Pin {SECRET}=b{Q}", "expected NAME=VALUE"),
        (f"pkcs11:token=%e1{Q}", "token is not percent-encoded UTF-8"),
        (f"pkcs11:token=a;object=a/b{Q}", "object is the prefix of key labels"),
        (f"pkcs11:token=a;object={Q}", "object is the prefix of key labels"),
        (f"pkcs11:token={'a' * 5000}{Q}", "expected file:/FOLDER or pkcs11:"),
    ],
)
def test_what_names_no_place_is_refused_without_repeating_it(uri: str, message: str) -> None:
    with pytest.raises(KeyStoreUriError, match=message) as caught:
        parse_key_store_uri(uri)
    assert SECRET not in str(caught.value)


printable = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40)


@settings(derandomize=True, max_examples=200)
@given(token=printable, serial=printable | st.none(), folder=printable)
def test_any_name_survives_being_written_down(token: str, serial: str | None, folder: str) -> None:
    for place in (TokenPlace(Path("/") / folder, token=token, serial=serial), FolderPlace(Path("/srv") / folder.lstrip("/"))):
        assert parse_key_store_uri(key_store_uri(place)) == place


@settings(derandomize=True, max_examples=500)
@given(text=st.text(max_size=80) | st.builds("pkcs11:{}?{}".format, st.text(max_size=40), st.text(max_size=40)))
def test_no_text_gives_another_error(text: str) -> None:
    with contextlib.suppress(KeyStoreUriError):
        parse_key_store_uri(text)
