"""Files that say what another authority is trusted for, and what a registered certificate of it counts for in a record."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pki.paths.anchor_constraints import AnchorConstraints
from pki.paths.key_purpose import KeyPurpose
from pki.status.crl import CrlSigner
from pki.status.evidence import InProcessValidationData
from pki.status.ocsp import OcspResponder
from signing.applying.archive import time_stamp_document
from signing.applying.dss import ValidationData, add_validation_data
from signing.applying.sign import sign
from signing.errors import PolicyError
from signing.trust.outside_authority import plain_authority, read_authority
from signing.trust.store import Registered, TrustStore
from signing.verdict import Entitlement, Indication, SubIndication
from signing.verifying.engines import Engine
from tests.support.authority import SCHOOL_IDENTIFIER, TestAuthority, make_authority
from tests.support.verify_cases import RecordHouse, codes, exported, make_record_house

FULL = """
name = "Government CA"
certificates = ["root.pem"]
roles = ["school-seal"]
time_stamps = true
[constraints]
countries = ["vn"]
organizations = ["NTRVN-"]
policies = ["1.2.3"]
path_length = 1
trusted_from = 2024-01-01
trusted_until = 2031-12-31
"""
MINIMAL = 'name = "X"\ncertificates = ["root.pem"]\n'


def read(text: str):
    return read_authority(tomllib.loads(text), source="gov.toml", certificates_in=lambda _: (b"a certificate",))


def test_every_member_of_the_file_is_read() -> None:
    found = read(FULL)
    assert (found.name, found.certificates, found.roles) == ("Government CA", (b"a certificate",), {"school-seal"})
    assert found.constraints == AnchorConstraints(
        purposes=frozenset({KeyPurpose.DOCUMENT_SIGNING, KeyPurpose.TIME_STAMPING}),
        policies=frozenset({"1.2.3"}),
        countries=frozenset({"VN"}),
        organizations=("NTRVN-",),
        path_length=1,
        trusted_from=datetime(2024, 1, 1, tzinfo=UTC),
        trusted_until=datetime(2031, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    )


def test_without_more_words_it_is_trusted_for_signatures_alone() -> None:
    assert read(MINIMAL).constraints == AnchorConstraints(purposes=frozenset({KeyPurpose.DOCUMENT_SIGNING}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('certificates = ["a"]', "expected a name, and certificates"),
        ('name = "X"', "expected a name, and certificates"),
        ('name = "X"\ncertificates = []', "expected a name, and certificates"),
        (MINIMAL + 'role = "teacher"', "'role' is not understood; expected certificates"),
        (MINIMAL + 'roles = ["student"]', "role 'student', expected principal, school-seal, teacher"),
        (MINIMAL + 'roles = "teacher"', "roles is 'teacher', expected a list of texts"),
        (MINIMAL + 'time_stamps = "yes"', "time_stamps is 'yes', expected true or false"),
        (MINIMAL + "constraints = 1", "constraints is no table"),
        (MINIMAL + "[constraints]\nnames = []", "'names' is not understood"),
        (MINIMAL + "[constraints]\npath_length = -1", "path_length is -1, expected a number from 0"),
        (MINIMAL + "[constraints]\npath_length = true", "path_length is True"),
        (MINIMAL + '[constraints]\ntrusted_until = "soon"', "trusted_until is 'soon', expected a date"),
        (MINIMAL + "[constraints]\ntrusted_from = 2030-01-01\ntrusted_until = 2029-01-01", "trusted_until lies before trusted_from"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message) as caught:
        read(text)
    assert str(caught.value).startswith("gov.toml: ")


# --- a record whose seal is another authority's


class Case:
    """Teacher and principal are ours, the seal is the government's."""

    def __init__(self) -> None:
        self.house: RecordHouse = make_record_house()
        clock = self.house.house.authority.clock
        self.government = make_authority(clock.moment - timedelta(days=1), base_url="http://ca.gov.example")
        self.seal = self.government.issue_seal()
        self.unsealed = self.house.sign(self.house.sign(exported(), "homeroom"), "principal")
        self.document = self.house.sign(self.unsealed, "seal", self.seal, chain=(self.government.issuing_der,))

    def judge(
        self,
        registered: dict[str, Registered],
        constraints: AnchorConstraints | None = None,
        *,
        document: bytes | None = None,
        engine: Engine = Engine.REFERENCE,
    ):
        gov = plain_authority([self.government.root_der], source="gov.pem")
        if constraints is not None:
            gov = replace(gov, constraints=constraints)
        trust = TrustStore((*self.house.trust.anchors, *gov.named), registered)
        return self.house.judge(document or self.document, trust=trust, engine=engine)

    def unstamped(self) -> bytes:
        """The same with a seal that no time stamp dates."""
        by = {"certificate_der": self.seal.certificate_der, "key": self.seal.key, "chain": (self.government.issuing_der,)}
        return bytes(sign(self.unsealed, self.house.house.request("seal", **by), time_stamper=None))

    def with_validation_data(self, document: bytes) -> bytes:
        """With what both authorities say now of their certificates."""
        ours, theirs = self.house.house, evidence_of(self.government, at=self.house.now)
        for source, certificates in (
            (ours.evidence, (ours.teacher.certificate_der, ours.principal.certificate_der, *ours.tsa.certificates)),
            (theirs, (self.seal.certificate_der, self.government.issuing_der)),
        ):
            document = add_validation_data(document, ValidationData.gather(source, certificates))
        return document

    def archived(self) -> bytes:
        document = time_stamp_document(self.with_validation_data(self.document), time_stamper=self.house.house.tsa)
        self.house.house.authority.advance(seconds=60)
        return bytes(document)

    def registration(self, **changes) -> dict[str, Registered]:
        given = {"role": "school-seal", "school": SCHOOL_IDENTIFIER, "since": self.house.now - timedelta(days=2), **changes}
        return {hashlib.sha256(self.seal.certificate_der).hexdigest(): Registered(**given)}


