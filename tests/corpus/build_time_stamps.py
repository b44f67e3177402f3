"""Attack class 33: time stamps that lie, on a signature that is sound and on a record's archive."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta

from pki.keys.softkey import SoftwareKey
from signing.applying.archive import time_stamp_document
from tests.corpus.case import GoodFiles, case
from tests.corpus.stranger import STAMPED, signed, stranger
from tests.support.authority import MOMENT
from tests.support.chain_cases import DAY, HOUR, TIME_STAMPING, Node, certificate, root
from tests.support.tokens import ForgedStamper

TOKEN = "RFC 3161 2.4.2; EN 319 102-1 5.4"
UNPROVEN = "TOTAL-PASSED TIMESTAMP_NOT_PASSED"
"""Under `ades` such a time stamp proves nothing, and the signer is known to be good at the moment of judging (EN 319 102-1 5.5.4)."""


def tsa(who: Node, *above: Node) -> ForgedStamper:
    return stranger().stamper(certificate_der=who.der, key=SoftwareKey(who.key), chain=tuple(node.der for node in above))


def wrong_imprint() -> ForgedStamper:
    return stranger().stamper(imprint=hashlib.sha256(b"something else").digest())


def without_purpose() -> ForgedStamper:
    return tsa(stranger().ca.issue("No TSA", usage=("digital_signature",)), stranger().ca)


def purpose_not_critical() -> ForgedStamper:
    return tsa(stranger().ca.issue("Loose TSA", usage=("digital_signature",), extended=(TIME_STAMPING,)), stranger().ca)


def rogue() -> ForgedStamper:
    top = root("Rogue Root")
    who = top.issue("Corpus TSA", usage=("digital_signature",), extended=(TIME_STAMPING,), extended_critical=True)
    return tsa(who, top)


def self_signed() -> ForgedStamper:
    return tsa(certificate("Own TSA", issuer=None, usage=("digital_signature",), extended=(TIME_STAMPING,), extended_critical=True))


def future() -> ForgedStamper:
    return stranger().stamper(clock=lambda: MOMENT + 3 * DAY)


def broken() -> ForgedStamper:
    return stranger().stamper(damage=lambda der: der[:-1] + bytes([der[-1] ^ 1]))


def expired() -> ForgedStamper:
    ended = stranger().ca.issue(
        "Expired TSA", usage=("digital_signature",), extended=(TIME_STAMPING,), extended_critical=True, end=STAMPED - HOUR
    )
    return tsa(ended, stranger().ca)


def copied() -> ForgedStamper:
    elsewhere = stranger().stamper().stamp(hashlib.sha256(b"another signature's value").digest())
    return stranger().stamper(damage=lambda _: elsewhere)


LIES: dict[str, tuple[Callable[[], ForgedStamper], str, str, str]] = {
    "wrong-imprint": (wrong_imprint, "about other octets", "NO_POE", "IMPRINT_MISMATCH"),
    "copied": (copied, "taken from another signature", "NO_POE", "IMPRINT_MISMATCH"),
    "without-purpose": (without_purpose, "by a certificate that is not for time stamps", "CHAIN_CONSTRAINTS_FAILURE", "CHAIN_PURPOSE"),
    "purpose-not-critical": (purpose_not_critical, "the purpose is not critical", "CHAIN_CONSTRAINTS_FAILURE", "CHAIN_PURPOSE"),
    "rogue": (rogue, "by an authority that nobody named", "NO_CERTIFICATE_CHAIN_FOUND", "CHAIN_NOT_FOUND"),
    "self-signed": (self_signed, "by a certificate that signed itself", "NO_CERTIFICATE_CHAIN_FOUND", "CHAIN_NOT_FOUND"),
    "future": (future, "from the future", "TIMESTAMP_ORDER_FAILURE", "TIMESTAMP_IN_FUTURE"),
    "broken": (broken, "its signature value is broken", "NO_POE", "SIGNATURE_VALUE"),
    "expired": (expired, "by a certificate that had expired", "OUT_OF_BOUNDS_NO_POE", "CERTIFICATE_EXPIRED"),
}


DISSENT: dict[str, str] = {
    "wrong-imprint": "TOTAL-FAILED/HASH_FAILURE SECOND_OPINION_DISAGREES",
    "copied": "TOTAL-FAILED/HASH_FAILURE SECOND_OPINION_DISAGREES",
    "without-purpose": "INDETERMINATE/CHAIN_CONSTRAINTS_FAILURE SECOND_OPINION_DISAGREES",
    "rogue": "INDETERMINATE/NO_CERTIFICATE_CHAIN_FOUND SECOND_OPINION_DISAGREES",
    "self-signed": "INDETERMINATE/CHAIN_CONSTRAINTS_FAILURE SECOND_OPINION_DISAGREES",
    "broken": "TOTAL-FAILED/SIG_CRYPTO_FAILURE SECOND_OPINION_DISAGREES",
}
"""Under `ades`, on a signature: the list alone would say :data:`UNPROVEN`, but pyHanko takes the signature down, and so nothing passes."""


def _register(name: str) -> None:
    make, reason, sub_indication, code = LIES[name]
    said = f"INDETERMINATE/{sub_indication} {code}"

    @case(f"33-{name}", 33, clause=TOKEN, reason=reason, verdict=said, ades=DISSENT.get(name, UNPROVEN))
    def on_signature(good: GoodFiles) -> bytes:
        return signed(stamper=make())

    @case(
        f"33-archive-{name}",
        33,
        clause="EN 319 102-1 5.6",
        reason=f"the archive time stamp: {reason}",
        verdict=said,
        ades=UNPROVEN,
    )
    def on_archive(good: GoodFiles) -> bytes:
        return bytes(time_stamp_document(signed(), time_stamper=make()))


for _name in LIES:
    _register(_name)


@case("33-truncated", 33, "CONTENTS_NOT_DER", clause=TOKEN, reason="cut off in the middle")
def truncated(good: GoodFiles) -> bytes:
    half = stranger().stamper(damage=lambda der: b"\x30\x80" + der[: len(der) // 2])
    return bytes(time_stamp_document(signed(), time_stamper=half))


@case(
    "33-older-than-what-it-covers",
    33,
    clause="EN 319 102-1 5.6.2.4",
    reason="an archive time stamp from before the signature's own",
    verdict="INDETERMINATE/TIMESTAMP_ORDER_FAILURE TIMESTAMP_ORDER",
)
def older_than_what_it_covers(good: GoodFiles) -> bytes:
    early = stranger().stamper(clock=lambda: STAMPED - timedelta(minutes=30))
    return bytes(time_stamp_document(signed(), time_stamper=early))


@case("33-archived", 33, clause=TOKEN, reason="honest: the same file with an archive time stamp", verdict="TOTAL-PASSED")
def archived(good: GoodFiles) -> bytes:
    late = stranger().stamper(clock=lambda: STAMPED + 3 * HOUR)
    return bytes(time_stamp_document(signed(), time_stamper=late))
