from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.serialization import Encoding

from pki.errors import PkiError
from pki.issuing.urls import shard_of
from pki.ports import CertificateEntry
from pki.status.crl import EXPIRED_CERTS_ON_CRL, build_crl, reason_number
from tests.support.authority import BASE_URL
from tests.support.status_house import NOW, SHARDS, House, Party


def crl_of(house: House, shard: int = 0, shards: int = SHARDS) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(house.crl_signer("issuing", shards).crl(shard))


def revoke(house: House, party: Party, reason: str = "superseded") -> int:
    """Returns the shard."""
    house.revoke(party, reason)
    return shard_of(party.serial, SHARDS)


def build(house: House, entries: list[CertificateEntry], **changes: object) -> bytes:
    given: dict[str, object] = {
        "issuer": "issuing",
        "issuer_certificate_der": house.issuing.der,
        "key": house.issuing.key,
        "entries": entries,
        "number": 1,
        "this_update": NOW,
        "next_update": NOW + timedelta(days=1),
        "shard": 0,
        "shards": 1,
        "base_url": BASE_URL,
    }
    return build_crl(**{**given, **changes})  # type: ignore[arg-type]  # a test changes any of them


def test_openssl_verifies_the_list(house: House) -> None:
    crl = house.file("list.crl", house.crl_signer("issuing", SHARDS).crl(0))
    done = house.openssl("crl", "-inform", "DER", "-in", crl, "-CAfile", house.pem(house.issuing), "-noout", "-text")
    assert "verify OK" in done.stderr
    assert "X509v3 Issuing Distribution Point: critical" in done.stdout


def openssl_verify(house: House, party: Party, shard: int) -> str:
    crls = [house.crl_signer("root").crl(0), house.crl_signer("issuing", SHARDS).crl(shard)]
    pems = b"".join(x509.load_der_x509_crl(crl).public_bytes(Encoding.PEM) for crl in crls)
    done = house.openssl(
        *("verify", "-CAfile", house.pem(house.root), "-untrusted", house.pem(house.issuing), "-CRLfile", house.file("crls", pems)),
        *("-crl_check_all", "-extended_crl", *house.attime, house.pem(party)),
    )
    return done.stdout + done.stderr


def test_openssl_verifies_a_chain_against_the_lists(house: House) -> None:
    assert ": OK" in openssl_verify(house, house.teacher, shard_of(house.teacher.serial, SHARDS))


def test_openssl_sees_the_revocation(house: House) -> None:
    assert "certificate revoked" in openssl_verify(house, house.teacher, revoke(house, house.teacher))


def test_openssl_does_not_take_another_shards_list(house: House) -> None:
    assert "different CRL scope" in openssl_verify(house, house.teacher, (shard_of(house.teacher.serial, SHARDS) + 1) % SHARDS)


def test_entry_carries_serial_time_and_reason(house: House) -> None:
    crl = crl_of(house, revoke(house, house.teacher, "keyCompromise"))
    entry = crl.get_revoked_certificate_by_serial_number(house.teacher.serial)
    assert entry is not None
    assert entry.revocation_date_utc == NOW.replace(microsecond=0)
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.key_compromise


def test_unspecified_reason_is_left_out(house: House) -> None:
    (entry,) = crl_of(house, revoke(house, house.teacher, "unspecified"))
    assert list(entry.extensions) == []


def test_revoked_certificate_stands_in_its_shard_alone(house: House) -> None:
    shard = revoke(house, house.teacher)
    assert [len(crl_of(house, n)) for n in range(SHARDS)] == [int(n == shard) for n in range(SHARDS)]


def test_list_names_the_url_of_its_shard_critically(house: House) -> None:
    extension = crl_of(house, 2).extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    assert extension.critical
    assert extension.value.full_name == [x509.UniformResourceIdentifier("http://pki.example.org/crl/issuing/2.crl")]


def test_an_undivided_list_is_for_every_certificate(house: House) -> None:
    extensions = x509.load_der_x509_crl(house.crl_signer("root").crl(0)).extensions
    assert not [extension for extension in extensions if extension.critical]


def test_the_url_is_the_one_in_certificates(house: House) -> None:
    (point,) = house.teacher.certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    shard = shard_of(house.teacher.serial, SHARDS)
    assert point.full_name == crl_of(house, shard).extensions.get_extension_for_class(x509.IssuingDistributionPoint).value.full_name


def test_list_keeps_expired_certificates_since_the_authority_began(house: House) -> None:
    (value,) = (e.value for e in crl_of(house).extensions if e.oid == EXPIRED_CERTS_ON_CRL)
    assert isinstance(value, x509.UnrecognizedExtension)
    assert asn1.decode_der(asn1.GeneralizedTime, value.value).as_datetime() == house.issuing.certificate.not_valid_before_utc


def test_list_names_its_issuers_key(house: House) -> None:
    key = crl_of(house).extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert key == house.issuing.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def test_numbers_increase(house: House) -> None:
    numbers = [crl_of(house).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for _ in range(3)]
    assert numbers == [1, 2, 3]


def test_times_are_taken_to_the_second(house: House) -> None:
    crl = crl_of(house)
    assert crl.last_update_utc == NOW.replace(microsecond=0)
    assert crl.next_update_utc == NOW.replace(microsecond=0) + timedelta(days=7)


def test_times_from_2050_on_are_generalized(house: House) -> None:
    crl = build(house, [], this_update=datetime(2049, 12, 31, tzinfo=UTC), next_update=datetime(2050, 1, 2, tzinfo=UTC))
    assert b"\x17\x0d491231000000Z\x18\x0f20500102000000Z" in crl


def test_the_signature_is_the_issuers(house: House) -> None:
    crl = x509.load_der_x509_crl(house.crl_signer("root").crl(0))
    assert crl.is_signature_valid(house.root.key.public_key())  # type: ignore[arg-type]  # EC


def test_an_entry_of_another_shard_is_refused(house: House) -> None:
    revoke(house, house.teacher)
    entry = replace(house.books.entries[("issuing", house.teacher.serial)], serial=7)
    with pytest.raises(PkiError, match="shard 0 of 4: certificate 7 of issuing does not belong on it"):
        build(house, [entry], shards=4)


def test_an_entry_of_another_issuer_is_refused(house: House) -> None:
    revoke(house, house.teacher)
    entry = replace(house.books.entries[("issuing", house.teacher.serial)], issuer="root", serial=7)
    with pytest.raises(PkiError, match="certificate 7 of root does not belong on it"):
        build(house, [entry])


def test_an_entry_that_is_not_revoked_is_refused(house: House) -> None:
    with pytest.raises(PkiError, match="is not revoked"):
        build(house, [house.books.entries[("issuing", house.teacher.serial)]])


def test_another_key_is_refused(house: House) -> None:
    with pytest.raises(PkiError, match="CRL of issuing: the key is not the one in certificate"):
        build(house, [], key=house.root.key)


def test_a_shard_that_is_not_there_is_refused(house: House) -> None:
    with pytest.raises(PkiError, match="shard 4 is outside 0-3"):
        house.crl_signer("issuing", 4).crl(4)


@pytest.mark.parametrize("name", ["removeFromCRL", "key_compromise", ""])
def test_a_reason_outside_the_table_is_refused(name: str) -> None:
    with pytest.raises(PkiError, match=f"revocation reason '{name}' is not one of unspecified"):
        reason_number(name)
