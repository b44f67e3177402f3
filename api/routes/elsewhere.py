"""`POST /api/v1/sign/prepare` and `/complete`: a signature whose key is on somebody's token, or under another authority's certificate."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from api.access import Access, Caller
from api.elsewhere import ElsewhereSigner, Order
from api.upload import MAX_FIELD, read_upload
from signing.applying.two_step import MAX_SIGNATURE

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "certificate"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "certificate": {"type": "string", "description": "PEM: the signer's certificate first, then its issuers"},
                        "step": {"type": "string", "description": "of a record: the workflow's step that is signed"},
                        "field": {"type": "string", "description": "of any other document: the signature field, made where there is none"},
                        "holder": {
                            "type": "string",
                            "description": "of a record signed with another authority's certificate: the roster id of its holder",
                        },
                        "reason": {"type": "string", "description": "shown to readers of the document"},
                    },
                }
            }
        },
    }
}


class PreparedView(BaseModel):
    """What goes to the key: `hash`, or, for keys that hash by themselves, `signed_attributes` (DER). Both in base64."""

    prepared: str
    expires_at: datetime
    algorithm: str
    digest_algorithm: str
    hash: str
    signed_attributes: str


class Completion(BaseModel):
    """`signature`: ECDSA-Sig-Value DER or PKCS#1 v1.5 octets, in base64. `certificate_pem` is held against the one prepared with."""

    model_config = ConfigDict(extra="forbid")

    prepared: str = Field(min_length=1, max_length=64)
    signature: Base64Bytes = Field(max_length=2 * MAX_SIGNATURE)
    certificate_pem: str | None = Field(default=None, max_length=MAX_FIELD)


def elsewhere_routes(access: Access, signer: ElsewhereSigner) -> APIRouter:
    router = APIRouter(prefix="/api/v1/sign", tags=["signing"])
    caller_of = Depends(access)

    @router.post("/prepare", summary="Prepare a signature for a key held elsewhere", openapi_extra=BODY, response_model=PreparedView)
    async def prepare(request: Request) -> JSONResponse:
        """The document is inspected and kept for a few minutes; what the key must sign comes back."""
        caller = await to_thread.run_sync(access, request)
        upload = await read_upload(request)
        fields = upload.fields
        order = Order(
            certificates_pem=fields.get("certificate", "").encode(),
            step=fields.get("step"),
            field=fields.get("field"),
            holder=fields.get("holder"),
            reason=fields.get("reason") or None,
        )
        waiting = await to_thread.run_sync(signer.prepare, caller, upload.data, order)
        algorithm = waiting.signature.algorithm
        shown = PreparedView(
            prepared=waiting.id,
            expires_at=waiting.expires_at,
            algorithm=algorithm.name,
            digest_algorithm=algorithm.digest.value,
            hash=base64.b64encode(waiting.signature.hash).decode(),
            signed_attributes=base64.b64encode(waiting.signature.to_be_signed).decode(),
        )
        return JSONResponse(shown.model_dump(mode="json"), headers={"Cache-Control": "no-store"})

    @router.post(
        "/complete",
        summary="Complete a prepared signature",
        response_class=Response,
        responses={200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}},
    )
    def complete(wanted: Completion, caller: Caller = caller_of) -> Response:
        """The signature is checked before it goes in; each preparation is good for one."""
        pem = wanted.certificate_pem.encode() if wanted.certificate_pem else None
        signed = signer.complete(caller, wanted.prepared, wanted.signature, pem)
        return Response(signed, media_type="application/pdf", headers={"Cache-Control": "no-store"})

    return router
