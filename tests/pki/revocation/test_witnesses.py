"""One body of evidence asked many questions: each answer is the one that evidence gives when it is asked alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pki.paths.chain import TrustAnchor
from pki.revocation.judgement import ISSUED_AFTER, UNTIL_NEXT_UPDATE, Evidence, Witnesses, revocation_status
from pki.structures.certificate import load_certificate
from tests.support.signing_cases import make_signing_house

HOURS = (-30 * 24, -1, 0, 1, 24, 30 * 24)


@pytest.fixture(scope="module")
def case() -> tuple[Evidence, tuple[bytes, ...], bytes, bytes]:
    house = make_signing_house()
    signers = (house.teacher.certificate_der, house.principal.certificate_der, house.authority.tsa_der)
    before = Evidence(*house.evidence.gather((*signers, house.authority.issuing_der)))
    house.authority.advance(hours=2)
    house.authority.revoke(house.principal)
    house.authority.advance(hours=2)
    after = house.evidence.gather((house.teacher.certificate_der, house.authority.issuing_der))
    revoked = Evidence(before.certificates, (*before.crls, *after[1], b"no CRL"), (*before.ocsps, *after[2], b"no answer"))
    return revoked, signers, house.authority.issuing_der, house.authority.root_der


def test_answers_are_those_of_separate_questions(case: tuple[Evidence, tuple[bytes, ...], bytes, bytes]) -> None:
    evidence, signers, issuing, root = case
    moment = load_certificate(signers[0]).not_before + timedelta(hours=1)
    anchors = [TrustAnchor(root)]
    pairs = [(load_certificate(signer), load_certificate(issuing)) for signer in signers] + [
        (load_certificate(issuing), load_certificate(root))
    ]
    for now in (moment + timedelta(hours=hours) for hours in HOURS):
        witnesses = Witnesses(evidence, now=now, anchors=anchors)
        for at in (moment + timedelta(hours=hours) for hours in HOURS):
            for freshness in (ISSUED_AFTER, UNTIL_NEXT_UPDATE):
                for certificate, issuer in pairs:
                    alone = revocation_status(certificate, issuer, evidence=evidence, at=at, now=now, anchors=anchors, freshness=freshness)
                    assert witnesses.status(certificate, issuer, at=at, freshness=freshness) == alone
                    other = Witnesses(evidence, now=now + timedelta(days=900), anchors=anchors).as_of(now)
                    assert other.status(certificate, issuer, at=at, freshness=freshness) == alone


def test_evidence_with_an_item_that_cannot_be_read_is_not_complete(case: tuple[Evidence, tuple[bytes, ...], bytes, bytes]) -> None:
    evidence, signers, _, root = case
    sound = Evidence(evidence.certificates, evidence.crls[:-1], evidence.ocsps[:-1])
    moment = load_certificate(signers[0]).not_before
    anchors = [TrustAnchor(root)]
    assert Witnesses(sound, now=moment, anchors=anchors).is_complete
    for broken in (
        Evidence((*sound.certificates, b"0"), sound.crls, sound.ocsps),
        Evidence(sound.certificates, evidence.crls, sound.ocsps),
        Evidence(sound.certificates, sound.crls, evidence.ocsps),
        Evidence(sound.certificates, sound.certificates[:1], sound.ocsps),
    ):
        assert not Witnesses(broken, now=moment, anchors=anchors).is_complete
