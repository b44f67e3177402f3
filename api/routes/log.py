"""The log as anybody may check it: checkpoints, leaves and proofs. Leaves are salted hashes: nothing of an entry can be read from them."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.errors import Problem
from config.house import House

MAX_SIZE = 1 << 62  # leaves
ONE_DAY = 86_400
FOREVER = {"Cache-Control": f"public, max-age={ONE_DAY}"}  # what is sealed does not change
NEWEST = {"Cache-Control": "no-cache"}

Leaf = Annotated[int, Query(ge=0, le=MAX_SIZE)]


def log_routes(house: House) -> APIRouter:
    router = APIRouter(prefix="/log", tags=["log"])
    tree = house.stores.log_tree

    @router.get("/key", summary="The log's verifier key (c2sp.org/signed-note)")
    def key() -> Response:
        return _text(f"{house.sealer.key}\n")

    @router.get("/checkpoint", summary="The newest signed tree head (c2sp.org/tlog-checkpoint)")
    def checkpoint() -> Response:
        note = tree.sealed().note
        if note is None:
            raise Problem(HTTPStatus.NOT_FOUND, "not-found", "the log has not been sealed yet; try again in a few seconds")
        return _text(note)

    @router.get("/leaves", summary="Leaf data from `start` to `end` (excluded); fewer where many are asked for")
    def leaves(response: Response, start: Leaf, end: Leaf) -> dict[str, Any]:
        found = tree.leaves(start, end)
        response.headers.update(FOREVER)
        return {"start": start, "end": start + len(found), "leaves": _base64(found)}

    @router.get("/proof/inclusion", summary="That leaf `index` is in the tree of `size` leaves (RFC 9162 section 2.1.3)")
    def inclusion(response: Response, index: Leaf, size: Leaf) -> dict[str, Any]:
        hashes = tree.inclusion(index, size)
        response.headers.update(FOREVER)
        return {"index": index, "size": size, "hashes": _base64(hashes)}

    @router.get("/proof/consistency", summary="That the tree of `from` leaves is the beginning of that of `to` (RFC 9162 section 2.1.4)")
    def consistency(response: Response, old: Annotated[int, Query(alias="from", ge=0, le=MAX_SIZE)], to: Leaf) -> dict[str, Any]:
        hashes = tree.consistency(old, to)
        response.headers.update(FOREVER)
        return {"from": old, "to": to, "hashes": _base64(hashes)}

    return router


def _text(content: str) -> Response:
    return Response(content, media_type="text/plain; charset=utf-8", headers=NEWEST)


def _base64(values: Iterable[bytes]) -> list[str]:
    return [base64.b64encode(value).decode() for value in values]
