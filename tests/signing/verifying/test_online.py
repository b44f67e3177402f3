"""Verifying with the network at hand: what a document lacks is fetched from the addresses in certificates, and proven like all evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from pki.remote.http_request import HttpAnswer, RemoteError, RemoteUnavailableError
from pki.remote.lack import Lack
from pki.remote.network import Network
from pki.remote.online import MAX_ANSWER, MAX_REQUESTS, Online
from pki.revocation.judgement import Evidence
from pki.status.crl import CrlSigner
from pki.status.ocsp import OcspResponder
from pki.structures.certificate import Certificate, load_certificate
from signing.applying.dss import ValidationData, add_validation_data
from signing.applying.sign import sign
from signing.verdict import Indication, SubIndication, Verdict
from signing.verifying.engines import Engine
from signing.verifying.online import judge_online
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

    def judge(self, document: bytes, *, online: Online | None = None, slow: timedelta = timedelta()) -> Verdict:
        """`slow`: how far the verifier's clock is behind the authority's."""
        return judge_online(
            document,
            ADES,
            online=online or Online(Network(), transport=self),
            trust=self.house.trust,
            clock=lambda: self.house.now - slow,
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


def test_an_authority_whose_clock_is_a_little_ahead_is_believed(net: Net) -> None:
    assert net.judge(signed_by_teacher(net.house), slow=timedelta(seconds=30)).indication is Indication.TOTAL_PASSED


def test_an_authority_that_speaks_from_the_future_is_not(net: Net) -> None:
    document = signed_by_teacher(net.house)
    net.house.house.authority.advance(seconds=3600)
    assert net.judge(document, slow=timedelta(minutes=30)).sub_indication is SubIndication.TRY_LATER


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


@pytest.fixture
def undated(net: Net) -> bytes:
    """Signed by a teacher, without a time stamp, and with what the authority said of her then: good until its nextUpdate."""
    document, house = signed_by_teacher(net.house, stamped=False), net.house.house
    certificates = (house.teacher.certificate_der, house.authority.issuing_der)
    document = bytes(add_validation_data(document, ValidationData.gather(house.evidence, certificates)))
    house.authority.advance(seconds=60)
    return document


def test_a_signer_who_left_the_time_stamp_out_is_asked_about_though_the_document_says_good(net: Net, undated: bytes) -> None:
    net.house.house.authority.established.issuing.revoke(net.house.house.teacher.serial, "keyCompromise")
    net.house.house.authority.advance(seconds=60)
    assert net.house.judge(undated, policy=ADES).indication is Indication.TOTAL_PASSED
    assert net.judge(undated).sub_indication is SubIndication.REVOKED_NO_POE


def test_each_such_certificate_is_asked_about_once(net: Net, undated: bytes) -> None:
    assert net.judge(undated).indication is Indication.TOTAL_PASSED
    assert sorted(net.asked) == ["/crl/root/0.crl", "/ocsp"]


def test_where_nobody_answers_what_the_document_says_still_counts(net: Net, undated: bytes) -> None:
    net.down = ("/",)
    assert net.judge(undated).indication is Indication.TOTAL_PASSED


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


def test_a_remembered_answer_that_is_too_old_for_the_next_document_is_asked_for_again(net: Net) -> None:
    online = Online(Network(), transport=net)
    net.judge(signed_by_teacher(net.house), online=online)
    net.house.house.authority.advance(seconds=3600)
    later = signed_by_teacher(net.house)  # signed after what is remembered was said
    net.asked.clear()
    assert net.judge(later, online=online).indication is Indication.TOTAL_PASSED
    assert net.asked == ["/ocsp"]


def test_who_did_not_answer_is_named_for_the_next_document_too_and_not_asked_within_the_minute(net: Net) -> None:
    net.down = ("/",)
    seconds = iter(range(10_000))
    online = Online(Network(), transport=net, clock=lambda: next(seconds) / 1000)
    net.judge(signed_by_teacher(net.house), online=online)
    asked = list(net.asked)
    verdict = net.judge(signed_by_teacher(net.house), online=online)
    assert net.asked == asked
    assert [m.text for m in verdict.messages if m.code == "NOT_FETCHED"] == ["records.example does not answer within 5 s (TimeoutError)"]


def test_who_did_not_answer_is_asked_again_after_a_minute(net: Net) -> None:
    net.down = ("/",)
    moment = [0.0]
    online = Online(Network(), transport=net, clock=lambda: moment[0])
    net.judge(signed_by_teacher(net.house), online=online)
    net.down, moment[0] = (), 61.0
    assert net.judge(signed_by_teacher(net.house), online=online).indication is Indication.TOTAL_PASSED


@dataclass
class Asked:
    """Answers every address with `answer`, where it is short enough."""

    answer: bytes
    times: int = 0

    def __call__(self, url: str, body: bytes | None, *, seconds: float, limit: int) -> HttpAnswer:
        self.times += 1
        if len(self.answer) > limit:
            raise RemoteError(f"answers with more than the {limit} octets that are read")
        return HttpAnswer("", self.answer)


def long_list() -> bytes:
    """A CRL of 4,000 entries."""
    key, at = ec.generate_private_key(ec.SECP256R1()), datetime(2026, 1, 1, tzinfo=UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Stranger")])
    built = x509.CertificateRevocationListBuilder(name, at, at + YEAR)
    for serial in range(1, 4001):
        built = built.add_revoked_certificate(x509.RevokedCertificateBuilder(serial, at).build())
    return built.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def pointing(*, issuers: str = "", lists: str = "", odd: bool = False) -> Certificate:
    """A stranger's certificate with these addresses; `odd`: with a kind of name besides that is read by nobody."""
    key, at = ec.generate_private_key(ec.SECP256R1()), datetime(2026, 1, 1, tzinfo=UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Stranger")])
    built = x509.CertificateBuilder(name, name, key.public_key(), 7, at, at + YEAR)
    if issuers:
        place = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(issuers))
        built = built.add_extension(x509.AuthorityInformationAccess([place]), critical=False)
    if lists:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(lists)], None, None, None)
        built = built.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    if odd:  # SubjectAltName with an x400Address
        value = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), bytes.fromhex("3004a3023000"))
        built = built.add_extension(value, critical=False)
    return load_certificate(built.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))


