"""Asks the network for what a verifier lacks: a missing issuer, and whether a certificate is revoked (RFC 5280 section 4.2.2.1).

Addresses come from certificates: an issuer's from the certificate that lacks it, status from certificates whose chain to an anchor has
been validated already. Only who runs the program can ask for that; the service never does, on nobody's behalf.

    online = Online(Network())
    more = online.fetch([Lack(teacher, issuing), Lack(stranger, None)])     # Evidence: to be proven like any other
    online.failures                                                         # what could not be had, and why

What comes back is proven by its signatures alone, so plain http is good enough, and a lying network can withhold but not invent.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.x509.oid import AuthorityInformationAccessOID

from pki.remote.http_request import HttpAnswer, RemoteError, get, post
from pki.remote.lack import Lack
from pki.remote.network import Network
from pki.remote.online_messages import addresses, certificates_in, crl_in, is_ocsp_answer, list_addresses, ocsp_request
from pki.revocation.inquiry import Evidence
from pki.structures.certificate import Certificate

MAX_REQUESTS = 24  # for one document; bounds what a hostile one can set off
MAX_ANSWER = 64 * 1024  # octets of an OCSP answer or a certificate
MAX_CRL = 16 * 1024 * 1024  # octets; 300,000 entries
MAX_REMEMBERED = 2_000  # answers kept, failures too; a bounded run of thousands of documents asks about a few dozen certificates
MAX_REMEMBERED_OCTETS = 64 * 1024 * 1024
FAILURE_SECONDS = 60.0  # for which whoever did not answer is not asked again: a run of thousands must not wait for it each time


class Transport(Protocol):
    """One request, whole within `seconds`; raises :class:`pki.remote.http_request.RemoteError`. `body` None asks with GET."""

    def __call__(self, url: str, body: bytes | None, *, seconds: float, limit: int) -> HttpAnswer: ...


def over_http(url: str, body: bytes | None, *, seconds: float, limit: int) -> HttpAnswer:
    """The transport that reaches the network. OCSP is the only thing asked with a body."""
    if body is None:
        return get(url, seconds=seconds, limit=limit)
    return post(url, body, headers={"Content-Type": "application/ocsp-request"}, seconds=seconds, limit=limit)


_Question = tuple[str, bytes | None, int]
"""Address, body, and how many octets of an answer are read: too few for one purpose may be enough for another."""


@dataclass(frozen=True)
class _Remembered:
    """`answer` is None where there was none; `failure` then says why, and `until` how long nobody tries again (by the run's clock)."""

    answer: bytes | None
    failure: str = ""
    until: float = math.inf


@dataclass
class _Memory:
    """Answers by question, for one run: a class of records shares its signers. The oldest go first."""

    known: dict[_Question, _Remembered] = field(default_factory=dict)
    octets: int = 0

    def find(self, question: _Question, now: float) -> _Remembered | None:
        found = self.known.get(question)
        return found if found is not None and now < found.until else None

    def put(self, question: _Question, answer: _Remembered) -> None:
        self._drop(question)
        self.known[question] = answer
        self.octets += len(answer.answer or b"")
        while len(self.known) > MAX_REMEMBERED or self.octets > MAX_REMEMBERED_OCTETS:
            self._drop(next(iter(self.known)))

    def _drop(self, question: _Question) -> None:
        found = self.known.pop(question, None)
        self.octets -= len(found.answer or b"") if found is not None else 0


class Online:
    """One for a run of documents. Call :meth:`begin` for each document, then :meth:`fetch` as often as something is lacking."""

    def __init__(self, network: Network, *, transport: Transport = over_http, clock: Callable[[], float] = time.monotonic) -> None:
        self._network = network
        self._transport = transport
        self._clock = clock
        self._memory = _Memory()
        self.failures: list[str] = []
        self._recalled: set[_Question] = set()
        self._sent: set[_Question] = set()
        self._now_asked: set[_Question] = set()
        self._inquired: set[bytes] = set()
        self._ends = 0.0
        self.begin()

    def begin(self) -> None:
        """A new document: its own time and number of requests."""
        self.failures = []
        self._recalled, self._sent, self._inquired = set(), set(), set()
        self._ends = self._clock() + self._network.document_seconds

    def fetch(self, lacks: Sequence[Lack]) -> Evidence:
        """What could be had of what is lacking; nothing is raised, see :attr:`failures`.

        What is still lacking after an answer from memory is asked of the network; nothing is asked there twice for one document.
        """
        self._now_asked = set()
        found = [
            self._issuers(lack.certificate) if lack.issuer is None else self._status(lack.certificate, lack.issuer)
            for lack in lacks
            if not (lack.dated and lack.certificate.der in self._inquired)
        ]
        return Evidence(
            certificates=tuple(der for one in found for der in one.certificates),
            crls=tuple(der for one in found for der in one.crls),
            ocsps=tuple(der for one in found for der in one.ocsps),
        )

    def _issuers(self, certificate: Certificate) -> Evidence:
        for url in addresses(certificate, AuthorityInformationAccessOID.CA_ISSUERS):
            answer = self._ask(url, None, MAX_ANSWER)
            found = certificates_in(answer) if answer else ()
            if found:
                return Evidence(certificates=found)
            if answer:
                self._note(f"{url} answers with something that is no certificate")
        return Evidence()

    def _status(self, certificate: Certificate, issuer: Certificate) -> Evidence:
        """By OCSP, which is fresher; by CRL where there is none."""
        self._inquired.add(certificate.der)
        request = ocsp_request(certificate, issuer)
        for url in addresses(certificate, AuthorityInformationAccessOID.OCSP) if request else ():
            answer = self._ask(url, request, MAX_ANSWER)
            if answer and is_ocsp_answer(answer):
                return Evidence(ocsps=(answer,))
            if answer:
                self._note(f"{url} gives no OCSP answer about the certificate")
        for url in list_addresses(certificate):
            answer = self._ask(url, None, MAX_CRL)
            crl = crl_in(answer) if answer else None
            if crl:
                return Evidence(crls=(crl,))
            if answer:
                self._note(f"{url} answers with something that is no CRL")
        return Evidence()

    def _ask(self, url: str, body: bytes | None, limit: int) -> bytes | None:
        """The answer's octets; None where there is none, or where the same was asked a moment ago."""
        question = (url, body, limit)
        if question in self._sent or question in self._now_asked:
            return None
        self._now_asked.add(question)
        known = self._memory.find(question, self._clock())
        if known is not None and (known.answer is None or question not in self._recalled):
            self._recalled.add(question)
            if known.answer is None:
                self._note(known.failure)
            return known.answer
        return self._sent_for(question)

    def _sent_for(self, question: _Question) -> bytes | None:
        url, body, limit = question
        now = self._clock()
        seconds = min(self._ends - now, self._network.request_seconds)
        if seconds <= 0 or len(self._sent) >= MAX_REQUESTS:
            self._note("more would have to be fetched for this document than is granted")
            return None
        self._sent.add(question)
        try:
            answer = self._transport(url, body, seconds=seconds, limit=limit).body
        except RemoteError as exc:
            self._note(str(exc))
            if seconds == self._network.request_seconds:  # else a document that used its time up would speak for the next one
                self._memory.put(question, _Remembered(None, str(exc), now + FAILURE_SECONDS))
            return None
        self._memory.put(question, _Remembered(answer))
        return answer

    def _note(self, text: str) -> None:
        if text not in self.failures:
            self.failures.append(text)
