"""Leave to use the network, and its bounds. Whoever is given none touches no network."""

from __future__ import annotations

from dataclasses import dataclass

ROUNDS = 4  # times that a document is judged: without, with issuers, with their status by OCSP, by CRL where OCSP did not help


@dataclass(frozen=True)
class Network:
    """How long one request, and all requests for one document together, may take; seconds by the clock."""

    request_seconds: float = 5.0
    document_seconds: float = 20.0
