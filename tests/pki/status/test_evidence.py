from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from asn1crypto.cms import ContentInfo
from asn1crypto.x509 import Certificate
from cryptography import x509
from cryptography.x509 import ocsp
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko_certvalidator import CertificateValidator, ValidationContext

from pki.ports import CertificateState
from pki.status.evidence import InProcessValidationData, NoRevocationDataError
from pki.structures.tsp import parse_time_stamp_token
from tests.support.status_house import NOW, House, make_house


def source(house: House) -> InProcessValidationData:
    return InProcessValidationData(responders=[house.responder()], crl_signers=[house.crl_signer("root")], clock=house.authority.clock)


def test_every_certificate_below_the_root_is_proved(house: House) -> None:
    _, crls, ocsps = source(house).gather((house.teacher.der, house.tsa_party.der, house.issuing.der))
    assert {next(iter(ocsp.load_der_ocsp_response(der).responses)).serial_number for der in ocsps} == {
        house.teacher.serial,
        house.tsa_party.serial,
    }
    assert [x509.load_der_x509_crl(der).issuer for der in crls] == [house.root.certificate.subject]


def test_responder_and_issuer_come_with_the_answer(house: House) -> None:
    certificates, crls, _ = source(house).gather((house.teacher.der,))
    assert set(certificates) == {house.teacher.der, house.ocsp_party.der, house.issuing.der, house.root.der}
    assert len(crls) == 1


def test_root_and_nocheck_certificates_need_no_proof(house: House) -> None:
    asked = (house.root.der, house.ocsp_party.der)
    assert source(house).gather(asked) == (asked, (), ())


def test_answers_are_not_older_than_a_time_stamp_made_before(house: House) -> None:
    stamped = parse_time_stamp_token(house.tsa().stamp(bytes(32))).gen_time
    _, crls, ocsps = source(house).gather((house.teacher.der,))
    assert next(iter(ocsp.load_der_ocsp_response(ocsps[0]).responses)).this_update_utc >= stamped
    assert x509.load_der_x509_crl(crls[0]).last_update_utc >= stamped


def test_a_class_in_one_second_needs_one_answer_for_each_certificate(house: House) -> None:
    gather = source(house).gather
    answers = {gather((house.teacher.der, house.tsa_party.der)) for _ in range(45)}
    assert len(answers) == 1
    assert house.books.next_crl_number("root", shard=0) == 2


def test_a_second_later_the_answers_are_new(house: House) -> None:
    data = source(house)
    _, _, first = data.gather((house.teacher.der,))
    house.authority.clock.moment += timedelta(seconds=1)
    _, _, second = data.gather((house.teacher.der,))
    times = [next(iter(ocsp.load_der_ocsp_response(der).responses)).this_update_utc for der in (*first, *second)]
    assert times[1] - times[0] == timedelta(seconds=1)


def test_a_revoked_signer_is_refused(house: House) -> None:
    house.revoke(house.teacher, "superseded")
    with pytest.raises(NoRevocationDataError, match="is revoked, expected good"):
        source(house).gather((house.teacher.der,))


def test_a_signer_that_was_never_issued_is_refused(house: House) -> None:
    entry = house.books.entries["issuing", house.teacher.serial]
    house.books.entries["issuing", house.teacher.serial] = replace(entry, state=CertificateState.RECORDED)
    with pytest.raises(NoRevocationDataError, match="is unknown, expected good"):
        source(house).gather((house.teacher.der,))


def test_a_revoked_authority_is_refused(house: House) -> None:
    house.books.mark_revoked("root", house.issuing.serial, reason="cACompromise", at=NOW)
    with pytest.raises(NoRevocationDataError, match=r"CA certificate \w+ is revoked"):
        source(house).gather((house.teacher.der,))


def test_a_foreign_signer_is_refused(house: House) -> None:
    foreign = make_house(house.folder)
    with pytest.raises(NoRevocationDataError, match="none of our OCSP responders"):
        source(house).gather((foreign.teacher.der,))


def test_a_foreign_authority_is_refused(house: House) -> None:
    foreign = make_house(house.folder)
    with pytest.raises(NoRevocationDataError, match="none of our CRLs"):
        source(house).gather((foreign.issuing.der,))


def test_pyhanko_proves_a_signer_and_a_time_stamp_with_what_is_gathered(house: House) -> None:
    """An independent path validation, offline, that demands revocation data for every certificate."""
    token = ContentInfo.load(house.tsa().stamp(bytes(32)))
    certificates, crls, ocsps = source(house).gather((house.teacher.der, *house.tsa().certificates))
    context = ValidationContext(
        trust_roots=[Certificate.load(house.root.der)],
        other_certs=[Certificate.load(der) for der in certificates],
        crls=list(crls),
        ocsps=list(ocsps),
        moment=house.authority.clock(),
        revocation_mode="require",
        allow_fetching=False,
    )
    validator = CertificateValidator(Certificate.load(house.teacher.der), validation_context=context)
    path = asyncio.run(validator.async_validate_usage({"non_repudiation"}))
    assert path.leaf is not None
    status = asyncio.run(validate_tst_signed_data(token["content"], context, lambda _: bytes(32)))
    assert status["intact"]
    assert status["valid"]
    assert status["trust_problem_indic"] is None


def test_evidence_of_a_responder_whose_certificate_has_ended_is_refused(house: House) -> None:
    late = lambda: house.ocsp_party.certificate.not_valid_after_utc  # noqa: E731
    evidence = InProcessValidationData(responders=(house.responder(clock=late),), crl_signers=(house.crl_signer(),), clock=late)
    with pytest.raises(NoRevocationDataError, match="is outside the validity of its certificate"):
        evidence.gather((house.teacher.der,))
