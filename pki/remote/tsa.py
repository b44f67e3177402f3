"""A time-stamp authority elsewhere, asked over HTTP (RFC 3161 section 3.4).

    tsa = RemoteTimeStamper("https://tsa.example.org/tsr", clock=utc_now)
    token_der = tsa.stamp(sha256_of_signature)

Only where somebody named its address: nothing here is a default, and no address is taken from a document. A remote authority learns one
digest, and when we asked.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.hazmat import asn1

from pki.errors import EncodingError, PkiError
from pki.paths.chain import TrustAnchor
from pki.ports import Clock
from pki.remote.http_request import RemoteError, RemoteUnavailableError, check_url, post
from pki.remote.token_check import CheckedToken, WrongTokenError, check_token
from pki.status.timestamp import FailureInfo
from pki.structures.algorithms import Digest
from pki.structures.cms import tlv
from pki.structures.tsp import GrantedTimeStampResp, MessageImprint, PKIStatusInfo, TimeStampReq, TimeStampResp

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"
MAX_REPLY = 64 * 1024  # octets; an answer with three certificates has about 6,000
SECONDS = 10.0  # for one answer, from connecting to its last octet
PAUSES = (0.5, 1.0, 2.0)  # seconds before each further try
NONCE_BITS = 64
_GRANTED = (0, 1)  # granted, grantedWithMods
_PASSING = (FailureInfo.TIME_NOT_AVAILABLE, FailureInfo.SYSTEM_FAILURE)
_PROBE = b"which certificates do your tokens carry?"


@dataclass(frozen=True)
class Patience:
    """How long one answer may take, and how long to wait before asking again."""

    seconds: float = SECONDS
    pauses: tuple[float, ...] = PAUSES


class RemoteTimeStamper:
    """Implements :class:`pki.ports.TimeStamper`.

    With `anchors` a token must lead to one of them; without, its signature is checked under the certificate that it carries and trust is
    left to whoever verifies. `sleep` waits between tries. Construction raises :class:`pki.remote.http_request.RemoteError` for an address
    that is none.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        anchors: Sequence[TrustAnchor] = (),
        patience: Patience = Patience(),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = check_url(url)
        self._clock = clock
        self._anchors = tuple(anchors)
        self._patience = patience
        self._sleep = sleep
        self._certificates: tuple[bytes, ...] = ()

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """Those of the last token; before the first, one is asked for over a fixed text, so this may raise as :meth:`stamp`."""
        if not self._certificates:
            self.stamp(Digest.SHA256.of(_PROBE))
        return self._certificates

    def stamp(self, digest: bytes, *, algorithm: str = "sha256") -> bytes:
        """A token that was checked (:func:`pki.remote.token_check.check_token`).

        Raises :class:`pki.remote.http_request.RemoteUnavailableError` once every try has failed; RemoteError where the authority refuses or
        answers as none does; :class:`pki.remote.token_check.WrongTokenError` where its token is about something else.
        """
        failure: RemoteUnavailableError | None = None
        for pause in (0.0, *self._patience.pauses):
            if pause:
                self._sleep(pause)
            try:
                checked = self._ask(digest, algorithm)
            except RemoteUnavailableError as exc:
                failure = exc
            else:
                self._certificates = checked.certificates
                return checked.token.der
        tries = 1 + len(self._patience.pauses)
        raise RemoteUnavailableError(f"time-stamp authority: {failure}; asked {tries} times") from failure

    def _ask(self, digest: bytes, algorithm: str) -> CheckedToken:
        nonce = secrets.randbits(NONCE_BITS) | 1 << (NONCE_BITS - 1)
        request = request_der(digest, algorithm=algorithm, nonce=nonce)
        headers = {"Content-Type": QUERY, "Accept": REPLY}
        answer = post(self._url, request, headers=headers, seconds=self._patience.seconds, limit=MAX_REPLY)
        if answer.content_type != REPLY:
            raise RemoteError(f"time-stamp authority: answers with {answer.content_type[:80] or 'no content type'}, expected {REPLY}")
        token = token_in(answer.body)
        try:
            return check_token(token, digest=digest, algorithm=algorithm, nonce=nonce, at=self._clock(), anchors=self._anchors)
        except WrongTokenError:
            raise
        except PkiError as exc:
            raise WrongTokenError(f"time-stamp token: {exc}") from exc


def request_der(digest: bytes, *, algorithm: str, nonce: int) -> bytes:
    """A DER TimeStampReq that asks for certificates; raises :class:`pki.remote.http_request.RemoteError` for another digest than SHA-2."""
    try:
        kind = Digest(algorithm)
    except ValueError:
        raise RemoteError(f"time stamp: imprint digest {algorithm!r} is not SHA-256, SHA-384, SHA-512") from None
    imprint = MessageImprint(hash_algorithm=tlv(kind.identifier_der), hashed_message=digest)
    asked = TimeStampReq(version=1, message_imprint=imprint, req_policy=None, nonce=nonce, cert_req=True, extensions=None)
    return asn1.encode_der(asked)


def token_in(response_der: bytes) -> bytes:
    """The token of a granted DER TimeStampResp. Raises RemoteError with the authority's own words where it refuses."""
    try:
        granted = asn1.decode_der(GrantedTimeStampResp, response_der)
    except ValueError:
        raise _refusal(response_der) from None
    if granted.status.status not in _GRANTED:
        raise _told(granted.status)
    return asn1.encode_der(granted.time_stamp_token)


def _refusal(response_der: bytes) -> PkiError:
    try:
        return _told(asn1.decode_der(TimeStampResp, response_der).status)
    except ValueError:
        return EncodingError("time-stamp authority: the answer is not a DER TimeStampResp")


def _told(status: PKIStatusInfo) -> RemoteError:
    bits = status.fail_info.as_bytes() if status.fail_info is not None else b""
    failures = [each for each in FailureInfo if each // 8 < len(bits) and bits[each // 8] & 0x80 >> each % 8]
    names = ", ".join(each.name.lower().replace("_", " ") for each in failures)
    words = "".join(c for c in " ".join(status.status_string or []) if c.isprintable())[:200]
    text = f"time-stamp authority: no token, status {status.status} ({names or 'no reason given'}){': ' + words if words else ''}"
    passing = any(each in _PASSING for each in failures)
    return RemoteUnavailableError(text) if passing else RemoteError(text)
