"""The signed report on one document: asked for with the ticket that the verification page gave, or with the document itself."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from api.checker import Checked, Checker
from api.errors import Problem
from api.pages.answer import answer_of
from api.pages.ticket import MAX_TICKET, Tickets
from api.pages.verify import VerifyPages, fingerprint
from api.pages.words import Words, choose
from api.routes.verification import BODY
from api.upload import read_upload
from config.house import House
from config.report_seal import sealed_report
from pki.errors import PkiError
from records.errors import RecordsError
from signing.errors import SigningError
from signing.reports.report_pdf import ReportPage, report_pdf

AT_ONCE = 2  # reports set and sealed at the same time
MAX_WAITING = 8  # reports in line; whoever comes later is asked to come back
HEADERS = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="verification-report.pdf"'}
MAX_FIELDS = 4
FORM = "application/x-www-form-urlencoded"

log = structlog.get_logger("eduseal.api")


class Reports:
    """Sets and seals. `house` gives seal, time stamps and books."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._limiter = CapacityLimiter(AT_ONCE)
        self._present = 0

    async def of(self, words: Words, checked: Checked, at: datetime) -> Response:
        """Raises :class:`api.errors.Problem` (503) where too many wait, or nothing can be sealed."""
        if self._present >= AT_ONCE + MAX_WAITING:
            detail = "many reports are being made at this moment; try again in a few seconds"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "busy", detail, {"Retry-After": "5"})
        self._present += 1
        try:
            pdf = await to_thread.run_sync(self._made, words, checked, at, limiter=self._limiter)
        except (PkiError, RecordsError, SigningError) as exc:
            log.error("report.not_made", error=type(exc).__name__)
            detail = "no report can be sealed at this moment; the answer stands without it"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail, {"Retry-After": "60"}) from exc
        finally:
            self._present -= 1
        return Response(pdf, media_type="application/pdf", headers=HEADERS)

    def _made(self, words: Words, checked: Checked, at: datetime) -> bytes:
        return sealed_report(self._house, report_pdf(self._page(words, checked, at), checked.row, at=at))

    def _page(self, words: Words, checked: Checked, at: datetime) -> ReportPage:
        row, answer, house = checked.row, answer_of(words, checked), self._house
        record = row["record"]
        facts = [
            (words("page.file_name"), row["file"]),
            ("SHA-256", row["sha256"]),
            *([(words("record.heading"), words("record.is", record=record["id"], version=record["version"]))] if record else []),
            (words("page.checked_at"), f"{at:%Y-%m-%d %H:%M} UTC"),
            (words("report.policy"), house.policy.name),
            (words("page.root"), fingerprint(house.authority.root_der)),
        ]
        return ReportPage(
            lang=words.language,
            authority=house.plan.organization.name,
            heading=words("report.heading"),
            file=row["file"],
            tone=answer.tone,
            answer=answer.title,
            text=answer.text,
            action=answer.action,
            footer=words("report.footer"),
            facts=tuple(facts),
            signers=answer.signers,
            checks=answer.checks,
            findings=answer.findings,
            words={
                "signers": words("signers.heading"),
                "name": words("signers.name"),
                "time": words("signers.time"),
                "signature": words("signers.answer"),
                "checks": words("checks.heading"),
                "check": words("checks.check"),
                "answer": words("checks.answer"),
                "findings": words("details.findings"),
                "attachment": words("details.heading"),
                "more": words("report.more", count="{count}"),
            },
        )


def report_page_routes(house: House) -> APIRouter:
    """The button of the verification page."""
    router = APIRouter(include_in_schema=False)
    pages, reports, tickets = VerifyPages(house), Reports(house), Tickets(house.keys)

    @router.post("/verify/report", response_model=None)
    async def report(request: Request, lang: str | None = None) -> Response | HTMLResponse:
        words = choose(lang, request.headers.get("accept-language"))
        try:
            checked, at = tickets.redeem(await _ticket(request), now=house.clock())
            return await reports.of(words, checked, at)
        except Problem as problem:
            return pages.error(words, problem)

    return router


def report_routes(house: House, checker: Checker) -> APIRouter:
    """The same for programs, which send the document."""
    router = APIRouter(prefix="/api/v1", tags=["verification"])
    reports = Reports(house)
    answers: dict[int | str, dict[str, Any]] = {200: {"content": {"application/pdf": {}}, "description": "The report, PAdES B-LTA"}}

    @router.post(
        "/verify/report",
        summary="Judge one PDF, answer with a signed report",
        openapi_extra=BODY,
        responses=answers,
        response_class=Response,
    )
    async def report(request: Request, lang: str | None = None) -> Response:
        """A PDF with the answer in words and `verdict.json` attached, sealed by this service. `lang` is vi, en or zh."""
        upload = await read_upload(request)
        at = house.clock()
        checked = await checker.check(upload.name, upload.data)
        return await reports.of(choose(lang, request.headers.get("accept-language")), checked, at)

    return router


async def _ticket(request: Request) -> str:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", f"expected a form ({FORM})")
    body = bytearray()
    async for block in request.stream():
        body += block
        if len(body) > 2 * MAX_TICKET:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "the form is larger than a ticket can be")
    try:
        found = parse_qs(body.decode("ascii", "replace"), max_num_fields=MAX_FIELDS)
    except ValueError:  # more fields
        return ""  # no ticket of ours
    return found.get("ticket", [""])[0]
