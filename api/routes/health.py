"""Whether the service can do its work: for a load balancer or a container's health check. It says nothing about anybody."""

from __future__ import annotations

from fastapi import APIRouter, Response

from config.house import House
from pki.establish import ISSUING


def health_routes(house: House) -> APIRouter:
    router = APIRouter(tags=["operation"])

    @router.get("/healthz", summary="Whether the service and its database answer")
    def health(response: Response) -> dict[str, str | list[str]]:
        """`status` is degraded where the service answers, but revocation lists were not renewed in time: `overdue_lists` names them.

        The HTTP status stays 200 then: a restart would not help, and what is published is served until it runs out.
        """
        response.headers["Cache-Control"] = "no-store"
        house.stores.certificates.get(ISSUING, 0)  # a serial that is never drawn: asks the database, finds nothing
        late = [f"{issuer}/{shard}" for issuer, shard in house.publisher.overdue()]
        return {"status": "degraded", "overdue_lists": late} if late else {"status": "ok"}

    return router
