"""Reading one uploaded document into memory: never onto the disk, never more than the limit, never more than one."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from api.errors import Problem
from api.middleware import MAX_BODY

MAX_FIELDS = 8  # of a form, beside the file
MAX_FIELD = 16 * 1024  # octets of one of them
FIELD = "file"


@dataclass(frozen=True)
class Upload:
    """A document and the form's other fields."""

    name: str
    data: bytes
    fields: dict[str, str]


async def read_upload(request: Request) -> Upload:
    """From `multipart/form-data` (field `file`) or a bare `application/pdf` body. Raises :class:`api.errors.Problem`."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/pdf":
        return Upload("document.pdf", _some(await request.body()), {})
    if kind != "multipart/form-data":
        detail = f"content type is {kind[:80] or 'missing'}, expected multipart/form-data with field {FIELD!r}, or application/pdf"
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail)
    parser = MultiPartParser(request.headers, request.stream(), max_files=1, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD)
    parser.spool_max_size = MAX_BODY + 1  # in memory, whatever its size: the upload is never kept
    try:
        form = await parser.parse()
    except MultiPartException as exc:
        raise Problem(HTTPStatus.BAD_REQUEST, "bad-form", f"the form cannot be read: {exc.message}") from exc
    except (KeyError, ValueError, LookupError) as exc:
        raise Problem(HTTPStatus.BAD_REQUEST, "bad-form", "the form cannot be read; expected multipart/form-data") from exc
    try:
        file = form.get(FIELD)
        if not isinstance(file, UploadFile):
            raise Problem(HTTPStatus.BAD_REQUEST, "no-file", f"no document came; expected a file in field {FIELD!r}")
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        return Upload(file.filename or "", _some(await file.read()), fields)
    finally:
        await form.close()


def _some(data: bytes) -> bytes:
    if not data:
        raise Problem(HTTPStatus.BAD_REQUEST, "no-file", "no document came; the file is empty")
    return data
