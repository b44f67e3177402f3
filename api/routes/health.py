"""Whether the service can do its work: for a load balancer or a container's health check. It says nothing about anybody."""

from __future__ import annotations

from fastapi import APIRouter, Response

from config.house import House
from pki.establish import ISSUING


def health_routes(house: House) -> APIRouter:
    router = APIRouter(tags=["operation"])

    @router.get("/healthz", summary="Whether the service and its database answer")
    def health(response: Response) -> dict[str, str]:
        response.headers["Cache-Control"] = "no-store"
        house.stores.certificates.get(ISSUING, 0)  # a serial that is never drawn: asks the database, finds nothing
        return {"status": "ok"}

    return router
