"""Records signed by a house in memory, for the tests of verification: real exports, and ways to sign them wrongly."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

from certs import loader
from records.export import Exporter
from records.record import RecordSchool
from signing.applying.archive import archive
from signing.applying.sign import sign
from signing.policy import VerificationPolicy
from signing.trust.store import NamedAnchor, Supplied, TrustStore
from signing.verdict import Verdict
from signing.verifying.engines import Engine, judge
from signing.workflow import Workflow
from tests.support.authority import SCHOOL, SCHOOL_IDENTIFIER, Credential
from tests.support.record_cases import make_record
from tests.support.signing_cases import WORKFLOW, SigningHouse, make_signing_house


def policy(name: str = "record") -> VerificationPolicy:
    return VerificationPolicy.from_mapping(loader.load("policies", name), workflows=lambda file: loader.load("policies", file))


RECORD = policy()
ADES = policy("ades")
STEPS = ("homeroom", "principal", "seal")


@cache
def exported(*, school_identifier: str = SCHOOL_IDENTIFIER, workflow: Workflow = WORKFLOW) -> bytes:
    """An unsigned record of the house's school."""
    school = RecordSchool(school_identifier, SCHOOL, "Thành phố Hà Nội")
    return Exporter(verify_url="https://records.example/verify").export(replace(make_record(), school=school), workflow)


@dataclass(frozen=True)
class RecordHouse:
    """A signing house and the moment after which its files are judged."""

    house: SigningHouse

    def sign(self, document: bytes, step: str, by: Credential | None = None, **changes: object) -> bytes:
        """Signs for a step, by the credential that ought to or by `by`; a minute passes."""
        if by is not None:
            changes |= {"certificate_der": by.certificate_der, "key": by.key}
        signed = sign(document, self.house.request(step, **changes), time_stamper=self.house.tsa)
        self.house.authority.advance(seconds=60)
        return bytes(signed)

    def archive(self, document: bytes) -> bytes:
        archived = archive(document, time_stamper=self.house.tsa, validation=self.house.evidence)
        self.house.authority.advance(seconds=60)
        return bytes(archived)

    def record(self, *, steps: tuple[str, ...] = STEPS, document: bytes | None = None) -> bytes:
        """A record signed for `steps` and archived."""
        signed = document or exported()
        for step in steps:
            signed = self.sign(signed, step)
        return self.archive(signed)

    @property
    def now(self) -> datetime:
        return self.house.authority.clock.moment

    @property
    def trust(self) -> TrustStore:
        return TrustStore((NamedAnchor(self.house.authority.root_der, "root.pem"),))

    def judge(
        self,
        document: bytes,
        *,
        later: timedelta = timedelta(),
        at: datetime | None = None,
        trust: TrustStore | None = None,
        policy: VerificationPolicy = RECORD,
        engine: Engine = Engine.REFERENCE,
        supplied: Supplied | None = None,
    ) -> Verdict:
        return judge(document, policy, trust=trust or self.trust, at=at or self.now + later, engine=engine, supplied=supplied)


def make_record_house() -> RecordHouse:
    """A fresh house: for tests that move its clock or revoke its certificates."""
    return RecordHouse(make_signing_house())


@cache
def standing_house() -> RecordHouse:
    """One house for all tests that leave it as it is."""
    return make_record_house()


@cache
def good_record() -> bytes:
    """Signed by teacher, principal and seal of :func:`standing_house`, B-LTA."""
    return standing_house().record()


def codes(verdict: Verdict) -> set[str]:
    """Every message code of the verdict, wherever it stands."""
    groups = [verdict.messages, *(s.messages for s in verdict.signatures), *(t.messages for t in verdict.timestamps)]
    return {message.code for group in groups for message in group}
