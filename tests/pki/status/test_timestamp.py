from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

import pytest
from asn1crypto import tsp as reference
from asn1crypto.cms import ContentInfo
from cryptography import x509
from cryptography.hazmat import asn1
from hypothesis import given, settings

from pki.errors import PkiError
from pki.status.timestamp import FailureInfo, TimeNotAvailableError, TimeStampRefusedError, random_serial
from pki.structures.cms import tlv
from pki.structures.tsp import Extension, MessageImprint, TimeStampReq, parse_time_stamp_token
from tests.support.mutation import FUZZ, Damage, damages
from tests.support.status_house import NOW, POLICY, House

SHA256 = bytes.fromhex("300b0609608648016503040201")
SHA1 = bytes.fromhex("300906052b0e03021a0500")


def request(**changes: object) -> bytes:
    given_fields: dict[str, object] = {
        "version": 1,
        "message_imprint": imprint(SHA256, bytes(32)),
        "req_policy": None,
        "nonce": None,
        "cert_req": False,
        "extensions": None,
    }
    return asn1.encode_der(TimeStampReq(**{**given_fields, **changes}))  # type: ignore[arg-type]


def imprint(algorithm_der: bytes, digest: bytes) -> MessageImprint:
    return MessageImprint(hash_algorithm=tlv(algorithm_der), hashed_message=digest)


class Response(reference.TimeStampResp):  # type: ignore[misc]  # asn1crypto has no types
    """asn1crypto's structure, which forgets that a rejection has no token."""

    _fields: ClassVar = [("status", reference.PKIStatusInfo), ("time_stamp_token", ContentInfo, {"optional": True})]


def parsed(response_der: bytes) -> Response:
    """Read by another implementation."""
    return Response.load(response_der, strict=True)


def token_of(response_der: bytes) -> bytes:
    response = parsed(response_der)
    assert response["status"]["status"].native == "granted"
    token: bytes = response["time_stamp_token"].dump()
    return token


def failure_of(response_der: bytes) -> set[str]:
    response = parsed(response_der)
    assert response["status"]["status"].native == "rejection"
    failure: set[str] = response["status"]["fail_info"].native
    return failure


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_openssl_verifies_our_answer_to_its_query(house: House, algorithm: str) -> None:
    data = house.file("data", b"record")
    assert house.openssl("ts", "-query", "-data", data, f"-{algorithm}", "-cert", "-out", "query").returncode == 0
    answer = house.file("answer", house.tsa().respond((house.folder / "query").read_bytes()))
    done = house.openssl("ts", "-verify", "-queryfile", "query", "-in", answer, "-CAfile", house.pem(house.root), *house.attime)
    assert "Verification: OK" in done.stdout, done.stderr


def test_openssl_verifies_a_token_without_certificates_when_it_is_given_them(house: House) -> None:
    data = house.file("data", b"record")
    house.openssl("ts", "-query", "-data", data, "-sha256", "-out", "query")
    answer = house.file("answer", house.tsa().respond((house.folder / "query").read_bytes()))
    untrusted = house.pem(house.tsa_party, house.issuing)
    done = house.openssl(
        "ts", "-verify", "-queryfile", "query", "-in", answer, "-CAfile", house.pem(house.root), "-untrusted", untrusted, *house.attime
    )
    assert "Verification: OK" in done.stdout, done.stderr


def test_openssl_verifies_a_token_stamped_in_process(house: House) -> None:
    data = house.file("data", b"record")
    token = house.file("token", house.tsa().stamp(hashlib.sha256(b"record").digest()))
    done = house.openssl("ts", "-verify", "-data", data, "-in", token, "-token_in", "-CAfile", house.pem(house.root), *house.attime)
    assert "Verification: OK" in done.stdout, done.stderr


def test_openssl_refuses_the_token_for_other_data(house: House) -> None:
    data = house.file("data", b"another record")
    token = house.file("token", house.tsa().stamp(hashlib.sha256(b"record").digest()))
    done = house.openssl("ts", "-verify", "-data", data, "-in", token, "-token_in", "-CAfile", house.pem(house.root), *house.attime)
    assert "message imprint mismatch" in done.stderr


def test_token_says_imprint_policy_and_whole_second(house: House) -> None:
    token = parse_time_stamp_token(house.tsa().stamp(b"\x07" * 48, algorithm="sha384"))
    assert (token.imprint, token.imprint_digest.value) == (b"\x07" * 48, "sha384")
    assert token.policy.dotted_string == POLICY
    assert token.gen_time == NOW.replace(microsecond=0)


def test_token_names_its_certificate_and_verifies(house: House) -> None:
    token = parse_time_stamp_token(house.tsa().stamp(bytes(32)))
    token.cms.verify(house.tsa_party.certificate.public_key())
    assert token.cms.serial_number == house.tsa_party.serial


def test_nonce_is_echoed(house: House) -> None:
    response = parsed(house.tsa().respond(request(nonce=2**127 + 5)))
    info = response["time_stamp_token"]["content"]["encap_content_info"]["content"].parsed
    assert info["nonce"].native == 2**127 + 5


