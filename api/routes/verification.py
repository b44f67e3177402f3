"""`POST /api/v1/verify`: the public check for programs. No account, nothing kept."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from api.checker import Checker
from api.upload import read_upload

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
            },
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


def verification_routes(checker: Checker) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["verification"])

    @router.post("/verify", summary="Judge one PDF", openapi_extra=BODY)
    async def verify(request: Request) -> JSONResponse:
        """The object that `eduseal verify --format jsonl` prints for a document, its record's status filled in."""
        upload = await read_upload(request)
        checked = await checker.check(upload.name, upload.data)
        return JSONResponse(checked.row, headers={"Cache-Control": "no-store"})

    return router
