"""A time-stamp authority over HTTP: our own on loopback, and servers that answer wrongly, too much, too slowly or not at all."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from cryptography.hazmat import asn1

from pki.errors import PkiError
from pki.paths.chain import TrustAnchor
from pki.paths.chain_errors import ChainError
from pki.remote.http_request import RemoteError, RemoteUnavailableError
from pki.remote.token_check import WrongTokenError
from pki.remote.tsa import MAX_REPLY, REPLY, Patience, RemoteTimeStamper
from pki.status.timestamp import FailureInfo, TimeStampAuthority, rejection
from pki.structures.cms import tlv
from pki.structures.tsp import GrantedTimeStampResp, PKIStatusInfo, TimeStampReq, parse_time_stamp_token
from tests.support.authority import make_authority
from tests.support.status_house import House
from tests.support.tsa_server import Answer, Respond, Server, honest, serving

DIGEST = hashlib.sha256(b"a signature value").digest()
QUICK = Patience(seconds=5, pauses=())


def altered(tsa: TimeStampAuthority, **changes: object) -> Respond:
    """An authority that answers another request than the one that came."""

    def respond(request: bytes) -> Answer:
        asked = asn1.decode_der(TimeStampReq, request)
        names = ("version", "message_imprint", "req_policy", "nonce", "cert_req", "extensions")
        other = TimeStampReq(**{**{name: getattr(asked, name) for name in names}, **changes})
        return 200, REPLY, tsa.respond(asn1.encode_der(other))

    return respond


def stamper(server: Server, house: House, **changes: object) -> RemoteTimeStamper:
    given: dict[str, object] = {"clock": house.authority.clock, "patience": QUICK}
    return RemoteTimeStamper(server.url, **{**given, **changes})  # type: ignore[arg-type]  # a test changes any of them


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_our_own_authority_answers_over_http(house: House, algorithm: str) -> None:
    digest = hashlib.new(algorithm, b"record").digest()
    with serving(honest(house.tsa())) as server:
        token = parse_time_stamp_token(stamper(server, house).stamp(digest, algorithm=algorithm))
    assert (token.imprint, token.imprint_digest.value) == (digest, algorithm)


def test_certificates_are_the_tokens_own_signer_first(house: House) -> None:
    with serving(honest(house.tsa())) as server:
        remote = stamper(server, house)
        assert remote.certificates == (house.tsa_party.der, house.issuing.der)
        remote.stamp(DIGEST)
        assert len(server.requests) == 2


def test_every_request_has_a_nonce_of_its_own(house: House) -> None:
    with serving(honest(house.tsa())) as server:
        remote = stamper(server, house)
        remote.stamp(DIGEST)
        remote.stamp(DIGEST)
        nonces = {asn1.decode_der(TimeStampReq, request).nonce for request in server.requests}
    assert len(nonces) == 2
    assert all(nonce is not None and nonce.bit_length() == 64 for nonce in nonces)


def test_chain_to_a_named_anchor_is_accepted(house: House) -> None:
    with serving(honest(house.tsa())) as server:
        assert stamper(server, house, anchors=(TrustAnchor(house.root.der),)).stamp(DIGEST)


def test_authority_below_another_anchor_is_refused(house: House) -> None:
    other = make_authority(house.authority.clock())
    with (
        serving(honest(house.tsa())) as server,
        pytest.raises(WrongTokenError, match="is not signed by the issuer it names") as refused,
    ):
        stamper(server, house, anchors=(TrustAnchor(other.root_der),)).stamp(DIGEST)
    assert isinstance(refused.value.__cause__, ChainError)


def test_wrong_nonce_is_refused(house: House) -> None:
    with serving(altered(house.tsa(), nonce=7)) as server, pytest.raises(WrongTokenError, match="its nonce is not the one"):
        stamper(server, house).stamp(DIGEST)


def test_missing_nonce_is_refused(house: House) -> None:
    with serving(altered(house.tsa(), nonce=None)) as server, pytest.raises(WrongTokenError, match="its nonce is not the one"):
        stamper(server, house).stamp(DIGEST)


def test_wrong_imprint_is_refused(house: House) -> None:
    def respond(request: bytes) -> Answer:
        swapped = request.replace(DIGEST, hashlib.sha256(b"another").digest())
        return 200, REPLY, house.tsa().respond(swapped)

    with serving(respond) as server, pytest.raises(WrongTokenError, match="it is about another digest"):
        stamper(server, house).stamp(DIGEST)


def test_token_without_certificates_is_refused(house: House) -> None:
    with serving(altered(house.tsa(), cert_req=False)) as server, pytest.raises(WrongTokenError, match="does not carry the certificate"):
        stamper(server, house).stamp(DIGEST)


def test_certificate_that_is_not_for_time_stamping_is_refused(house: House) -> None:
    class Impostor(TimeStampAuthority):
        """Signs tokens with a teacher's key, which construction of the honest class would refuse."""

        def __init__(self) -> None:
            honest_one = house.tsa()
            self.__dict__.update(honest_one.__dict__)
            certificates = (house.teacher.der, house.issuing.der)
            self._credential = replace(honest_one._credential, certificates=certificates, key=house.teacher.key)

    with serving(honest(Impostor())) as server, pytest.raises(WrongTokenError, match="is not for time stamping"):
        stamper(server, house).stamp(DIGEST)


