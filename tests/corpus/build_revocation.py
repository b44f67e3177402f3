"""Attack classes 34 and 35: OCSP answers and CRLs that must not count as good news. Whoever needs them has nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from cryptography import x509

from tests.corpus.case import GoodFiles, case
from tests.corpus.stranger import EVIDENCE, STAMPED, signed, stranger
from tests.support.authority import MOMENT
from tests.support.chain_cases import DAY, HOUR, answer, crl, responder, root, scope, unknown

OCSP = "RFC 6960 3.2, 4.2.2.2"
LIST = "RFC 5280 5, 6.3.3"
UNKNOWN = "INDETERMINATE/TRY_LATER REVOCATION_UNKNOWN"
LATER = MOMENT + 2 * DAY  # after the moment of judging


def _about_tsa() -> bytes:
    house = stranger()
    return answer(house.tsa, house.ca, signer=house.responder, this_update=EVIDENCE)


def by_ocsp(response: bytes) -> bytes:
    """A signed file whose signer's status hangs on `response` alone."""
    return signed(crls=(stranger().root_crl,), ocsps=(_about_tsa(), response))


def by_crl(*lists: bytes) -> bytes:
    """A signed file whose signer's status hangs on `lists` alone."""
    return signed(crls=(stranger().root_crl, *lists), ocsps=(_about_tsa(),))


def _answer(**kwargs: object) -> bytes:
    house = stranger()
    given: dict[str, object] = {"signer": house.responder, "this_update": EVIDENCE}
    return answer(house.signer, house.ca, **{**given, **kwargs})  # type: ignore[arg-type]  # as `answer` takes them


def _other_certificate() -> bytes:
    house = stranger()
    return answer(house.ca.issue("Somebody"), house.ca, signer=house.responder, this_update=EVIDENCE)


def _same_serial_elsewhere() -> bytes:
    house = stranger()
    other = house.root.ca("Other CA")
    twin = other.issue(serial=house.signer.certificate.serial_number)
    return answer(twin, other, signer=responder(other), this_update=EVIDENCE)


ANSWERS: dict[str, tuple[Callable[[], bytes], str]] = {
    "other-certificate": (_other_certificate, "about another certificate"),
    "same-serial-elsewhere": (_same_serial_elsewhere, "about the same serial number of another authority"),
    "stale": (lambda: _answer(this_update=STAMPED - 2 * DAY, next_update=STAMPED - DAY), "from before the signature, and out of date"),
    "before-signing": (
        lambda: _answer(this_update=STAMPED - HOUR, next_update=LATER),
        "in date, but from before the signature's time stamp",
    ),
    "future": (lambda: _answer(this_update=LATER, produced_at=LATER), "from the future"),
    "no-purpose": (lambda: _answer(signer=responder(stranger().ca, extended=())), "its signer has no extended key usage"),
    "rogue": (lambda: _answer(signer=responder(root("Rogue").ca("Corpus CA"))), "its signer is of an authority that only bears the name"),
    "rogue-key": (lambda: _answer(signer=None, signing_key=root("Rogue").key), "signed with a stranger's key in the issuer's name"),
    "sibling": (lambda: _answer(signer=stranger().ca.issue("Sibling")), "signed by another certificate of the same authority"),
    "by-itself": (lambda: _answer(signer=stranger().signer), "the signer vouches for itself"),
    "unknown": (lambda: _answer(state="unknown"), "the responder does not know the certificate"),
    "malformed-request": (lambda: _answer(status=1), "an error: malformedRequest"),
    "internal-error": (lambda: _answer(status=2), "an error: internalError"),
    "try-later": (lambda: _answer(status=3), "an error: tryLater"),
    "sig-required": (lambda: _answer(status=5), "an error: sigRequired"),
    "unauthorized": (lambda: _answer(status=6), "an error: unauthorized"),
    "altered": (lambda: _answer()[:-1] + b"\x00", "its last octet was changed"),
    "expired-responder": (lambda: _answer(signer=responder(stranger().ca, end=EVIDENCE - DAY)), "its signer had expired"),
}


def _list(**kwargs: object) -> bytes:
    given: dict[str, object] = {"this_update": EVIDENCE}
    return crl(stranger().ca, **{**given, **kwargs})  # type: ignore[arg-type]  # as `crl` takes them


