from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from pki.authority.renew import renew as renew_services
from pki.status.crl import CrlSigner
from pki.status.evidence import InProcessValidationData, NoRevocationDataError
from pki.status.ocsp import OcspResponder
from pki.status.timestamp import TimeStampAuthority
from pki.structures.algorithm_policy import MODERN, AlgorithmPolicy
from signing.applying.archive import archive, archive_stamps, renew, time_stamp_document
from signing.applying.dss import EvidenceError
from signing.applying.renewal import Hold, Renewal, decide, hold_of_certificates, hold_of_document
from signing.pdf.document import Document
from signing.verdict import Indication
from tests.support.authority import BASE_URL
from tests.support.signing_cases import foreign_pdf
from tests.support.verify_cases import RecordHouse, exported, make_record_house

NOW = datetime(2032, 1, 1, tzinfo=UTC)
MONTH = timedelta(days=30)
EC = ("ecdsa-with-SHA256",)


def hold(days: int, algorithms: tuple[str, ...] = EC) -> Hold:
    return Hold(NOW + timedelta(days=days), algorithms)


def policy(**sunsets: datetime) -> AlgorithmPolicy:
    """MODERN with an end for some algorithms; `_` stands for `-`."""
    ends = {name.replace("_", "-"): end for name, end in sunsets.items()}
    return replace(MODERN, signatures=tuple((name, ends.get(name)) for name, _ in MODERN.signatures))


@pytest.mark.parametrize(
    ("days", "offered", "expected"),
    [
        (400, 2000, Renewal.HOLDS),
        (31, 2000, Renewal.HOLDS),
        (30, 2000, Renewal.DUE),
        (1, 2000, Renewal.DUE),
        (20, 20, Renewal.NO_GAIN),
        (20, 19, Renewal.NO_GAIN),
        (0, 2000, Renewal.TOO_LATE),
        (-1, 2000, Renewal.TOO_LATE),
    ],
)
def test_decision_weighs_the_end_against_the_horizon_and_what_is_offered(days: int, offered: int, expected: Renewal) -> None:
    assert decide(hold(days), offered=hold(offered), at=NOW, horizon=MONTH) is expected


def test_algorithm_that_is_retired_soon_makes_a_renewal_due() -> None:
    retiring = policy(ecdsa_with_SHA256=NOW + timedelta(days=10))
    newer = hold(2000, ("ecdsa-with-SHA384",))
    assert decide(hold(2000), offered=newer, at=NOW, horizon=MONTH, policy=retiring) is Renewal.DUE


def test_new_time_stamp_with_the_retired_algorithm_is_no_gain() -> None:
    retiring = policy(ecdsa_with_SHA256=NOW + timedelta(days=10))
    assert decide(hold(100), offered=hold(2000), at=NOW, horizon=MONTH, policy=retiring) is Renewal.NO_GAIN


def test_algorithm_that_the_policy_does_not_know_has_ended() -> None:
    assert decide(hold(2000, ("sha1WithRSAEncryption",)), offered=hold(2000), at=NOW, horizon=MONTH) is Renewal.TOO_LATE


def test_hold_of_a_document_is_its_outermost_time_stamps() -> None:
    case = make_record_house()
    first = case.record()
    case.house.authority.advance(days=2180)
    second = renew(first, time_stamper=today(case).tsa, validation=today(case).evidence)
    before, after = (hold_of_document(Document.parse(pdf)) for pdf in (first, second))
    assert before is not None
    assert after is not None
    assert after.not_after - before.not_after > timedelta(days=2179)
    assert before == hold_of_certificates(case.house.tsa.certificates)


def test_hold_names_the_algorithms_of_the_token_and_of_its_certificates() -> None:
    found = hold_of_document(Document.parse(make_record_house().record()))
    assert found is not None
    assert set(found.algorithms) == {"ecdsa-with-SHA256", "ecdsa-with-SHA384"}


def test_document_without_archive_time_stamp_has_no_hold() -> None:
    case = make_record_house()
    assert hold_of_document(Document.parse(case.sign(exported(), "homeroom"))) is None


def test_document_without_archive_time_stamp_is_not_renewed() -> None:
    case = make_record_house()
    with pytest.raises(EvidenceError, match="no archive time stamp to renew"):
        renew(foreign_pdf(), time_stamper=case.house.tsa, validation=case.house.evidence)


def test_renewed_record_passes_after_the_first_time_stamps_expiry() -> None:
    case = make_record_house()
    record = case.record()
    end = hold_of_certificates(case.house.tsa.certificates).not_after
    case.house.authority.clock.moment = end - timedelta(days=20)
    renewed = renew(record, time_stamper=today(case).tsa, validation=today(case).evidence)
    after = end + timedelta(days=60)
    assert case.judge(record, at=after).indication is Indication.INDETERMINATE
    assert case.judge(renewed, at=after).indication is Indication.TOTAL_PASSED


def test_signer_who_was_revoked_since_does_not_stop_a_renewal() -> None:
    case = make_record_house()
    record = case.record()
    case.house.authority.advance(days=400)
    case.house.authority.revoke(case.house.teacher, "cessationOfOperation")
    with pytest.raises(NoRevocationDataError):
        archive(record, time_stamper=case.house.tsa, validation=case.house.evidence)
    renewed = renew(record, time_stamper=case.house.tsa, validation=today(case).evidence)
    assert case.judge(renewed).indication is Indication.TOTAL_PASSED


def test_time_stamps_are_listed_from_the_inside_out() -> None:
    case = make_record_house()
    document = time_stamp_document(time_stamp_document(foreign_pdf(), time_stamper=case.house.tsa), time_stamper=case.house.tsa)
    assert [field.name for field in archive_stamps(Document.parse(document))] == ["Archive-1", "Archive-2"]


@dataclass(frozen=True)
class Services:
    """The house's time stamps and evidence with certificates of today, as opening a home renews them."""

    tsa: TimeStampAuthority
    evidence: InProcessValidationData


def today(case: RecordHouse) -> Services:
    authority = case.house.authority
    services = renew_services(authority.established)
    responder = OcspResponder(
        issuers={"issuing": authority.issuing_der},
        certificate_der=services.ocsp.certificate_der,
        key=services.ocsp.key,
        store=authority.store,
        clock=authority.clock,
    )
    crl = CrlSigner(
        issuer="root",
        issuer_certificate_der=authority.root_der,
        key=authority.root_key,
        store=authority.store,
        clock=authority.clock,
        shards=1,
        base_url=BASE_URL,
    )
    tsa = TimeStampAuthority(
        certificate_der=services.tsa.certificate_der,
        chain=(authority.issuing_der,),
        key=services.tsa.key,
        policy_oid="1.3.6.1.4.1.32473.1.2.1",
        clock=authority.clock,
    )
    return Services(tsa, InProcessValidationData(responders=(responder,), crl_signers=(crl,), clock=authority.clock))
