"""When a document needs its next archive time stamp (ETSI EN 319 142-1 clause 5.5): before the outermost one stops proving anything.

    hold = hold_of_document(Document.parse(pdf))
    if decide(hold, offered=hold_of_certificates(tsa.certificates), at=now, horizon=timedelta(days=30)) is Renewal.DUE:
        pdf = renew(pdf, time_stamper=tsa, validation=evidence)

Pure: values in, a decision out. Which documents there are, and the transaction that replaces one, are the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pki.errors import UnsupportedAlgorithmError
from pki.structures.algorithm_policy import MODERN, AlgorithmPolicy, algorithm_name
from pki.structures.algorithms import algorithm_for_key, signature_algorithm_from_der
from pki.structures.certificate import load_certificate
from pki.structures.tsp import parse_time_stamp_token
from signing.applying.archive import archive_stamps
from signing.applying.dss import contents
from signing.pdf.document import Document

HORIZON = timedelta(days=30)  # as long before its end as the authority renews its own services' certificates


class Renewal(StrEnum):
    """What to do about a document's archive time stamp."""

    HOLDS = "holds"
    DUE = "due"
    NO_GAIN = "no-gain"
    """It ends soon, but the time stamp that could be made now would end no later: the authority's certificate comes first."""
    TOO_LATE = "too-late"
    """It has ended. A new time stamp proves that the document exists now, not that it did before; whoever can should say so by hand."""


@dataclass(frozen=True)
class Hold:
    """What ends a time stamp: the first certificate of its chain to expire (aware UTC), and the algorithms that its signatures use."""

    not_after: datetime
    algorithms: tuple[str, ...]
    """Names as in :class:`pki.structures.algorithm_policy.AlgorithmPolicy`, sorted."""

    def until(self, policy: AlgorithmPolicy) -> datetime:
        """The moment from which it proves nothing: an algorithm unknown to `policy` has ended already."""
        ends = dict(policy.signatures)
        if not set(self.algorithms) <= set(ends):
            return datetime.min.replace(tzinfo=self.not_after.tzinfo)
        return min([self.not_after, *(end for name in self.algorithms if (end := ends[name]) is not None)])


def decide(hold: Hold, *, offered: Hold, at: datetime, horizon: timedelta = HORIZON, policy: AlgorithmPolicy = MODERN) -> Renewal:
    """About a document whose outermost time stamp is `hold`, where one like `offered` could be made `at` (aware UTC)."""
    end = hold.until(policy)
    if end - at > horizon:
        return Renewal.HOLDS
    if end <= at:
        return Renewal.TOO_LATE
    return Renewal.DUE if offered.until(policy) > end else Renewal.NO_GAIN


def hold_of_document(document: Document) -> Hold | None:
    """Of its outermost archive time stamp; None where it has none. Raises the errors of `signing` and `pki` where that cannot be read."""
    stamps = archive_stamps(document)
    if not stamps:
        return None
    value = document.get(stamps[-1].value["V"])
    cms = parse_time_stamp_token(contents(document, value if isinstance(value, dict) else {})).cms
    return _hold(cms.certificates, signature_algorithm_from_der(cms.signature_identifier_der, cms.digest).name)


def hold_of_certificates(certificates: Sequence[bytes]) -> Hold:
    """Of the time stamps that an authority with these certificates makes: DER, its own first, then its issuers."""
    key = load_certificate(certificates[0]).public_key
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise UnsupportedAlgorithmError(f"time-stamp authority: key of type {type(key).__name__} is neither EC nor RSA")
    return _hold(certificates, algorithm_for_key(key).name)


def _hold(certificates: Sequence[bytes], algorithm: str) -> Hold:
    loaded = [load_certificate(der) for der in certificates]
    below_root = [each for each in loaded if not each.self_issued] or loaded
    names = {algorithm, *(algorithm_name(each.signature_algorithm_der) for each in below_root)}
    return Hold(min(each.not_after for each in below_root), tuple(sorted(names)))