def test_a_stranger_cannot_have_another_documents_list_taken_for_too_long() -> None:
    """His certificate names the list's address as where his issuer is found: of such an answer less is read."""
    asked, place = Asked(long_list()), "http://ca.example/0.crl"
    assert len(asked.answer) > MAX_ANSWER
    online = Online(Network(), transport=asked)
    assert online.fetch([Lack(pointing(issuers=place), None)]).certificates == ()
    online.begin()
    honest = pointing(lists=place)
    assert online.fetch([Lack(honest, honest)]).crls == (asked.answer,)


def test_a_document_that_used_its_time_up_does_not_speak_for_the_next() -> None:
    seconds_given: list[float] = []

    def slow(url: str, body: bytes | None, *, seconds: float, limit: int) -> HttpAnswer:
        seconds_given.append(seconds)
        raise RemoteUnavailableError("too slow")

    moments = iter([0.0, 0.0, 19.9, 19.9, 30.0, 30.0, 30.0])
    online = Online(Network(), transport=slow, clock=lambda: next(moments))
    lack = Lack(pointing(issuers="http://ca.example/issuing.cer"), None)
    online.begin()
    online.fetch([lack])
    online.begin()
    online.fetch([lack])
    assert seconds_given == [pytest.approx(0.1), 5.0]


def test_an_extension_that_nobody_can_read_costs_the_addresses_alone() -> None:
    asked = Asked(b"")
    assert Online(Network(), transport=asked).fetch([Lack(pointing(issuers="http://ca.example/x", odd=True), None)]) == Evidence()
    assert asked.times == 0


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
