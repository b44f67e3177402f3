"""SoftHSM2 in a folder of its own: tokens made with `softhsm2-util`, taken away and brought back."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "mã PIN của thẻ 1"
SO_PIN = "00000000"


# softhsm2-util sets a PIN at once, so this speaks to the module itself
_INIT_TOKEN = """
import ctypes, sys
module, label, pin = ctypes.CDLL(sys.argv[1]), sys.argv[2].encode().ljust(32), sys.argv[3].encode()
count = ctypes.c_ulong()
assert module.C_Initialize(None) == 0
assert module.C_GetSlotList(1, None, ctypes.byref(count)) == 0
slots = (ctypes.c_ulong * count.value)()
assert module.C_GetSlotList(1, slots, ctypes.byref(count)) == 0
assert module.C_InitToken(ctypes.c_ulong(slots[-1]), pin, ctypes.c_ulong(len(pin)), label) == 0
"""


@dataclass(frozen=True)
class Token:
    """`folder` is where SoftHSM keeps it."""

    label: str
    folder: Path

    def uri(self, prefix: str | None = None, **query: str) -> str:
        named = f"pkcs11:token={self.label}" + (f";object={prefix}" if prefix else "")
        return named + "?" + "&".join(f"{name}={value}" for name, value in {"module-path": str(MODULE), **query}.items())

    def take_away(self) -> None:
        shutil.move(self.folder, self.folder.parent.parent / self.folder.name)

    def bring_back(self) -> None:
        shutil.move(self.folder.parent.parent / self.folder.name, self.folder)


@dataclass
class SoftHsm:
    """`variables` point other processes at the same tokens."""

    folder: Path
    count: int = 0

    @property
    def variables(self) -> dict[str, str]:
        return {"SOFTHSM2_CONF": str(self.folder / "softhsm2.conf")}

    def token(self, *, pin: str = PIN) -> Token:
        """A fresh one, with a label that no other has."""
        self.count += 1
        label, tokens = f"token-{self.count}", self.folder / "tokens"
        before = set(tokens.iterdir())
        self.util("--init-token", "--free", "--label", label, "--so-pin", SO_PIN, "--pin", pin)
        (made,) = set(tokens.iterdir()) - before
        return Token(label, made)

    def token_without_pin(self) -> Token:
        """Initialized, but its security officer has not set the user's PIN yet."""
        self.count += 1
        label, tokens = f"token-{self.count}", self.folder / "tokens"
        before = set(tokens.iterdir())
        command = [sys.executable, "-c", _INIT_TOKEN, str(MODULE), label, SO_PIN]
        subprocess.run(command, env={**os.environ, **self.variables}, check=True, timeout=30)
        (made,) = set(tokens.iterdir()) - before
        return Token(label, made)

    def util(self, *arguments: str) -> None:
        environment = {**os.environ, **self.variables}
        subprocess.run(["softhsm2-util", *arguments], env=environment, capture_output=True, check=True, timeout=30)


@cache
def _standing() -> SoftHsm:
    """One for the whole run, whichever tests ask: a module reads its configuration again whenever it starts anew in this process."""
    assert MODULE.is_file(), f"{MODULE} is missing: install the Debian package softhsm2 (tests/system-packages)"
    folder = Path(tempfile.mkdtemp(prefix="eduseal-softhsm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "tokens").mkdir()
    lines = (f"directories.tokendir = {folder / 'tokens'}", "objectstore.backend = file", "log.level = ERROR", "slots.removable = false")
    (folder / "softhsm2.conf").write_text("\n".join(lines) + "\n")
    return SoftHsm(folder)


@pytest.fixture(scope="session")
def softhsm() -> Iterator[SoftHsm]:
    made = _standing()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in made.variables.items():
            patch.setenv(name, value)
        yield made
