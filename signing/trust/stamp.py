"""One time-stamp token, checked: its imprint, its CMS, its TSA at a horizon (RFC 3161; EN 319 102-1 clause 5.4)."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import NamedTuple

from pki.errors import PkiError, UnsupportedAlgorithmError
from pki.paths.chain import KeyPurpose
from pki.structures.cms import TST_INFO
from pki.structures.tsp import TimeStampToken, parse_time_stamp_token
from signing.failure import CheckFailedError
from signing.trust.cms_check import CheckedCms, ContentDigest, check
from signing.trust.ground import Ground, Horizon, Standing
from signing.trust.standing import standing
from signing.verdict import Coverage, Indication, Message, SubIndication, TimestampVerdict, rfc3339

MAX_CLOCK_SKEW = timedelta(minutes=1)  # between two authorities' clocks, or an authority's and ours


class StampFinding(NamedTuple):
    """What one token proves: existence by `time` where `failure` is None, and nothing otherwise."""

    time: datetime | None
    tsa: str | None
    failure: CheckFailedError | None
    standing: Standing | None = None
    extra: tuple[Message, ...] = ()
    certificates: tuple[bytes, ...] = ()
    """All that a token which passed carries, DER."""

    @property
    def passed(self) -> bool:
        return self.failure is None and self.time is not None

    def verdict(self, *, field: str, kind: str, coverage: Coverage | None = None) -> TimestampVerdict:
        failure = self.failure
        notes = self.standing.messages if self.standing else ()
        return TimestampVerdict(
            field=field,
            kind=kind,
            indication=failure.indication if failure else Indication.TOTAL_PASSED,
            sub_indication=failure.sub_indication if failure else None,
            time=self.time,
            tsa=self.tsa,
            coverage=coverage,
            messages=((failure.message,) if failure else ()) + self.extra + notes,
        )


def check_stamp(token_der: bytes, *, stamped: ContentDigest, horizon: Horizon, ground: Ground, lenient: bool = False) -> StampFinding:
    """Never raises for what a token holds: the finding tells. `stamped` gives the digest of what the token should be about."""
    time: datetime | None = None
    tsa: str | None = None
    try:
        token = _parsed(token_der)
        time = token.gen_time
        if not hmac.compare_digest(token.imprint, stamped(token.imprint_digest)):
            raise CheckFailedError(SubIndication.HASH_FAILURE, "IMPRINT_MISMATCH", "the time stamp is about other bytes than these")
        checked = _check_cms(token)
        tsa = checked.signer.subject.name
        _check_order(time, horizon)
        stood = standing(
            checked.signer.der,
            checked.certificates,
            purpose=KeyPurpose.TIME_STAMPING,
            horizon=horizon,
            ground=ground,
            lenient=lenient,
        )
    except CheckFailedError as exc:
        return StampFinding(time=time, tsa=tsa, failure=exc)
    return StampFinding(time=time, tsa=tsa, failure=None, standing=stood, certificates=checked.certificates)


def _parsed(token_der: bytes) -> TimeStampToken:
    try:
        return parse_time_stamp_token(token_der)
    except UnsupportedAlgorithmError as exc:
        raise CheckFailedError(SubIndication.CRYPTO_CONSTRAINTS_FAILURE, "ALGORITHM_NOT_ACCEPTED", str(exc)) from exc
    except PkiError as exc:
        raise CheckFailedError(SubIndication.FORMAT_FAILURE, "TIMESTAMP_MALFORMED", str(exc)) from exc


def _check_cms(token: TimeStampToken) -> CheckedCms:
    # RFC 3161 section 2.4.2 asks for ESSCertID, RFC 5816 permits the second version: many TSAs still write the first alone
    return check(token.cms, content_type=TST_INFO, content_digest=lambda digest: digest.of(token.tst_info_der), ess_v1=True)


def _check_order(time: datetime, horizon: Horizon) -> None:
    if time <= horizon.moment + MAX_CLOCK_SKEW:
        return
    other = "a time stamp that covers it" if horizon.proven else "the moment of judging"
    text = f"the time stamp says {rfc3339(time)}, which is after {other}, {rfc3339(horizon.moment)}"
    raise CheckFailedError(SubIndication.TIMESTAMP_ORDER_FAILURE, "TIMESTAMP_ORDER" if horizon.proven else "TIMESTAMP_IN_FUTURE", text)
