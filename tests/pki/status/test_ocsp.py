from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.ocsp import OCSPCertStatus, OCSPResponseStatus
from hypothesis import given, settings

from pki.errors import PkiError
from pki.status.ocsp import OcspResponder
from pki.status.ocsp_answer import ResponseStatus
from pki.status.ocsp_request import MAX_CERTIFICATES
from pki.structures.cert_id import cert_id
from pki.structures.ocsp_asn1 import ARCHIVE_CUTOFF, NONCE, CertID, OCSPRequest, Request, TBSRequest
from pki.structures.tsp import Extension
from tests.support.mutation import FUZZ, Damage, damages
from tests.support.status_house import NOW, House, Party, make_house


def ask(party: Party, issuer: Party, *, algorithm: hashes.HashAlgorithm | None = None, nonce: bytes | None = None) -> bytes:
    """A request as `cryptography` writes it; SHA-1 unless told."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(party.certificate, issuer.certificate, algorithm or hashes.SHA1())
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def ask_all(*certificates: CertID, extensions: list[Extension] | None = None, version: int = 0) -> bytes:
    """A request for any number of certificates."""
    return asn1.encode_der(
        OCSPRequest(
            tbs_request=TBSRequest(
                version=version,
                requestor_name=None,
                request_list=[Request(req_cert=one, single_request_extensions=None) for one in certificates],
                request_extensions=extensions,
            ),
            optional_signature=None,
        )
    )


def nonce(size: int) -> list[Extension]:
    return [Extension(extn_id=NONCE, critical=False, extn_value=asn1.encode_der(bytes(size)))]


def statuses(der: bytes) -> list[OCSPCertStatus]:
    """Read by another implementation."""
    response = ocsp.load_der_ocsp_response(der)
    assert response.response_status is OCSPResponseStatus.SUCCESSFUL
    return [single.certificate_status for single in response.responses]


def with_serial(house: House, serial: int) -> CertID:
    known = cert_id(house.teacher.certificate, house.issuing.certificate)
    return CertID(
        hash_algorithm=known.hash_algorithm,
        issuer_name_hash=known.issuer_name_hash,
        issuer_key_hash=known.issuer_key_hash,
        serial_number=serial,
    )


def openssl_status(house: House, party: Party, *arguments: str) -> str:
    """What `openssl ocsp` says of the file "answer". It compares status times with the wall clock: the last option lets it not."""
    issuer = house.pem(house.issuing)
    done = house.openssl(
        *(
            "ocsp",
            "-respin",
            "answer",
            "-no_nonce",
            "-issuer",
            issuer,
            *arguments,
            "-cert",
            house.pem(party),
            "-CAfile",
            house.pem(house.root),
        ),
        *("-verify_other", issuer, *house.attime, "-validity_period", "3000000000"),
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("algorithm", ["-sha1", "-sha256"])
def test_openssl_accepts_our_answer_to_its_request(house: House, algorithm: str) -> None:
    issuer, teacher = house.pem(house.issuing), house.pem(house.teacher)
    house.openssl("ocsp", "-issuer", issuer, algorithm, "-no_nonce", "-cert", teacher, "-reqout", "request")
    house.file("answer", house.responder().respond((house.folder / "request").read_bytes()).der)
    said = openssl_status(house, house.teacher, algorithm)
    assert "Response verify OK" in said
    assert ": good" in said


def test_openssl_finds_its_nonce_in_our_answer(house: House) -> None:
    issuer = house.pem(house.issuing)
    house.openssl("ocsp", "-issuer", issuer, "-cert", house.pem(house.teacher), "-reqout", "request")
    house.file("answer", house.responder().respond((house.folder / "request").read_bytes()).der)
    done = house.openssl(
        *("ocsp", "-respin", "answer", "-reqin", "request", "-CAfile", house.pem(house.root), "-verify_other", issuer, *house.attime)
    )
    assert done.stderr.strip() == "Response verify OK"  # it would warn of a missing or different nonce


def test_openssl_accepts_the_response_made_in_process(house: House) -> None:
    house.file("answer", house.responder().status_response(house.teacher.der))
    said = openssl_status(house, house.teacher)
    assert "Response verify OK" in said
    assert ": good" in said


def test_openssl_reads_reason_and_time_of_a_revocation(house: House) -> None:
    house.revoke(house.teacher, "keyCompromise")
    house.file("answer", house.responder().status_response(house.teacher.der))
    said = openssl_status(house, house.teacher)
    assert ": revoked" in said
    assert "Reason: keyCompromise" in said
    assert "Revocation Time: Sep  5 08:30:15 2026 GMT" in said


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256()])
def test_issued_certificate_is_good_under_either_hash(house: House, algorithm: hashes.HashAlgorithm) -> None:
    answer = house.responder().respond(ask(house.teacher, house.issuing, algorithm=algorithm))
    assert statuses(answer.der) == [OCSPCertStatus.GOOD]


def test_serial_never_recorded_is_unknown(house: House) -> None:
    assert statuses(house.responder().respond(ask_all(with_serial(house, 4711))).der) == [OCSPCertStatus.UNKNOWN]


def test_recorded_but_not_issued_is_unknown(house: House) -> None:
    asked = ask_all(with_serial(house, house.recorded_serial()))
    assert statuses(house.responder().respond(asked).der) == [OCSPCertStatus.UNKNOWN]


def test_revoked_without_reason_carries_none(house: House) -> None:
    house.revoke(house.teacher, "unspecified")
    single = next(iter(ocsp.load_der_ocsp_response(house.responder().status_response(house.teacher.der)).responses))
    assert single.certificate_status is OCSPCertStatus.REVOKED
    assert single.revocation_reason is None
    assert single.revocation_time_utc == NOW.replace(microsecond=0)


@pytest.mark.parametrize("serial", [0, -1, -(2**200), 2**159, 2**600])
def test_impossible_serial_is_unknown_and_the_books_are_not_asked(house: House, serial: int) -> None:
    class Unasked:
        def get(self, issuer: str, serial: int) -> None:
            raise AssertionError(f"asked for {serial}")

    answer = house.responder(store=Unasked()).respond(ask_all(with_serial(house, serial)))
    assert answer.states == ("unknown",)


def test_several_certificates_are_answered_in_order(house: House) -> None:
    house.revoke(house.tsa_party, "superseded")
    asked = [cert_id(house.teacher.certificate, house.issuing.certificate), cert_id(house.tsa_party.certificate, house.issuing.certificate)]
    answer = house.responder().respond(ask_all(*asked, with_serial(house, 99)))
    assert statuses(answer.der) == [OCSPCertStatus.GOOD, OCSPCertStatus.REVOKED, OCSPCertStatus.UNKNOWN]


def test_answer_is_signed_by_the_enclosed_responder(house: House) -> None:
    response = ocsp.load_der_ocsp_response(house.responder().status_response(house.teacher.der))
    assert response.certificates == [house.ocsp_party.certificate]
    assert response.responder_key_hash == x509.SubjectKeyIdentifier.from_public_key(house.ocsp_party.key.public_key()).digest
    key = house.ocsp_party.certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))


def test_answer_is_valid_from_now_for_as_long_as_told(house: House) -> None:
    answer = house.responder(validity=timedelta(hours=2)).answer_about(house.teacher.der)
    single = next(iter(ocsp.load_der_ocsp_response(answer.der).responses))
    now = NOW.replace(microsecond=0)
    assert (single.this_update_utc, single.next_update_utc) == (now, now + timedelta(hours=2)) == (answer.this_update, answer.next_update)


def test_an_answer_does_not_outlive_the_responders_certificate(house: House) -> None:
    ends = house.ocsp_party.certificate.not_valid_after_utc
    answer = house.responder(clock=lambda: ends - timedelta(hours=3)).answer_about(house.teacher.der)
    single = next(iter(ocsp.load_der_ocsp_response(answer.der).responses))
    assert single.next_update_utc == answer.next_update == ends


@pytest.mark.parametrize("beyond", [timedelta(0), timedelta(days=1)])
def test_nothing_is_signed_once_the_responders_certificate_has_ended(house: House, beyond: timedelta) -> None:
    ends = house.ocsp_party.certificate.not_valid_after_utc
    responder = house.responder(clock=lambda: ends + beyond)
    answers = responder.respond_all([ask(house.teacher, house.issuing), b"no request"])
    assert [answer.status for answer in answers] == [ResponseStatus.TRY_LATER, ResponseStatus.MALFORMED_REQUEST]
    assert "is outside the validity of its certificate" in (responder.trouble() or "")
    with pytest.raises(PkiError, match="is outside the validity of its certificate"):
        responder.answer_about(house.teacher.der)


def test_an_authority_that_has_ended_is_no_trouble(house: House) -> None:
    assert house.responder(clock=lambda: house.issuing.certificate.not_valid_after_utc).trouble() is None
    assert house.responder().trouble() is None


def test_archive_cutoff_is_the_start_of_the_authority(house: House) -> None:
    der = house.responder().status_response(house.teacher.der)
    (extension,) = ocsp.load_der_ocsp_response(der).single_extensions
    assert isinstance(extension.value, x509.UnrecognizedExtension)
    assert extension.oid == ARCHIVE_CUTOFF
    assert asn1.decode_der(asn1.GeneralizedTime, extension.value.value).as_datetime() == NOW.replace(microsecond=0)


def test_archive_cutoff_may_be_left_out(house: House) -> None:
    der = house.responder(archive_cutoff=False).status_response(house.teacher.der)
    assert list(ocsp.load_der_ocsp_response(der).single_extensions) == []


@pytest.mark.parametrize("size", [1, 15, 16, 32, 33, 128])
def test_nonce_is_echoed(house: House, size: int) -> None:
    response = ocsp.load_der_ocsp_response(house.responder().respond(ask(house.teacher, house.issuing, nonce=b"\x05" * size)).der)
    assert response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"\x05" * size


@pytest.mark.parametrize(
    "extensions",
    [
        pytest.param(nonce(0), id="empty nonce"),
        pytest.param(nonce(129), id="nonce of 129 octets"),
        pytest.param(nonce(16) * 2, id="two nonces"),
        pytest.param([Extension(extn_id=NONCE, critical=False, extn_value=b"raw")], id="nonce not an OCTET STRING"),
        pytest.param([Extension(extn_id=x509.ObjectIdentifier("1.2.3"), critical=True, extn_value=b"")], id="unknown critical extension"),
    ],
)
def test_request_extension_that_is_malformed(house: House, extensions: list[Extension]) -> None:
    asked = ask_all(with_serial(house, house.teacher.serial), extensions=extensions)
    assert house.responder().respond(asked).status is ResponseStatus.MALFORMED_REQUEST


def test_unknown_extension_that_is_not_critical_is_ignored(house: House) -> None:
    extension = Extension(extn_id=x509.ObjectIdentifier("1.2.3"), critical=False, extn_value=b"")
    assert house.responder().respond(ask_all(with_serial(house, 5), extensions=[extension])).status is ResponseStatus.SUCCESSFUL


@pytest.mark.parametrize("count", [0, MAX_CERTIFICATES + 1])
def test_number_of_certificates_is_bounded(house: House, count: int) -> None:
    answer = house.responder().respond(ask_all(*[with_serial(house, 5)] * count))
    assert answer.status is ResponseStatus.MALFORMED_REQUEST


def test_the_greatest_number_of_certificates_is_answered(house: House) -> None:
    asked = cert_id(house.teacher.certificate, house.issuing.certificate)
    assert len(house.responder().respond(ask_all(*[asked] * MAX_CERTIFICATES)).states) == MAX_CERTIFICATES


def test_a_hash_that_we_do_not_know_is_unauthorized(house: House) -> None:
    assert house.responder().respond(ask(house.teacher, house.issuing, algorithm=hashes.SHA512())).status is ResponseStatus.UNAUTHORIZED


@pytest.mark.parametrize("request_der", [b"", b"0", b"\x30\x00", b"\x30\x84\x7f\xff\xff\xff", bytes(20_000)])
def test_malformed_der_is_malformed_request(house: House, request_der: bytes) -> None:
    answer = house.responder().respond(request_der)
    assert ocsp.load_der_ocsp_response(answer.der).response_status is OCSPResponseStatus.MALFORMED_REQUEST


def test_another_version_is_malformed_request(house: House) -> None:
    assert house.responder().respond(ask_all(with_serial(house, 5), version=1)).status is ResponseStatus.MALFORMED_REQUEST


def test_certificates_of_a_foreign_authority_alone_are_unauthorized(house: House) -> None:
    answer = house.responder().respond(ask(house.issuing, house.root))
    assert ocsp.load_der_ocsp_response(answer.der).response_status is OCSPResponseStatus.UNAUTHORIZED


def test_a_foreign_certificate_beside_ours_is_unknown(house: House) -> None:
    ours, foreign = (cert_id(p.certificate, i.certificate) for p, i in ((house.teacher, house.issuing), (house.issuing, house.root)))
    assert house.responder().respond(ask_all(ours, foreign)).states == ("good", "unknown")


@pytest.mark.parametrize(
    ("changes", "cacheable"),
    [({}, True), ({"nonce": b"n" * 16}, False)],
)
def test_answer_without_nonce_is_cacheable(house: House, changes: dict[str, bytes], cacheable: bool) -> None:
    assert house.responder().respond(ask(house.teacher, house.issuing, nonce=changes.get("nonce"))).cacheable is cacheable


def test_unknown_is_not_cacheable(house: House) -> None:
    assert not house.responder().respond(ask_all(with_serial(house, 5))).cacheable


def test_status_response_refuses_a_foreign_certificate(house: House) -> None:
    with pytest.raises(PkiError, match="was not issued by issuing"):
        house.responder().status_response(house.issuing.der)


def test_a_responder_of_another_authority_is_refused(house: House) -> None:
    with pytest.raises(PkiError, match="its certificate was not issued by root"):
        house.responder(issuers={"root": house.root.der})


def test_a_responder_without_the_usage_is_refused(house: House) -> None:
    with pytest.raises(PkiError, match="lacks the extended key usage id-kp-OCSPSigning"):
        house.responder(certificate_der=house.tsa_party.der, key=house.tsa_party.key)


def test_an_authority_may_answer_with_its_own_key(house: House) -> None:
    responder = house.responder(certificate_der=house.issuing.der, key=house.issuing.key)
    assert statuses(responder.status_response(house.teacher.der)) == [OCSPCertStatus.GOOD]


def test_a_look_alike_authority_is_not_ours(house: House) -> None:
    namesake = make_house(house.folder)
    assert namesake.issuing.certificate.subject == house.issuing.certificate.subject
    with pytest.raises(PkiError, match="was not issued by issuing"):
        house.responder().status_response(namesake.teacher.der)


def check_answers(responder: OcspResponder, der: bytes) -> None:
    status = ocsp.load_der_ocsp_response(responder.respond(der).der).response_status
    assert status in (OCSPResponseStatus.SUCCESSFUL, OCSPResponseStatus.MALFORMED_REQUEST, OCSPResponseStatus.UNAUTHORIZED)


def valid(house: House) -> bytes:
    asked = [cert_id(party.certificate, house.issuing.certificate) for party in (house.teacher, house.tsa_party)]
    return ask_all(*asked, extensions=nonce(16))


@settings(FUZZ, max_examples=2000)
@given(damage=damages)
def test_every_request_gets_an_answer(house: House, damage: Damage) -> None:
    check_answers(house.responder(), damage.to(valid(house)))


@pytest.mark.long
@settings(FUZZ, max_examples=10_000)
@given(damage=damages)
def test_every_one_of_10000_requests_gets_an_answer(house: House, damage: Damage) -> None:
    check_answers(house.responder(), damage.to(valid(house)))
