"""What the documents of a run are judged by, as it is handed to the processes that judge them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pki.network import Network
from signing.grant import GRANT, Grant
from signing.policy import VerificationPolicy
from signing.trust import Supplied, TrustStore


class Engine(StrEnum):
    """Which verifier answers (:mod:`signing.engines`)."""

    AUTO = "auto"
    FAST = "fast"
    REFERENCE = "reference"


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
