"""Several OCSP responders behind one address: one for each issuing authority, since each delegates to a certificate of its own.

RFC 6960 section 4.2.2.2: the responder's certificate must be signed by the very authority whose certificates it speaks of. So where one
request names certificates of several, the newest authority's are answered, and the others are `unknown` to it (section 2.2): asked for
alone they are answered too.
"""

from __future__ import annotations

from collections.abc import Sequence

from pki.status.ocsp import OcspResponder
from pki.status.ocsp_answer import OcspAnswer, ResponseStatus


class OcspResponders:
    """Asks each in turn; the first is the newest authority's, which most questions are for."""

    def __init__(self, responders: Sequence[OcspResponder]) -> None:
        self.all = tuple(responders)

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """The responder certificates in use, in order."""
        return tuple(each.certificate_der for each in self.all)

    def trouble(self) -> str | None:
        """As :meth:`pki.status.ocsp.OcspResponder.trouble`, of the first that has any."""
        return next((trouble for each in self.all if (trouble := each.trouble()) is not None), None)

    def respond(self, request_der: bytes) -> OcspAnswer:
        """The answer of the first responder that has something to say; `unauthorized` where none has."""
        return self.respond_all((request_der,))[0]

    def respond_all(self, requests: Sequence[bytes]) -> list[OcspAnswer]:
        """In the order asked."""
        answers = self.all[0].respond_all(requests)
        for other in self.all[1:]:
            refused = [place for place, answer in enumerate(answers) if answer.status is ResponseStatus.UNAUTHORIZED]
            for place, answer in zip(refused, other.respond_all([requests[place] for place in refused]), strict=True):
                answers[place] = answer
        return answers
