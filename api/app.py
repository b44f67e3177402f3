"""The application: a house in, ASGI out."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from api.access import Access
from api.authority import AuthorityEndpoints
from api.background import in_background, jobs_of
from api.checker import Checker, Judge
from api.crl_shelf import CrlShelf
from api.elsewhere import ElsewhereSigner
from api.errors import install
from api.lifespan import together
from api.log_sealing import sealing
from api.middleware import BodyLimit, Faults, HeadAsGet, SecurityHeaders
from api.ocsp_cache import OcspCache
from api.pages.report import report_page_routes, report_routes
from api.pages.verify import verify_routes
from api.routes.certificates import certificate_routes
from api.routes.elsewhere import elsewhere_routes
from api.routes.health import health_routes
from api.routes.log import log_routes
from api.routes.publication import publication_routes
from api.routes.signing import signing_routes
from api.routes.verification import verification_routes
from api.status_watch import StatusWatch, watching
from api.upload_signing import UploadSigner
from config.house import House
from db.status_changes import StatusChanges

STATIC = Path(__file__).parent / "static"
DAY = 86_400  # seconds


def create_app(house: House, judge: Judge) -> ASGIApp:
    """The service of one house; `judge` is :class:`api.judge.ProcessJudge` but in tests. Closing the house is the caller's."""
    crls = CrlShelf(house.publisher, clock=house.clock)
    checker = Checker(house, crls, judge)
    statuses = OcspCache()
    app = FastAPI(
        title="EduSeal",
        summary="Digital signatures for education records",
        openapi_url="/api/v1/openapi.json",
        lifespan=together(
            sealing(house.sealer),
            in_background(*jobs_of(house)),
            watching(StatusWatch(statuses, StatusChanges(house.stores.database))),
        ),
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},  # what is checked here is told to nobody
    )
    install(app)
    app.include_router(verify_routes(house, checker))
    app.include_router(verification_routes(checker))
    app.include_router(report_page_routes(house))
    app.include_router(report_routes(house, checker))
    app.include_router(publication_routes(house, crls))
    app.include_router(log_routes(house))
    app.include_router(health_routes(house))
    access = Access(house)
    app.include_router(certificate_routes(house, access))
    uploads = UploadSigner(house, judge)
    app.include_router(signing_routes(access, uploads))
    app.include_router(elsewhere_routes(access, ElsewhereSigner(house, uploads)))
    app.mount("/static", Static(directory=STATIC))
    limited = HeadAsGet(BodyLimit(app))
    endpoints = AuthorityEndpoints(limited, responder=house.responder, tsa=house.tsa, clock=house.clock, cache=statuses)
    return SecurityHeaders(Faults(endpoints))


class Static(StaticFiles):
    """Files of this package, kept by browsers for a day."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == 200:
            response.headers["Cache-Control"] = f"public, max-age={DAY}"
        return response
