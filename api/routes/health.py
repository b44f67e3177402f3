"""Whether the service can do its work: for a load balancer or a container's health check. It says nothing about anybody."""

from __future__ import annotations

from fastapi import APIRouter, Response

from config.house import House
from pki.authority.establish import ISSUING


def health_routes(house: House) -> APIRouter:
    router = APIRouter(tags=["operation"])

    @router.get("/healthz", summary="Whether the service and its database answer, and whether lists and clock are in order")
    def health(response: Response) -> dict[str, str | list[str]]:
        """`status` is degraded where the service answers, but not all is well.

        `overdue_lists` names revocation lists that were not renewed in time, `time_stamps` and `ocsp` say why none are made. The HTTP
        status stays 200 then: what works is to go on working.
        """
        response.headers["Cache-Control"] = "no-store"
        house.stores.certificates.get(ISSUING, 0)  # a serial that is never drawn: asks the database, finds nothing
        found: dict[str, str | list[str]] = {}
        if late := house.publisher.overdue():
            found["overdue_lists"] = [f"{issuer}/{shard}" for issuer, shard in late]
        if (trouble := house.tsa.trouble()) is not None:
            found["time_stamps"] = trouble
        if (trouble := house.responder.trouble()) is not None:
            found["ocsp"] = trouble
        return {"status": "degraded", **found} if found else {"status": "ok"}

    return router