def evidence_of(authority: TestAuthority, *, at: datetime) -> InProcessValidationData:
    """What another authority says at `at` of its certificates."""
    authority.clock.moment = at
    responder = OcspResponder(
        issuers={"issuing": authority.issuing_der},
        certificate_der=authority.ocsp_der,
        key=authority.ocsp_key,
        store=authority.store,
        clock=authority.clock,
    )
    lists = CrlSigner(
        issuer="root",
        issuer_certificate_der=authority.root_der,
        key=authority.root_key,
        store=authority.store,
        clock=authority.clock,
        shards=1,
        base_url="http://ca.gov.example",
    )
    return InProcessValidationData(responders=(responder,), crl_signers=(lists,), clock=authority.clock)


@pytest.fixture(scope="module")
def case() -> Case:
    return Case()


def test_a_registered_seal_completes_the_record(case: Case) -> None:
    verdict = case.judge(case.registration())
    assert verdict.entitlement is Entitlement.COMPLETE
    assert verdict.signatures[2].signer is not None
    assert verdict.signatures[2].signer.role == "school-seal"


def test_the_same_seal_unregistered_does_not(case: Case) -> None:
    verdict = case.judge({})
    assert verdict.entitlement is Entitlement.NOT_ENTITLED
    assert "ROLE_MISMATCH" in codes(verdict)
    assert verdict.signatures[2].signer is not None
    assert verdict.signatures[2].signer.role is None  # an arc of ours in another authority's certificate means nothing


@pytest.mark.parametrize(
    "changes",
    [
        {"role": "teacher"},
        {"school": "NTRVN-0999999999"},
        {"since": datetime(2030, 1, 1, tzinfo=UTC)},
        {"until": datetime(2026, 1, 1, tzinfo=UTC)},
    ],
    ids=["another role", "another school", "not registered yet", "withdrawn before"],
)
def test_a_registration_counts_for_its_role_school_and_time(case: Case, changes) -> None:
    assert case.judge(case.registration(**changes)).entitlement is Entitlement.NOT_ENTITLED


def test_a_registration_means_nothing_where_the_authority_is_not_trusted_for_it(case: Case) -> None:
    verdict = case.judge(case.registration(), AnchorConstraints(countries=frozenset({"CN"})))
    assert verdict.indication is Indication.INDETERMINATE
    assert "CHAIN_CONSTRAINT" in codes(verdict)


@pytest.mark.parametrize("engine", Engine)
def test_archived_with_both_authorities_data_it_passes_whichever_engine_answers(case: Case, engine: Engine) -> None:
    verdict = case.judge(case.registration(), document=case.archived(), engine=engine)
    assert (verdict.indication, verdict.entitlement) == (Indication.TOTAL_PASSED, Entitlement.COMPLETE)
    assert {one.level for one in verdict.signatures} == {"PAdES-BASELINE-LTA"}


def test_another_authoritys_seal_is_no_make_of_ours_and_gets_the_second_opinion(case: Case) -> None:
    verdict = case.judge(case.registration(), document=case.archived(), engine=Engine.AUTO)
    assert (verdict.indication, verdict.engine) == (Indication.TOTAL_PASSED, "reference")


def test_a_registered_seal_that_no_time_stamp_dates_does_not_pass(case: Case) -> None:
    """Nothing shows whether it was registered, or revoked, when it signed: data from before count until their nextUpdate."""
    verdict = case.judge(case.registration(), document=case.with_validation_data(case.unstamped()))
    assert (verdict.indication, verdict.sub_indication) == (Indication.INDETERMINATE, SubIndication.NO_POE)
    assert "NOT_TIME_STAMPED" in codes(verdict)
