"""The public verification page: anyone drops a PDF and reads one answer in plain words. No account, no script, nothing kept."""

from __future__ import annotations

import hashlib
import json
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from api.checker import Checked, Checker
from api.errors import Problem
from api.middleware import MAX_BODY
from api.pages.answer import answer_of
from api.pages.ticket import Tickets
from api.pages.words import LANGUAGES, Words, choose
from api.upload import read_upload
from config.house import House
from records.errors import NotFoundError
from signing.verdict import RecordStatus

MEGABYTES = MAX_BODY // (1024 * 1024)
MAX_CODE = 64  # characters of a record's id (records.record)


class VerifyPages:
    """Renders the page. `house` gives the root's fingerprint, the clock and the books."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._tickets = Tickets(house.keys)
        self._templates = Environment(
            loader=PackageLoader("api.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        # never the request's own Host: a forger's proxy would have the page vouch for the forger's address
        self._host = urlsplit(house.settings.public_url or house.plan.base_url).netloc
        self._fingerprint = fingerprint(house.authority.root_der)

    def form(self, words: Words, *, record: str | None, version: int | None) -> HTMLResponse:
        code = self._code(words, record, version) if record and version else None
        return self._page("verify.html", words, code=code)

    def verdict(self, words: Words, checked: Checked) -> HTMLResponse:
        moment = self._house.clock()
        return self._page(
            "verdict.html",
            words,
            row=checked.row,
            answer=answer_of(words, checked),
            report=json.dumps(checked.row, ensure_ascii=False, indent=2),
            ticket=self._tickets.issue(checked, moment),
            checked_at=f"{moment:%Y-%m-%d %H:%M} UTC",
        )

    def error(self, words: Words, problem: Problem) -> HTMLResponse:
        key = f"error.{problem.slug}"
        text = words(key, megabytes=MEGABYTES) if key in words else words("error.other")
        page = self._page("error.html", words, text=text)
        page.status_code = problem.status.value
        page.headers.update(problem.headers)
        return page

    def _code(self, words: Words, record: str, version: int) -> dict[str, Any]:
        """What the books say of a record by its code alone: its status, and no more."""
        status = self._house.stores.records.status(record, version)
        text = words(f"code.{status.value}") if status in (RecordStatus.CURRENT, RecordStatus.WITHDRAWN) else words("code.unknown")
        if status is RecordStatus.SUPERSEDED:
            current = self._current(record)
            text = words("code.superseded", current=current) if current else words("code.superseded_plain")
        return {"record": record, "version": version, "text": text}

    def _current(self, record: str) -> int | None:
        try:
            current = self._house.stores.records.load(record).current
        except NotFoundError:
            return None
        return current.number if current else None

    def _page(self, template: str, words: Words, **values: Any) -> HTMLResponse:
        text = self._templates.get_template(template).render(
            words=words,
            languages=LANGUAGES,
            host=self._host,
            root_fingerprint=self._fingerprint,
            megabytes=MEGABYTES,
            **values,
        )
        return HTMLResponse(text, headers={"Cache-Control": "no-store", "Vary": "Accept-Language", "Content-Language": words.language})


def verify_routes(house: House, checker: Checker) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    pages = VerifyPages(house)

    @router.get("/")
    async def home() -> RedirectResponse:
        return RedirectResponse("/verify", HTTPStatus.SEE_OTHER)

    @router.get("/verify")
    def form(
        request: Request,
        lang: str | None = None,
        record: str | None = Query(None, max_length=MAX_CODE),
        version: int | None = Query(None, ge=1, le=1_000_000),
    ) -> HTMLResponse:
        return pages.form(_words(request, lang), record=record, version=version)

    @router.post("/verify")
    async def check(request: Request, lang: str | None = None) -> HTMLResponse:
        words = _words(request, lang)
        try:
            upload = await read_upload(request)
            checked = await checker.check(upload.name, upload.data)
        except Problem as problem:
            return pages.error(words, problem)
        return pages.verdict(words, checked)

    return router


def fingerprint(certificate_der: bytes) -> str:
    """SHA-256, upper-case hexadecimal in pairs, as `openssl x509 -fingerprint -sha256` prints it."""
    return hashlib.sha256(certificate_der).digest().hex(":").upper()


def _words(request: Request, lang: str | None) -> Words:
    return choose(lang, request.headers.get("accept-language"))
