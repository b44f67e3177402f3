"""A check of the verifier that did not pass, with the words of ETSI EN 319 102-1 for it."""

from __future__ import annotations

from signing.errors import SigningError
from signing.verdict import Indication, Message, SubIndication

_FAILED = frozenset(
    {
        SubIndication.FORMAT_FAILURE,
        SubIndication.HASH_FAILURE,
        SubIndication.SIG_CRYPTO_FAILURE,
        SubIndication.REVOKED,
        SubIndication.EXPIRED,
        SubIndication.NOT_YET_VALID,
    }
)


def indication_of(sub_indication: SubIndication) -> Indication:
    """The indication under which a sub-indication stands (EN 319 102-1 clause 5.1.3, table 6)."""
    return Indication.TOTAL_FAILED if sub_indication in _FAILED else Indication.INDETERMINATE


class CheckFailedError(SigningError):
    """One check of a signature or time stamp failed. `code` is stable; the text says what was got and what was expected."""

    def __init__(self, sub_indication: SubIndication, code: str, text: str) -> None:
        super().__init__(text)
        self.sub_indication = sub_indication
        self.code = code

    @property
    def indication(self) -> Indication:
        return indication_of(self.sub_indication)

    @property
    def message(self) -> Message:
        return Message(self.code, str(self))
