"""What the documents of a run are judged by, as it is handed to the processes that judge them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pki.remote.network import Network
from signing.policy import VerificationPolicy
from signing.trust.store import Supplied, TrustStore
from signing.verifying.engine import Engine
from signing.verifying.grant import GRANT, Grant


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
