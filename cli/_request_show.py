"""Requests for people to read: a table of them, and what one of them asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from cli._table import aligned
from pki.registration.approval import Request

HEADINGS = ("request", "kind", "for", "state", "asked by", "asked on", "until", "approved by")
PEOPLE = ("holder", "name", "role", "born", "replaces certificate")


def listed(requests: Sequence[Request]) -> Iterator[str]:
    if not requests:
        yield "No requests."
        return
    yield from aligned(HEADINGS, [_row(request) for request in requests])


def described(request: Request) -> Iterator[str]:
    """Everything that is approved with it, readable; the digest says exactly what."""
    yield f"Request {request.id}: {request.order.kind} {request.order.reference}, profile {request.order.profile}"
    yield f"  asked by {request.requested_by} on {request.requested_at:%Y-%m-%d %H:%M} UTC, until {request.expires_at:%Y-%m-%d %H:%M} UTC"
    yield f"  {request.state}, {len(request.approvals)} of {request.needed} approvals{_approvers(request)}"
    if request.refused_by:
        yield f"  refused by {request.refused_by}: {request.reason}"
    yield f"  SHA-256 {request.order.digest.hex()}"
    yield from _content(request.order.content)


def _content(content: str | None) -> Iterator[str]:
    wanted = _json(content)
    if wanted is None:
        return
    schools = wanted.get("schools", [wanted])
    for school in schools:
        yield f"  school {school['school']}  {school['organization']}  {school['identifier']}"
    rows = wanted.get("people", [wanted] if "holder" in wanted else [])
    if rows:
        cells = [
            (row["holder"], f"{row['surname']} {row['given_name']}", row["role"], row["birth_date"], row["replaces"] or "") for row in rows
        ]
        yield from aligned(PEOPLE, cells, indent="  ")
    elif wanted.get("replaces"):
        yield f"  replaces certificate {wanted['replaces']}"
    if wanted.get("new_key"):
        yield "  over a new key"
    if "key" in wanted:
        yield f"  public key SHA-256 {wanted['key']}"


def _json(content: str | None) -> dict[str, Any] | None:
    """What :mod:`records.orders` wrote; other rooms' texts are not taken apart here."""
    try:
        wanted = json.loads(content or "null")
    except ValueError:
        return None
    return wanted if isinstance(wanted, dict) and str(wanted.get("format", "")).startswith("eduseal order ") else None


def _row(request: Request) -> tuple[str, ...]:
    return (
        request.id,
        request.order.kind.value,
        request.order.reference,
        request.state.value,
        request.requested_by,
        f"{request.requested_at:%Y-%m-%d %H:%M}",
        f"{request.expires_at:%Y-%m-%d %H:%M}",
        ", ".join(approval.by for approval in request.approvals),
    )


def _approvers(request: Request) -> str:
    return f": {', '.join(approval.by for approval in request.approvals)}" if request.approvals else ""
