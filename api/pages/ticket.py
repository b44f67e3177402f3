"""What a page hands its reader so that they may ask for the signed report later: the verdict itself, sealed. The service keeps nothing.

A ticket is encrypted and authenticated under the key store's key-encryption key: nobody reads or makes one but this house, and any of its
processes redeems it.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from api.checker import Checked
from api.errors import Problem
from pki.errors import PkiError
from pki.ports import KeyStore

VALID = timedelta(minutes=30)
MAX_TICKET = 64 * 1024  # characters; a record of fifteen signatures has about 4,000
MAX_VERDICT = 512 * 1024  # characters of JSON: repetition packs a hundred times as much into a ticket
_CONTEXT = b"eduseal verification report ticket 1"


class Tickets:
    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    def issue(self, checked: Checked, at: datetime) -> str | None:
        """None where the verdict is too long to be handed around."""
        text = json.dumps({"row": checked.row, "current": checked.current_version, "at": at.timestamp()})
        if len(text) > MAX_VERDICT:
            return None
        sealed = self._keys.wrap(zlib.compress(text.encode()), context=_CONTEXT)
        ticket = base64.urlsafe_b64encode(sealed).decode("ascii")
        return ticket if len(ticket) <= MAX_TICKET else None

    def redeem(self, ticket: str, *, now: datetime) -> tuple[Checked, datetime]:
        """What was checked, and when. Raises :class:`api.errors.Problem`: 400 where it is no ticket of ours, 410 where it is too old."""
        try:
            sealed = base64.urlsafe_b64decode(ticket[:MAX_TICKET].encode("ascii"))
            read = json.loads(zlib.decompress(self._keys.unwrap(sealed, context=_CONTEXT)))
        except (PkiError, binascii.Error, ValueError, zlib.error) as exc:
            raise Problem(HTTPStatus.BAD_REQUEST, "bad-ticket", "this is no ticket of this service; check the document again") from exc
        at = datetime.fromtimestamp(read["at"], UTC)
        if not timedelta(0) <= now - at <= VALID:
            raise Problem(
                HTTPStatus.GONE, "ticket-expired", f"the check is older than {VALID.seconds // 60} minutes; check the document again"
            )
        return Checked(read["row"], read["current"]), at
