"""What commands of registration share: officers and their PINs, and the approval that a command needs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from cli._secret import secret
from cli.main import UsageError
from config.house import House
from pki.registration.approval import NotApprovedError, Order, Redeemed, Request, RequestState
from pki.registration.policy import RequestKind

By = Annotated[str, typer.Option("--by", metavar="OFFICER", help="The registration officer who does it; their PIN is asked for.")]
PinFile = Annotated[str | None, typer.Option(metavar="FILE", help="First line: the officer's PIN; - is a line of standard input.")]

_FOR_ONE = (
    RequestKind.PERSON,
    RequestKind.SEAL,
)
"""Their order names the certificate that is replaced, and so is another once one is issued: until then it can be carried on."""


def officer_pin(officer: str, file: str | None) -> str:
    return secret(f"PIN of {officer}", flag="--pin-file", file=file)


def approval_for(house: House, order: Order, *, ask: str) -> Redeemed:
    """The approval of an order, used up. `ask` is the command that asks for it.

    Raises :class:`pki.registration.approval.NotApprovedError`.
    """
    registration, now = house.services.registration, house.clock()
    request = registration.find(order)
    usable = (RequestState.APPROVED, RequestState.REDEEMED) if order.kind in _FOR_ONE else (RequestState.APPROVED,)
    if request is None or request.state not in usable or request.expired(now):
        raise NotApprovedError(f"{order.reference}: a second person must approve this {order.kind} first; {_next(request, now, ask)}")
    return (registration.redeem_for_one if order.kind in _FOR_ONE else registration.redeem)(request.id, order.digest)


def told(request: Request, at: datetime) -> str:
    """One line on where a request stands, and what comes next."""
    if request.expired(at):
        return f"Request {request.id} expired at {request.expires_at:%Y-%m-%d %H:%M} UTC; ask again."
    if request.state is RequestState.OPEN:
        left = request.needed - len(request.approvals)
        others = f"{left} other officer{'s' if left > 1 else ''}"
        return (
            f"Request {request.id} waits for {others} until {request.expires_at:%Y-%m-%d %H:%M} UTC: "
            f"eduseal request approve {request.id} --by OFFICER"
        )
    if request.state is RequestState.APPROVED:
        return f"Request {request.id} is approved until {request.expires_at:%Y-%m-%d %H:%M} UTC: eduseal request issue {request.id}"
    return f"Request {request.id} is {request.state}."


def one_each(officers: list[str], files: list[str]) -> dict[str, str]:
    """PINs of several officers, from one file each or asked for."""
    if files and len(files) != len(officers):
        raise UsageError(f"{len(officers)} officers and {len(files)} PIN files; give one file for each officer, in the same order")
    return {officer: officer_pin(officer, files[index] if files else None) for index, officer in enumerate(officers)}


def _next(request: Request | None, at: datetime, ask: str) -> str:
    if request is None or request.state is RequestState.REDEEMED or request.expired(at):
        return f"ask with `{ask}`"
    return f"request {request.id} waits: `eduseal request approve {request.id} --by OFFICER`"