def _point(uri: str) -> dict[str, object]:
    return {"full_name": [x509.UniformResourceIdentifier(uri)]}


def _namesake() -> bytes:
    return crl(root("Rogue").ca("Corpus CA"), this_update=EVIDENCE)


def _delta(base: int = 1, at: datetime = EVIDENCE) -> bytes:
    return _list(this_update=at, number=2, extensions=[(x509.DeltaCRLIndicator(base), True)])


LISTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "stale": (lambda: _list(this_update=STAMPED - 9 * DAY, next_update=STAMPED - 2 * DAY), "from before the signature, and out of date"),
    "before-signing": (lambda: _list(this_update=STAMPED - HOUR), "in date, but from before the signature's time stamp"),
    "future": (lambda: _list(this_update=LATER), "from the future"),
    "rogue": (_namesake, "by an authority that only bears the name"),
    "rogue-key": (lambda: _list(signing_key=root("Rogue").key), "signed with a stranger's key"),
    "other-issuer": (lambda: crl(stranger().root.ca("Other CA"), this_update=EVIDENCE), "of another authority"),
    "critical-extension": (lambda: _list(extensions=[(unknown(), True)]), "a critical extension that nobody knows"),
    "only-authorities": (lambda: _list(extensions=[scope(only_contains_ca_certs=True)]), "about authorities only"),
    "only-attributes": (lambda: _list(extensions=[scope(only_contains_attribute_certs=True)]), "about attribute certificates only"),
    "other-point": (
        lambda: _list(extensions=[scope(**_point("http://other.example/crl"))]),
        "of a distribution point that is not the signer's",
    ),
    "some-reasons": (
        lambda: _list(extensions=[scope(only_some_reasons=frozenset([x509.ReasonFlags.key_compromise]))]),
        "about some reasons only",
    ),
    "indirect-of-others": (lambda: _list(issuer_name=stranger().root.certificate.subject), "in the root's name, by the CA"),
    "delta-only": (_delta, "a delta without its base"),
    "altered": (lambda: _list()[:-1] + b"\x00", "its last octet was changed"),
}


def _register_answer(name: str) -> None:
    make, reason = ANSWERS[name]

    @case(f"34-{name}", 34, clause=OCSP, reason=f"an OCSP answer {reason}", verdict=UNKNOWN)
    def build(good: GoodFiles) -> bytes:
        return by_ocsp(make())


def _register_list(name: str) -> None:
    make, reason = LISTS[name]

    @case(f"35-{name}", 35, clause=LIST, reason=f"a CRL {reason}", verdict=UNKNOWN)
    def build(good: GoodFiles) -> bytes:
        return by_crl(make())


for _name in ANSWERS:
    _register_answer(_name)
for _name in LISTS:
    _register_list(_name)


@case("34-honest", 34, clause=OCSP, reason="honest: the same file with a sound answer", verdict="TOTAL-PASSED")
def honest_answer(good: GoodFiles) -> bytes:
    return by_ocsp(_answer())


@case("34-revoked", 34, clause=OCSP, reason="a sound answer that says revoked", verdict="TOTAL-FAILED/REVOKED CERTIFICATE_REVOKED")
def revoked_answer(good: GoodFiles) -> bytes:
    return by_ocsp(_answer(state="revoked", revoked_at=STAMPED - DAY, reason=1))


@case(
    "34-good-beside-revoked",
    34,
    clause=OCSP,
    reason="an older answer that says good, beside one that says revoked",
    verdict="TOTAL-FAILED/REVOKED CERTIFICATE_REVOKED",
)
def good_beside_revoked(good: GoodFiles) -> bytes:
    revoked = _answer(state="revoked", revoked_at=STAMPED - HOUR, this_update=EVIDENCE + HOUR)
    return signed(crls=(stranger().root_crl,), ocsps=(_about_tsa(), _answer(), revoked))


@case("35-honest", 35, clause=LIST, reason="honest: the same file with a sound list", verdict="TOTAL-PASSED")
def honest_list(good: GoodFiles) -> bytes:
    return by_crl(_list())


@case("35-base-and-delta", 35, clause=LIST, reason="honest: a list and its delta", verdict="TOTAL-PASSED")
def base_and_delta(good: GoodFiles) -> bytes:
    return by_crl(_list(), _delta(at=EVIDENCE + HOUR))
