"""`POST /api/v1/sign`: a program signs a record with its school's seal, or a person signs through it with their PIN."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.access import Access
from api.errors import Problem
from api.upload import read_upload
from api.upload_signing import UploadSigner
from pki.keys.pin import MAX_PIN

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "holder": {
                            "type": "string",
                            "description": "roster id of the person who signs; without it the school's seal signs",
                        },
                        "pin": {"type": "string", "format": "password", "description": "that person's PIN"},
                        "step": {"type": "string", "description": "the workflow's step that they sign"},
                    },
                }
            }
        },
    },
    "responses": {"200": {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}},
}


def signing_routes(access: Access, signer: UploadSigner) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["signing"])

    @router.post("/sign", summary="Sign one record", openapi_extra=BODY, response_class=Response)
    async def sign(request: Request) -> Response:
        """Without `holder` the caller's school seals the record and it becomes B-LTA; with `holder`, `pin` and `step` a person signs it."""
        caller = await to_thread.run_sync(access, request)
        upload = await read_upload(request)
        fields = upload.fields
        if "holder" not in fields:
            signed = await to_thread.run_sync(signer.seal, caller, upload.data)
        else:
            _require_person(fields)
            signed = await to_thread.run_sync(
                lambda: signer.sign(caller, upload.data, holder=fields["holder"], pin=fields["pin"], step=fields["step"])
            )
        return Response(signed, media_type="application/pdf", headers={"Cache-Control": "no-store"})

    return router


def _require_person(fields: dict[str, str]) -> None:
    missing = next((name for name in ("holder", "pin", "step") if not fields.get(name)), None)
    if missing:
        raise _invalid(f"a person signs with holder, pin and step; {missing} is missing")
    if len(fields["pin"]) > MAX_PIN:
        raise _invalid(f"the PIN is longer than the {MAX_PIN} characters it can have")


def _invalid(detail: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail)