def test_altered_signature_is_refused(house: House) -> None:
    def respond(request: bytes) -> Answer:
        answer = bytearray(house.tsa().respond(request))
        answer[-1] ^= 1
        return 200, REPLY, bytes(answer)

    with serving(respond) as server, pytest.raises(WrongTokenError, match="signature"):
        stamper(server, house).stamp(DIGEST)


def test_clock_that_is_far_off_is_refused(house: House) -> None:
    tsa = house.tsa(clock=lambda: house.authority.clock().replace(hour=(house.authority.clock().hour + 2) % 24))
    with serving(honest(tsa)) as server, pytest.raises(WrongTokenError, match="our clock"):
        stamper(server, house).stamp(DIGEST)


def test_failing_server_is_asked_again_with_growing_pauses(house: House) -> None:
    answers = iter([(503, "text/plain", b"busy"), (500, "text/plain", b"")])
    slept: list[float] = []
    tsa = house.tsa()
    with serving(lambda request: next(answers, (200, REPLY, tsa.respond(request)))) as server:
        token = stamper(server, house, patience=Patience(seconds=5, pauses=(0.5, 1, 2)), sleep=slept.append).stamp(DIGEST)
    assert parse_time_stamp_token(token).imprint == DIGEST
    assert slept == [0.5, 1]


def test_tries_are_bounded(house: House) -> None:
    with serving(lambda _: (503, "text/plain", b"")) as server:
        remote = stamper(server, house, patience=Patience(seconds=5, pauses=(1, 1)), sleep=lambda _: None)
        with pytest.raises(RemoteUnavailableError, match=r"answers with status 503; asked 3 times"):
            remote.stamp(DIGEST)
        assert len(server.requests) == 3


def test_authority_whose_time_is_not_available_is_asked_again(house: House) -> None:
    answer = rejection(FailureInfo.TIME_NOT_AVAILABLE, "no clock")
    with serving(lambda _: (200, REPLY, answer)) as server:
        remote = stamper(server, house, patience=Patience(seconds=5, pauses=(1,)), sleep=lambda _: None)
        with pytest.raises(RemoteUnavailableError, match="time not available"):
            remote.stamp(DIGEST)
        assert len(server.requests) == 2


def test_refusal_is_told_in_the_authoritys_words_and_not_asked_again(house: House) -> None:
    answer = rejection(FailureInfo.UNACCEPTED_POLICY, "pay first")
    with serving(lambda _: (200, REPLY, answer)) as server:
        remote = stamper(server, house, patience=Patience(seconds=5, pauses=(1,)), sleep=lambda _: None)
        with pytest.raises(RemoteError, match=r"no token, status 2 \(unaccepted policy\): pay first"):
            remote.stamp(DIGEST)
        assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 400, 403, 404])
