"""A whole authority whose keys are in a token: certificates, lists, OCSP answers and time stamps, as `openssl` finds them."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pki.authority.establish import CURVES, load
from pki.issuing.urls import shard_of
from pki.keys.key_stores import open_key_store
from pki.keys.pkcs11.store import Pkcs11Key
from tests.support.softhsm import PIN, SoftHsm
from tests.support.status_house import SHARDS, House, make_house


@pytest.fixture
def house(softhsm: SoftHsm, tmp_path: Path) -> House:
    return make_house(tmp_path, open_key_store(softhsm.token().uri(), PIN, create=True))


def test_every_key_of_the_authority_is_in_the_token(house: House) -> None:
    assert house.authority.keys.labels() == tuple(sorted(CURVES))
    for label, curve in CURVES.items():
        key = house.authority.keys.open(label)
        assert isinstance(key, Pkcs11Key)
        assert f"P-{key.public_key().key_size}" == curve


def test_an_authority_in_a_token_is_found_again(house: House) -> None:
    authority = house.authority
    again = load(authority.keys, authority.store, authority.profiles, clock=authority.clock, urls=authority.urls)
    assert again.issuing_der == authority.issuing_der


def test_openssl_verifies_chain_and_lists_and_sees_a_revocation(house: House) -> None:
    shard = shard_of(house.teacher.serial, SHARDS)
    for revoked, said in ((False, ": OK"), (True, "certificate revoked")):
        if revoked:
            house.revoke(house.teacher, "keyCompromise")
        crls = [house.crl_signer("root").crl(0), house.crl_signer("issuing", SHARDS).crl(shard)]
        lists = house.file("crls", b"".join(x509.load_der_x509_crl(crl).public_bytes(Encoding.PEM) for crl in crls))
        done = house.openssl(
            *("verify", "-x509_strict", "-CAfile", house.pem(house.root), "-untrusted", house.pem(house.issuing), "-CRLfile", lists),
            *("-crl_check_all", "-extended_crl", *house.attime, house.pem(house.teacher)),
        )
        assert said in done.stdout + done.stderr


def test_openssl_accepts_an_ocsp_answer_with_its_nonce(house: House) -> None:
    issuer = house.pem(house.issuing)
    house.openssl("ocsp", "-issuer", issuer, "-cert", house.pem(house.teacher), "-reqout", "request")
    house.file("answer", house.responder().respond((house.folder / "request").read_bytes()).der)
    done = house.openssl(
        *("ocsp", "-respin", "answer", "-reqin", "request", "-CAfile", house.pem(house.root), "-verify_other", issuer, *house.attime)
    )
    assert done.stderr.strip() == "Response verify OK"


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_openssl_verifies_a_time_stamp(house: House, algorithm: str) -> None:
    data = house.file("data", b"stamp me")
    assert house.openssl("ts", "-query", "-data", data, f"-{algorithm}", "-cert", "-out", "query").returncode == 0
    answer = house.file("answer", house.tsa().respond((house.folder / "query").read_bytes()))
    chain = house.pem(house.issuing)
    done = house.openssl(
        *("ts", "-verify", "-queryfile", "query", "-in", answer, "-CAfile", house.pem(house.root), "-untrusted", chain, *house.attime)
    )
    assert "Verification: OK" in done.stdout + done.stderr
