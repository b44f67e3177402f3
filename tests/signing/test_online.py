"""Verifying with the network at hand: what a document lacks is fetched from the addresses in certificates, and proven like all evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from pki.crl import CrlSigner
from pki.http_request import HttpAnswer, RemoteUnavailableError
from pki.network import Network
from pki.ocsp import OcspResponder
from pki.online import MAX_REQUESTS, Online
from signing.engines import Engine
from signing.online import judge_online
from signing.sign import sign
from signing.verdict import Indication, SubIndication, Verdict
from tests.support.authority import BASE_URL
from tests.support.signing_cases import foreign_pdf
from tests.support.verify_cases import ADES, RecordHouse, codes, make_record_house

YEAR = timedelta(days=365)


@dataclass
class Net:
    """The authority's public addresses, answered in process. `down` are path beginnings that do not answer."""

    house: RecordHouse
    down: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list)
    lies: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, url: str, body: bytes | None, *, seconds: float, limit: int) -> HttpAnswer:
        path = url.removeprefix(BASE_URL)
        self.asked.append(path)
        if path.startswith(self.down):
            raise RemoteUnavailableError("records.example does not answer within 5 s (TimeoutError)")
        for start, answer in self.lies.items():
            if path.startswith(start):
                return HttpAnswer("application/octet-stream", answer)
        return HttpAnswer("application/octet-stream", self._answer(path, body))

    def _answer(self, path: str, body: bytes | None) -> bytes:
        authority = self.house.house.authority
        if path == "/ocsp" and body is not None:
            responder = OcspResponder(
                issuers={"issuing": authority.issuing_der},
                certificate_der=authority.ocsp_der,
                key=authority.ocsp_key,
                store=authority.store,
                clock=authority.clock,
            )
            return responder.respond(body).der
        if path.startswith("/crl/"):
            name, _, shard = path.removeprefix("/crl/").removesuffix(".crl").partition("/")
            return self._crl_signer(name).crl(int(shard or 0))
        if path.startswith("/ca/issuing"):
            return authority.issuing_der
        raise AssertionError(f"nobody serves {path}")

    def _crl_signer(self, name: str) -> CrlSigner:
        authority = self.house.house.authority
        der, key = {"root": (authority.root_der, authority.root_key), "issuing": (authority.issuing_der, authority.issuing_key)}[name]
        return CrlSigner(
            issuer=name,
            issuer_certificate_der=der,
            key=key,
            store=authority.store,
            clock=authority.clock,
            shards=1 if name == "root" else 4,
            base_url=BASE_URL,
        )

    def judge(self, document: bytes, *, online: Online | None = None) -> Verdict:
        return judge_online(
            document,
            ADES,
            online=online or Online(Network(), transport=self),
            trust=self.house.trust,
            clock=self.house.house.authority.clock,
            engine=Engine.REFERENCE,
        )


@pytest.fixture
def net() -> Net:
    return Net(make_record_house())


def signed_by_teacher(house: RecordHouse, *, stamped: bool = True, chain: tuple[bytes, ...] | None = None) -> bytes:
    changes = {} if chain is None else {"chain": chain}
    request = house.house.request("homeroom", create=True, appearance=None, **changes)
    document = sign(foreign_pdf(), request, time_stamper=house.house.tsa if stamped else None)
    house.house.authority.advance(seconds=60)
    return bytes(document)


def test_status_that_the_document_lacks_is_fetched_and_the_signature_passes(net: Net) -> None:
    document = signed_by_teacher(net.house)
    assert net.house.judge(document, policy=ADES).sub_indication is SubIndication.TRY_LATER
    assert net.judge(document).indication is Indication.TOTAL_PASSED
    assert "/ocsp" in net.asked


def test_an_issuer_that_the_signature_left_out_is_fetched(net: Net) -> None:
    document = signed_by_teacher(net.house, stamped=False, chain=())
    assert net.house.judge(document, policy=ADES).sub_indication is SubIndication.NO_CERTIFICATE_CHAIN_FOUND
    assert net.judge(document).indication is Indication.TOTAL_PASSED
    assert any(path.startswith("/ca/issuing") for path in net.asked)