def test_certificates_are_left_out_unless_asked_for(house: House) -> None:
    tsa = house.tsa()
    without, with_them = (parse_time_stamp_token(token_of(tsa.respond(request(cert_req=asked)))) for asked in (False, True))
    assert without.cms.certificates == ()
    assert set(with_them.cms.certificates) == set(tsa.certificates)


def test_accuracy_is_stated(house: House) -> None:
    response = parsed(house.tsa(accuracy=timedelta(seconds=2, milliseconds=30, microseconds=4)).respond(request()))
    info = response["time_stamp_token"]["content"]["encap_content_info"]["content"].parsed
    assert dict(info["accuracy"].native) == {"seconds": 2, "millis": 30, "micros": 4}


def test_serial_numbers_come_from_the_given_source(house: House) -> None:
    serials = iter((41, 42))
    tsa = house.tsa(serials=lambda: next(serials))
    assert [parse_time_stamp_token(tsa.stamp(bytes(32))).serial_number for _ in range(2)] == [41, 42]


def test_random_serials_do_not_repeat() -> None:
    assert len({random_serial() for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        ({"message_imprint": imprint(SHA1, bytes(20))}, "bad_alg"),
        ({"message_imprint": imprint(SHA256, bytes(31))}, "bad_data_format"),
        ({"message_imprint": imprint(SHA256, b"")}, "bad_data_format"),
        ({"req_policy": x509.ObjectIdentifier("1.2.3.4")}, "unaccepted_policy"),
        ({"extensions": [Extension(extn_id=x509.ObjectIdentifier("1.2.3"), critical=True, extn_value=b"")]}, "unaccepted_extensions"),
        ({"extensions": [Extension(extn_id=x509.ObjectIdentifier("1.2.3"), critical=False, extn_value=b"")]}, "unaccepted_extensions"),
        ({"version": 2}, "bad_request"),
        ({"nonce": 2**600}, "bad_request"),
    ],
)
def test_refusal_names_its_failure(house: House, changes: dict[str, object], failure: str) -> None:
    assert failure_of(house.tsa().respond(request(**changes))) == {failure}


@pytest.mark.parametrize(("der", "failure"), [(b"", "bad_data_format"), (b"0", "bad_data_format"), (bytes(5000), "bad_request")])
def test_garbage_is_answered(house: House, der: bytes, failure: str) -> None:
    assert failure_of(house.tsa().respond(der)) == {failure}


def test_the_offered_policy_may_be_named(house: House) -> None:
    token_of(house.tsa().respond(request(req_policy=x509.ObjectIdentifier(POLICY))))


def lost_clock() -> datetime:
    raise TimeNotAvailableError("no time source has answered for an hour")


def test_a_clock_that_lost_the_time_is_time_not_available(house: House) -> None:
    assert failure_of(house.tsa(clock=lost_clock).respond(request())) == {"time_not_available"}


@pytest.mark.parametrize("shift", [timedelta(days=-1), timedelta(days=2200)])
def test_no_time_is_given_outside_the_certificates_validity(house: House, shift: timedelta) -> None:
    house.authority.clock.moment += shift
    assert failure_of(house.tsa().respond(request())) == {"time_not_available"}


def test_stamp_refuses_a_digest_of_the_wrong_length(house: House) -> None:
    with pytest.raises(TimeStampRefusedError, match="imprint of 20 octets, expected 32 for sha256") as caught:
        house.tsa().stamp(bytes(20))
    assert caught.value.failure is FailureInfo.BAD_DATA_FORMAT


def test_stamp_refuses_sha1(house: House) -> None:
    with pytest.raises(TimeStampRefusedError, match="'sha1' is not SHA-256"):
        house.tsa().stamp(bytes(20), algorithm="sha1")


def test_a_certificate_without_extended_key_usage_is_refused(house: House) -> None:
    with pytest.raises(PkiError, match="no extended key usage, expected timeStamping"):
        house.tsa(certificate_der=house.issuing.der, key=house.issuing.key)


def test_a_certificate_for_something_else_is_refused(house: House) -> None:
    with pytest.raises(PkiError, match="is not timeStamping alone and critical"):
        house.tsa(certificate_der=house.teacher.der, key=house.teacher.key)


def test_another_certificates_key_is_refused(house: House) -> None:
    with pytest.raises(PkiError, match="time-stamp authority: the key is not the one in certificate"):
        house.tsa(key=house.teacher.key)


VALID = request(nonce=12345, cert_req=True, req_policy=x509.ObjectIdentifier(POLICY))


def check_answers(respond: Callable[[bytes], bytes], der: bytes) -> None:
    assert parsed(respond(der))["status"]["status"].native in ("granted", "rejection")


@settings(FUZZ, max_examples=2000)
@given(damage=damages)
def test_every_request_gets_an_answer(house: House, damage: Damage) -> None:
    check_answers(house.tsa().respond, damage.to(VALID))


@pytest.mark.long
@settings(FUZZ, max_examples=10_000)
@given(damage=damages)
def test_every_one_of_10000_requests_gets_an_answer(house: House, damage: Damage) -> None:
    check_answers(house.tsa().respond, damage.to(VALID))
