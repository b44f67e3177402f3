"""Requests and their approvals in the database: implements :class:`records.registration_ports.RequestStore` and OutcomeStore.

The moves are pure (:mod:`pki.registration.approval`); here the row is locked, the move made, and the new state saved with its log entry
in one transaction. :func:`redeem` takes a connection, for whoever redeems in the transaction that begins the work.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from db import log
from db.engine import Database
from db.officers import in_office
from db.tables_registration import approvals, requests
from db.upsert import insert_missing
from pki.registration import approval as registration
from pki.registration.approval import Approval, NotApprovedError, Order, Redeemed, Request, RequestKind, RequestState, UnknownRequestError
from pki.registration.policy import RegistrationPolicy

ID_BYTES = 8
_ONE_CERTIFICATE = (RequestKind.PERSON, RequestKind.SEAL)  # asking again after it was issued finds that certificate


class Requests:
    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, order: Order, *, by: str, at: datetime, policy: RegistrationPolicy) -> Request:
        """A new request, or the one that stands for the same order, also where many ask at once."""
        made = registration.open_request(order, id=secrets.token_hex(ID_BYTES), by=by, at=at, policy=policy)
        with self._database.writing() as connection:
            standing = _find(connection, requests.c.live_key == order.key)
            if standing is not None and _stands(standing, at):
                return standing
            if standing is not None:
                connection.execute(sa.update(requests).where(requests.c.id == standing.id).values(live_key=None))
            insert_missing(connection, requests, [_row(made)])
            kept = _find(connection, requests.c.live_key == order.key)
            assert kept is not None  # noqa: S101 (inserted here or by whom the insert waited for)
            if kept.id == made.id:
                details = {**_named(order), "by": by, "digest": order.digest.hex(), "needed": made.needed}
                _log(connection, "opened", made.id, at, details)
            return kept

    def get(self, request_id: str) -> Request:
        """Raises :class:`pki.registration.approval.UnknownRequestError`."""
        with self._database.reading() as connection:
            return _known(connection, request_id, lock=False)

    def find(self, order: Order) -> Request | None:
        """The request that stands for an order, expired or not."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(requests).where(requests.c.live_key == order.key)).one_or_none()
            return None if row is None else _request(connection, row)

    def list(self, *, state: RequestState | None = None) -> tuple[Request, ...]:
        """Oldest first."""
        chosen = sa.select(requests).order_by(requests.c.requested_at, requests.c.id)
        if state is not None:
            chosen = chosen.where(requests.c.state == state.value)
        with self._database.reading() as connection:
            return tuple(_request(connection, row) for row in connection.execute(chosen).all())

    def approve(self, request_id: str, *, by: str, at: datetime, policy: RegistrationPolicy) -> Request:
        def move(request: Request, connection: sa.Connection) -> Request:
            return registration.approve(request, by=by, at=at, officers=in_office(connection), policy=policy)

        def after(connection: sa.Connection, moved: Request) -> None:
            connection.execute(sa.insert(approvals).values(request_id=request_id, officer=by, at=at))
            _log(connection, "approved", request_id, at, {"by": by, "approvals": len(moved.approvals), "needed": moved.needed})

        return self._move(request_id, move, after)

    def refuse(self, request_id: str, *, by: str, reason: str, at: datetime) -> Request:
        def move(request: Request, connection: sa.Connection) -> Request:
            return registration.refuse(request, by=by, reason=reason, at=at, officers=in_office(connection))

        def after(connection: sa.Connection, moved: Request) -> None:
            connection.execute(sa.update(requests).where(requests.c.id == request_id).values(live_key=None))
            _log(connection, "refused", request_id, at, {"by": by, "reason": moved.reason})

        return self._move(request_id, move, after)

    def redeem(self, request_id: str, *, digest: bytes, at: datetime) -> Redeemed:
        with self._database.writing() as connection:
            return redeem(connection, request_id, digest=digest, at=at)

    def redeemed(self, request_id: str) -> Redeemed:
        """What :meth:`redeem` gave out; raises :class:`pki.registration.approval.NotApprovedError` where it has not."""
        with self._database.reading() as connection:
            request = _known(connection, request_id, lock=False)
            at = connection.execute(sa.select(requests.c.redeemed_at).where(requests.c.id == request_id)).scalar_one()
        if at is None:
            raise NotApprovedError(f"request {request_id}: is {request.state}, expected redeemed")
        return Redeemed(request.id, request.order, request.requested_by, tuple(each.by for each in request.approvals), at)

    def claim(self, request_id: str, *, at: datetime, stale: datetime) -> bool:
        """Whether the caller is to issue: nobody has begun, or whoever did began at `stale` or before."""
        free = requests.c.claimed_at.is_(None) | (requests.c.claimed_at <= stale)
        chosen = sa.update(requests).where(requests.c.id == request_id, requests.c.state == RequestState.REDEEMED.value, free)
        with self._database.writing_alone() as connection:
            return connection.execute(chosen.values(claimed_at=at)).rowcount == 1

    def release(self, request_id: str, *, claimed_at: datetime) -> None:
        """Gives up a claim that came to nothing."""
        chosen = sa.update(requests).where(requests.c.id == request_id, requests.c.claimed_at == claimed_at)
        with self._database.writing_alone() as connection:
            connection.execute(chosen.values(claimed_at=None))

    def bind(self, request_id: str, *, issuer: str, serial: int, claimed_at: datetime) -> bool:
        """Names the recorded certificate, before it is signed; False where somebody else has taken over the claim."""
        chosen = sa.update(requests).where(requests.c.id == request_id, requests.c.claimed_at == claimed_at)
        with self._database.writing_alone() as connection:
            return connection.execute(chosen.values(issuer=issuer, serial=serial)).rowcount == 1

    def outcome(self, request_id: str) -> tuple[str, int] | None:
        """Issuer and serial number."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(requests.c.issuer, requests.c.serial).where(requests.c.id == request_id)).one_or_none()
        return None if row is None or row.issuer is None else (row.issuer, row.serial)

    def _move(
        self,
        request_id: str,
        move: Callable[[Request, sa.Connection], Request],
        after: Callable[[sa.Connection, Request], None],
    ) -> Request:
        with self._database.writing() as connection:
            moved = move(_known(connection, request_id), connection)
            _save(connection, moved)
            after(connection, moved)
        return moved


def redeem(connection: sa.Connection, request_id: str, *, digest: bytes, at: datetime) -> Redeemed:
    """Uses an approval inside the caller's transaction. Raises as :func:`pki.registration.approval.redeem`, and UnknownRequestError."""
    moved, redeemed = registration.redeem(_known(connection, request_id), digest=digest, at=at)
    _save(connection, moved, redeemed_at=at)
    if moved.order.kind not in _ONE_CERTIFICATE:
        connection.execute(sa.update(requests).where(requests.c.id == request_id).values(live_key=None))
    _log(connection, "redeemed", request_id, at, {**_named(moved.order), "approved_by": list(redeemed.approved_by)})
    return redeemed