def test_redirects_and_client_errors_end_it(house: House, status: int) -> None:
    with serving(lambda _: (status, "text/html", b"<p>elsewhere</p>")) as server:
        with pytest.raises(RemoteError, match=f"answers with status {status}, expected 200"):
            stamper(server, house, patience=Patience(seconds=5, pauses=(1,)), sleep=lambda _: None).stamp(DIGEST)
        assert len(server.requests) == 1


def test_another_content_type_is_refused(house: House) -> None:
    with serving(lambda _: (200, "text/html", b"<p>log in</p>")) as server, pytest.raises(RemoteError, match="answers with text/html"):
        stamper(server, house).stamp(DIGEST)


@pytest.mark.parametrize("body", [b"", b"0", b"<p>no</p>", bytes.fromhex("30030201") + b"\x00"])
def test_answer_that_is_none_is_one_line(house: House, body: bytes) -> None:
    with serving(lambda _: (200, REPLY, body)) as server, pytest.raises(PkiError, match="time-stamp"):
        stamper(server, house).stamp(DIGEST)


def test_granted_answer_with_garbage_for_a_token_is_refused(house: House) -> None:
    status = PKIStatusInfo(status=0, status_string=None, fail_info=None)
    answer = asn1.encode_der(GrantedTimeStampResp(status=status, time_stamp_token=tlv(b"\x04\x02no")))
    with serving(lambda _: (200, REPLY, answer)) as server, pytest.raises(WrongTokenError, match="not valid DER SignedData"):
        stamper(server, house).stamp(DIGEST)


def test_huge_answer_is_cut_off(house: House) -> None:
    with (
        serving(lambda _: (200, REPLY, bytes(50 * MAX_REPLY))) as server,
        pytest.raises(RemoteError, match=f"more than the {MAX_REPLY} octets"),
    ):
        stamper(server, house).stamp(DIGEST)


@contextmanager
def dripping(head: bytes) -> Iterator[str]:
    """A server that sends one octet of `head`, and then of nothing in particular, every 50 ms: no single read is ever slow."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            sent = head
            while not stop.wait(0.05):
                try:
                    connection.sendall(sent[:1] or b"x")
                except OSError:
                    return
                sent = sent[1:]

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        stop.set()
        thread.join()
        listener.close()


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nA: B\r\n\r\n"])
def test_server_that_drips_is_given_up_in_time(house: House, head: bytes) -> None:
    with dripping(head) as url:
        remote = RemoteTimeStamper(url, clock=house.authority.clock, patience=Patience(seconds=1.5, pauses=()))
        began = time.monotonic()
        with pytest.raises(PkiError):
            remote.stamp(DIGEST)
        assert time.monotonic() - began < 5


def test_nobody_listening_is_said_without_the_whole_address(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    remote = RemoteTimeStamper(f"http://127.0.0.1:{port}/secret-path?token=1", clock=house.authority.clock, patience=QUICK)
    with pytest.raises(RemoteUnavailableError, match=rf"127.0.0.1:{port} does not answer") as refused:
        remote.stamp(DIGEST)
    assert "secret-path" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "tsa.example",
        "ftp://tsa.example/",
        "file:///etc/passwd",
        "http://",
        "http://u:p@tsa.example/",
        "http://h:x/",
        "http://h/\n",
        "http://h/ x",
    ],
)
def test_address_that_is_none_is_refused_at_once(house: House, url: str) -> None:
    with pytest.raises(RemoteError, match="address of a remote authority"):
        RemoteTimeStamper(url, clock=house.authority.clock)


def test_unknown_digest_is_refused_before_anything_is_sent(house: House) -> None:
    with serving(honest(house.tsa())) as server:
        with pytest.raises(RemoteError, match="'sha1' is not SHA-256"):
            stamper(server, house).stamp(bytes(20), algorithm="sha1")
        assert server.requests == []