def test_a_revocation_is_found_online(net: Net) -> None:
    document = signed_by_teacher(net.house, stamped=False)
    net.house.house.authority.established.issuing.revoke(net.house.house.teacher.serial, "keyCompromise")
    verdict = net.judge(document)
    assert (verdict.indication, verdict.sub_indication) == (Indication.INDETERMINATE, SubIndication.REVOKED_NO_POE)


def test_where_ocsp_does_not_answer_the_crl_is_fetched(net: Net) -> None:
    net.down = ("/ocsp",)
    assert net.judge(signed_by_teacher(net.house)).indication is Indication.TOTAL_PASSED


def test_a_network_that_is_down_leaves_the_verdict_undetermined_and_says_so(net: Net) -> None:
    net.down = ("/",)
    verdict = net.judge(signed_by_teacher(net.house))
    assert (verdict.indication, verdict.sub_indication) == (Indication.INDETERMINATE, SubIndication.TRY_LATER)
    assert [m.text for m in verdict.messages if m.code == "NOT_FETCHED"] == ["records.example does not answer within 5 s (TimeoutError)"]


def test_garbage_from_the_network_passes_nothing(net: Net) -> None:
    net.lies = {"/ocsp": b"<html>login</html>", "/crl": b"\x30\x03\x02\x01\x00"}
    verdict = net.judge(signed_by_teacher(net.house))
    assert verdict.indication is Indication.INDETERMINATE
    assert "NOT_FETCHED" in codes(verdict)


def test_another_authoritys_answer_passes_nothing(net: Net) -> None:
    document = signed_by_teacher(net.house)
    lying = Online(Network(), transport=Net(make_record_house()))
    assert net.judge(document, online=lying).sub_indication is SubIndication.TRY_LATER


def test_a_record_that_proves_itself_asks_nobody(net: Net) -> None:
    assert net.judge(net.house.record()).indication is Indication.TOTAL_PASSED
    assert net.asked == []


def test_a_year_later_fresh_status_of_the_archive_time_stamp_is_fetched(net: Net) -> None:
    document = net.house.record()
    net.house.house.authority.advance(seconds=int(YEAR.total_seconds()))
    net.house.house.authority.clock.moment -= timedelta(days=1)
    assert net.house.judge(document, policy=ADES).sub_indication is SubIndication.TRY_LATER
    # the responder's certificate has run out by now, and is renewed by no one in this house: the lists remain
    assert net.judge(document).indication is Indication.TOTAL_PASSED


def test_addresses_in_a_strangers_certificate_are_not_asked_for_status(net: Net) -> None:
    stranger = make_record_house()
    document = signed_by_teacher(stranger)
    online = Online(Network(), transport=net)
    judge_online(document, ADES, online=online, trust=net.house.trust, clock=net.house.house.authority.clock, engine=Engine.REFERENCE)
    assert not any(path.startswith(("/ocsp", "/crl")) for path in net.asked)


def test_what_was_asked_for_one_document_is_remembered_for_the_next(net: Net) -> None:
    first, second = signed_by_teacher(net.house), signed_by_teacher(net.house)
    online = Online(Network(), transport=net)
    net.judge(first, online=online)
    asked = list(net.asked)
    assert net.judge(second, online=online).indication is Indication.TOTAL_PASSED
    assert net.asked == asked


def test_one_document_sets_off_a_bounded_number_of_requests(net: Net) -> None:
    assert MAX_REQUESTS == 24
    net.down = ("/",)
    net.judge(signed_by_teacher(net.house))
    assert len(net.asked) <= MAX_REQUESTS


def test_time_for_one_document_is_bounded(net: Net) -> None:
    moments = iter(range(0, 10_000, 15))
    online = Online(Network(document_seconds=20), transport=net, clock=lambda: float(next(moments)))
    verdict = net.judge(signed_by_teacher(net.house), online=online)
    assert verdict.indication is Indication.INDETERMINATE
    assert "more would have to be fetched for this document than is granted" in [m.text for m in verdict.messages]
