"""The process in which documents are judged: one after the other, within the limits of time and memory that `design.md` grants.

The parent (:mod:`signing.bulk.pool`) keeps the time, since a process that is stuck cannot; memory is bounded by the kernel.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import resource
import signal
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from pki.remote.network import Network
from signing.bulk.intake import IntakeError, Item, read_item
from signing.errors import LimitError
from signing.policy import VerificationPolicy
from signing.reports.report import Row
from signing.trust.store import Supplied, TrustStore
from signing.verdict import Entitlement, Indication, Message, Verdict
from signing.verifying.engines import Engine, judge
from signing.verifying.grant import GRANT, Grant
from signing.verifying.verify import Caches

_ALLOCATIONS = 50_000  # of containers, net, after which garbage is looked for: some 10 MiB at most
_COLLECT_FROM = 16 * 1024 * 1024  # octets of a document after which what it left behind is collected at once


@dataclass(frozen=True)
class Task:
    """What every document of a run is judged by. `at` is aware UTC."""

    policy: VerificationPolicy
    trust: TrustStore
    at: datetime
    supplied: Supplied = field(default_factory=Supplied)
    engine: Engine = Engine.AUTO
    grant: Grant = GRANT
    network: Network | None = None
    """Where it is given, what is missing is fetched, and documents are judged at the moment that their turn comes, not at `at`."""


def serve(channel: Connection, task: Task) -> None:
    """Judges what arrives on `channel` until it closes. Sends one octet when ready, then for each item a start and a row, as JSON."""
    from signing.verifying import ades  # noqa: F401 (before anything is granted to a document; the fork server has it already)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    warnings.filterwarnings("ignore", message="Attribute's length must be", category=UserWarning)  # octets; X.520 counts characters
    warnings.simplefilter("ignore")  # such as `cryptography` on long names: findings go into verdicts, not onto a terminal
    verifier = _verifier(task)
    spare_garbage_collection()
    channel.send_bytes(b".")
    while True:
        try:
            item, data = channel.recv()
        except EOFError:
            return
        try:
            row = _judged(item, data, task, verifier, lambda seconds: channel.send_bytes(json.dumps({"seconds": seconds}).encode()))
        except MemoryError:
            # the heap may be in pieces: let the parent put a fresh process in this one's place
            os._exit(1)
        channel.send_bytes(json.dumps({"row": row}).encode())


def spare_garbage_collection() -> None:
    """What is imported by now is not looked through again for garbage, and the rest less often: judging a document leaves next to none."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS)


def _verifier(task: Task) -> Callable[[bytes], Verdict]:
    """What judges one document of the run; it remembers chains and evidence, and what the network said, from one to the next."""
    caches = Caches()
    if task.network is None:
        return partial(judge, policy=task.policy, trust=task.trust, at=task.at, supplied=task.supplied, engine=task.engine, caches=caches)
    from pki.remote.online import Online
    from signing.verifying.online import judge_online

    return partial(
        judge_online,
        policy=task.policy,
        online=Online(task.network),
        trust=task.trust,
        clock=lambda: datetime.now(UTC),
        supplied=task.supplied,
        engine=task.engine,
        caches=caches,
    )


def _judged(item: Item, data: bytes | None, task: Task, verifier: Callable[[bytes], Verdict], began: Callable[[float], None]) -> Row:
    try:
        document = read_item(item) if data is None else data
    except LimitError as exc:
        return _unjudged("LIMIT_EXCEEDED", f"{exc}; look at this document by hand").as_dict(item.name)
    except IntakeError as exc:
        return _unjudged("NOT_READABLE", f"{exc}; check the file and try again").as_dict(item.name)
    began(task.grant.seconds_for(document))
    _grant_memory(task.grant.memory_for(document))
    try:
        verdict = verifier(document)
    except MemoryError:
        raise
    except Exception as exc:
        # a fault of ours, not of the document's: never a pass, and never a traceback in front of a user
        text = f"the verifier itself failed ({type(exc).__name__}); please report this document"
        verdict = _unjudged("INTERNAL_ERROR", text, document)
        if os.environ.get("EDUSEAL_DEBUG"):
            sys.excepthook(type(exc), exc, exc.__traceback__)
    finally:
        _lift_limits()
        if len(document) > _COLLECT_FROM:
            gc.collect()
    return verdict.as_dict(item.name)


def _unjudged(code: str, text: str, document: bytes = b"") -> Verdict:
    sha256 = hashlib.sha256(document).hexdigest() if document else ""
    return Verdict(
        sha256=sha256,
        indication=Indication.INDETERMINATE,
        sub_indication=None,
        entitlement=Entitlement.UNKNOWN,
        messages=(Message(code, text),),
    )


def _grant_memory(octets: int) -> None:
    """Address space for one document: `octets` more than the process has now. Linux only; elsewhere there is no bound."""
    taken = _address_space()
    if taken is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (taken + octets, hard))


def _lift_limits() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _address_space() -> int | None:
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return None
