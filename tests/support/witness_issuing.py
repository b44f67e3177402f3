"""A process that issues certificates with a witness beside its key, and kills itself at a named step.

The witness is a file: SHA-256 of each to-be-signed certificate stands in it, on the disk, before its signature is handed out. Whatever the
books say afterwards, these certificates exist.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from db.certificates import Certificates
from db.engine import Database, open_database
from pki.authority.establish import ISSUING, load
from pki.identity.subject import legal_person
from pki.issuing.issue import CertificateRequest
from pki.issuing.urls import AuthorityUrls
from pki.keys.softkey import SoftwareKey
from pki.structures.algorithms import PublicKey, SignatureAlgorithm, SigningKey
from tests.support.authority import BASE_URL, SCHOOL, SCHOOL_IDENTIFIER, MemoryKeyStore, shipped_profiles

ROOT = Path(__file__).parents[2]
SHARDS = 4
STEPS = (
    "before prepare",
    "after prepare",
    "before record commits",
    "after record",
    "before signing",
    "after the witness",
    "after signing",
    "before issue commits",
    "after issue",
)
RANDOM = "at any moment"
ENOUGH = 200  # certificates; a process that is to be killed from outside does not live to see it

Step = Callable[[str], None]


class WitnessKey:
    """A :class:`pki.structures.algorithms.SigningKey` that tells a file of every signature before it hands it out."""

    def __init__(self, key: SigningKey, witness: Path, step: Step) -> None:
        self._key, self._witness, self._step = key, witness, step

    @property
    def algorithm(self) -> SignatureAlgorithm:
        return self._key.algorithm

    def public_key(self) -> PublicKey:
        return self._key.public_key()

    def sign(self, data: bytes) -> bytes:
        self._step("before signing")
        signature = self._key.sign(data)
        with self._witness.open("ab") as file:
            file.write(hashlib.sha256(data).hexdigest().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._step("after the witness")
        return signature


class WitnessKeyStore(MemoryKeyStore):
    """Keys in memory; the issuing key has the witness beside it."""

    def __init__(self, keys: dict[str, bytes], witness: Path, step: Step) -> None:
        super().__init__()
        for label, der in keys.items():
            self.keys[label] = SoftwareKey(load_der_private_key(der, None))  # type: ignore[arg-type]  # EC keys of this file's making
        self._witness, self._step = witness, step

    def open(self, label: str) -> Any:
        key = super().open(label)
        return WitnessKey(key, self._witness, self._step) if label == ISSUING else key


def key_ders(keys: MemoryKeyStore) -> dict[str, bytes]:
    """To be handed to another process."""
    form = (Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return {label: key.private_key.private_bytes(*form) for label, key in keys.keys.items()}


def witnessed(witness: Path) -> set[bytes]:
    return {bytes.fromhex(line) for line in witness.read_text().split()} if witness.exists() else set()


def issue_until_killed(url: str, keys: dict[str, bytes], witness: Path, step: str, turn: int, *, ready: Callable[[], object]) -> None:
    """Issues seals; kills itself at `step` of its `turn`-th certificate, or never where the step is none. Runs in a process of its own."""
    reached = dict.fromkeys(STEPS, 0)

    def here(name: str) -> None:
        reached[name] += 1
        if name == step and reached[name] == turn:
            os.kill(os.getpid(), signal.SIGKILL)

    database = open_database(url)
    authority = load(
        WitnessKeyStore(keys, witness, here),
        Certificates(database),
        shipped_profiles(),
        clock=lambda: datetime.now(UTC),
        urls=AuthorityUrls(BASE_URL),
        crl_shards=SHARDS,
        lint_rate=0,
    ).issuing
    moves = _watch_commits(database, here)
    ready()
    for number in range(ENOUGH):
        request = CertificateRequest(
            profile="school-seal",
            subject=legal_person(country="VN", name=SCHOOL, identifier=SCHOOL_IDENTIFIER),
            public_key=SoftwareKey.generate().public_key(),
            holder=f"seal/{os.getpid()}/{number}",
        )
        here("before prepare")
        prepared = authority.prepare(request)
        here("after prepare")
        moves["now"] = "record"
        authority.record(prepared)
        here("after record")
        moves["now"] = "issue"
        authority.issue(prepared)
        here("after issue")


def _watch_commits(database: Database, here: Step) -> dict[str, str]:
    """The last moment of a write: the statements are done, the commit is not."""
    moves: dict[str, str] = {}
    written: set[str] = set()

    @sa.event.listens_for(database.engine, "before_cursor_execute")
    def statement(_c: object, _u: object, text: str, *_: object) -> None:
        if text.startswith(("UPDATE certificates", "INSERT INTO certificates")):
            if moves["now"] == "issue":
                here("after signing")
            written.add(moves["now"])

    @sa.event.listens_for(database.engine, "commit")
    def commit(_: sa.Connection) -> None:
        for move in written:
            here(f"before {move} commits")
        written.clear()

    return moves


class Nursery:
    """A process that has everything imported and forks one issuing process after the other: a kill then costs milliseconds."""

    def __init__(self) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "tests.support.witness_issuing"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def kill_one(self, url: str, keys: dict[str, bytes], witness: Path, step: str, *, turn: int, delay: float) -> None:
        """An issuing process, to its end by SIGKILL; `delay` is in seconds, for the step :data:`RANDOM`."""
        named = {label: der.hex() for label, der in keys.items()}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([url, named, str(witness), step, turn, delay]), file=self._process.stdin, flush=True)
        ended = self._process.stdout.readline().strip()
        assert ended == str(-signal.SIGKILL), f"the issuing process ended with {ended}, not by the kill"

    def close(self) -> None:
        self._process.communicate(timeout=60)


def _serve() -> None:
    """Forks for each line of standard input, and answers with the exit status."""
    for line in sys.stdin:
        url, keys, witness, step, turn, delay = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                ders = {label: bytes.fromhex(der) for label, der in keys.items()}
                issue_until_killed(url, ders, Path(witness), step, turn, ready=partial(os.write, writing, b"."))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        os.close(writing)
        begun = os.read(reading, 1)
        os.close(reading)
        if step == RANDOM and begun:
            time.sleep(delay)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    _serve()