def _stands(request: Request, at: datetime) -> bool:
    return request.state is not RequestState.REFUSED and not request.expired(at)


def _find(connection: sa.Connection, chosen: sa.ColumnElement[bool]) -> Request | None:
    row = connection.execute(sa.select(requests).where(chosen).with_for_update()).one_or_none()
    return None if row is None else _request(connection, row)


def _known(connection: sa.Connection, request_id: str, *, lock: bool = True) -> Request:
    chosen = sa.select(requests).where(requests.c.id == request_id)
    row = connection.execute(chosen.with_for_update() if lock else chosen).one_or_none()
    if row is None:
        raise UnknownRequestError(f"there is no request {request_id}; `eduseal request list` names them")
    return _request(connection, row)


def _request(connection: sa.Connection, row: sa.Row[Any]) -> Request:
    chosen = sa.select(approvals).where(approvals.c.request_id == row.id).order_by(approvals.c.at, approvals.c.officer)
    return Request(
        id=row.id,
        order=Order(RequestKind(row.kind), row.profile, row.reference, bytes(row.digest), row.content),
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        expires_at=row.expires_at,
        needed=row.needed,
        state=RequestState(row.state),
        approvals=tuple(Approval(each.officer, each.at) for each in connection.execute(chosen)),
        refused_by=row.refused_by,
        reason=row.reason,
    )


def _row(request: Request) -> dict[str, Any]:
    return {
        "id": request.id,
        **_named(request.order),
        "digest": request.order.digest,
        "content": request.order.content,
        "live_key": request.order.key,
        "requested_by": request.requested_by,
        "requested_at": request.requested_at,
        "expires_at": request.expires_at,
        "needed": request.needed,
        "state": request.state.value,
    }


def _named(order: Order) -> dict[str, str]:
    return {"kind": order.kind.value, "profile": order.profile, "reference": order.reference}


def _save(connection: sa.Connection, moved: Request, **more: Any) -> None:
    values = {"state": moved.state.value, "expires_at": moved.expires_at, "refused_by": moved.refused_by, "reason": moved.reason, **more}
    connection.execute(sa.update(requests).where(requests.c.id == moved.id).values(**values))


def _log(connection: sa.Connection, what: str, request_id: str, at: datetime, details: Mapping[str, Any]) -> None:
    log.append(connection, kind=f"request.{what}", subject=f"request/{request_id}", at=at, details=details)
