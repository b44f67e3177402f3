"""Establishing an authority, finding it again, going on after a crash, renewing its services."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.authority.establish import EstablishedAuthority, NotEstablishedError, establish, load
from pki.authority.renew import renew
from pki.errors import IssuanceError, PkiError
from pki.identity.subject import SubjectError
from pki.issuing.urls import AuthorityUrls
from pki.keys.softkey import SoftwareKey
from pki.ports import CertificateState
from tests.support.authority import (
    BASE_URL,
    MOMENT,
    ORGANIZATION,
    MemoryCertificateStore,
    MemoryKeyStore,
    Organization,
    StandingClock,
    TestAuthority,
    make_authority,
    shipped_profiles,
)


@pytest.fixture
def authority() -> TestAuthority:
    return make_authority()


def again(authority: TestAuthority, **changes: Any) -> EstablishedAuthority:
    given_keys, store = changes.pop("keys", authority.keys), changes.pop("store", authority.store)
    return load(given_keys, store, authority.profiles, clock=authority.clock, urls=authority.urls, **changes)


def certificate(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def test_chain_hangs_together(authority: TestAuthority) -> None:
    root, issuing = certificate(authority.root_der), certificate(authority.issuing_der)
    root.verify_directly_issued_by(root)
    issuing.verify_directly_issued_by(root)
    certificate(authority.tsa_der).verify_directly_issued_by(issuing)
    certificate(authority.ocsp_der).verify_directly_issued_by(issuing)


def test_every_certificate_of_the_house_stands_in_the_books(authority: TestAuthority) -> None:
    entries = {(entry.issuer, entry.profile, entry.holder, entry.state) for entry in authority.store.entries.values()}
    issued = CertificateState.ISSUED
    assert entries == {
        ("root", "root", "authority/root", issued),
        ("root", "issuing", "authority/issuing", issued),
        ("issuing", "tsa", "authority/tsa", issued),
        ("issuing", "ocsp", "authority/ocsp", issued),
    }


def test_root_is_p384_and_what_signs_by_the_thousand_p256(authority: TestAuthority) -> None:
    sizes = {label: key.public_key().key_size for label, key in authority.keys.keys.items()}
    assert sizes == {"root": 384, "issuing": 256, "tsa": 256, "ocsp": 256}


def test_path_ends_at_the_issuing_authority(authority: TestAuthority) -> None:
    limits = [
        certificate(der).extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
        for der in (authority.root_der, authority.issuing_der)
    ]
    assert limits == [1, 0]


def test_loading_finds_the_same_certificates(authority: TestAuthority) -> None:
    found, made = again(authority), authority.established
    assert (found.root_der, found.issuing_der, found.tsa.certificate_der, found.ocsp.certificate_der) == (
        made.root_der,
        made.issuing_der,
        made.tsa.certificate_der,
        made.ocsp.certificate_der,
    )


def test_establishing_again_changes_nothing(authority: TestAuthority) -> None:
    before = dict(authority.store.entries)
    other = Organization(country="VN", name="Khác", identifier="NTRVN-1")
    establish(authority.keys, authority.store, authority.profiles, clock=authority.clock, urls=authority.urls, organization=other)
    assert authority.store.entries == before


class CrashError(Exception):
    """The power fails."""


class FailingStore(MemoryCertificateStore):
    """Books that fail at the n-th write, before or after it is done."""

    def __init__(self, at: int, *, after: bool) -> None:
        super().__init__()
        self.left, self.after = at, after

    def _write(self, write: Any, *args: Any, **kwargs: Any) -> None:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise CrashError
        write(*args, **kwargs)
        if self.left == 0:
            raise CrashError

    def record(self, entry: Any) -> None:
        self._write(super().record, entry)

    def mark_issued(self, issuer: str, serial: int, **kwargs: Any) -> None:
        self._write(super().mark_issued, issuer, serial, **kwargs)


@given(at=st.integers(1, 8), after=st.booleans())
@settings(derandomize=True, max_examples=16, deadline=None)
def test_establishing_goes_on_after_a_crash_at_any_write(at: int, after: bool) -> None:
    store, keys, urls, profiles = FailingStore(at, after=after), MemoryKeyStore(), AuthorityUrls(BASE_URL), shipped_profiles()

    def attempt() -> EstablishedAuthority:
        return establish(keys, store, profiles, clock=StandingClock(MOMENT), urls=urls, organization=ORGANIZATION, lint_rate=0)

    with pytest.raises(CrashError):
        attempt()
    made = attempt()
    certificate(made.issuing_der).verify_directly_issued_by(certificate(made.root_der))
    issued = [entry for entry in store.entries.values() if entry.state is CertificateState.ISSUED]
    assert len(issued) == 4


def test_loading_before_establishing_is_refused() -> None:
    with pytest.raises(NotEstablishedError, match="no issued certificate for root; establish it first"):
        load(MemoryKeyStore(), MemoryCertificateStore(), shipped_profiles(), clock=StandingClock(MOMENT), urls=AuthorityUrls(BASE_URL))


def test_loading_with_an_empty_key_store_is_refused(authority: TestAuthority) -> None:
    with pytest.raises(NotEstablishedError, match="a certificate stands without its key"):
        again(authority, keys=MemoryKeyStore())


@pytest.mark.parametrize("label", ["tsa", "ocsp"])
def test_loading_with_another_services_key_is_refused(authority: TestAuthority, label: str) -> None:
    authority.keys.keys[label] = SoftwareKey.generate()
    with pytest.raises(NotEstablishedError, match=f"the key {label} is not the one that its certificate names"):
        again(authority)


@pytest.mark.parametrize("label", ["root", "issuing"])
def test_loading_with_another_ca_key_is_refused(authority: TestAuthority, label: str) -> None:
    authority.keys.keys[label] = SoftwareKey.generate()
    with pytest.raises(IssuanceError, match=f"issuer {label}: the key is not the one"):
        again(authority)


def test_lost_key_is_not_silently_replaced(authority: TestAuthority) -> None:
    del authority.keys.keys["tsa"]
    with pytest.raises(NotEstablishedError, match="the certificate of tsa stands without its key; restore the key store"):
        establish(
            authority.keys, authority.store, authority.profiles, clock=authority.clock, urls=authority.urls, organization=ORGANIZATION
        )


@pytest.mark.parametrize("missing", ["root", "issuing", "tsa", "ocsp"])
def test_missing_profile_is_named(missing: str) -> None:
    profiles = {name: profile for name, profile in shipped_profiles().items() if name != missing}
    with pytest.raises(NotEstablishedError, match=f"profile {missing} is missing"):
        establish(
            MemoryKeyStore(),
            MemoryCertificateStore(),
            profiles,
            clock=StandingClock(MOMENT),
            urls=AuthorityUrls(BASE_URL),
            organization=ORGANIZATION,
        )


def test_organisation_with_a_long_name_asks_for_the_short_name() -> None:
    with pytest.raises(SubjectError, match="give the school's official short name"):
        Organization(country="VN", name="Sở" * 40, identifier="NTRVN-1").subject("root")


def test_services_are_renewed_within_a_month_of_expiry(authority: TestAuthority) -> None:
    authority.advance(days=70)
    renewed = renew(authority.established)
    assert renewed.ocsp.certificate_der != authority.ocsp_der
    assert certificate(renewed.ocsp.certificate_der).public_key() == authority.ocsp_key.public_key()
    assert renewed.tsa == authority.established.tsa
    assert again(authority).ocsp.certificate_der == renewed.ocsp.certificate_der


def test_services_are_left_alone_before(authority: TestAuthority) -> None:
    authority.advance(days=50)
    assert renew(authority.established) == authority.established


@pytest.mark.parametrize("base", ["", "pki.example.org", "ftp://pki.example.org", "http://pki.example.org/", "http://a b", "http://x?y=1"])
def test_base_url_of_another_form_is_refused(base: str) -> None:
    with pytest.raises(PkiError, match="expected http://host or https://host without a trailing slash"):
        AuthorityUrls(base)


@pytest.mark.parametrize("issuer", ["", "../root", "Root", "a/b"])
def test_issuer_name_that_is_no_path_segment_is_refused(issuer: str) -> None:
    with pytest.raises(PkiError, match="issuer name: got"):
        AuthorityUrls(BASE_URL).crl(issuer, 0)


def test_near_the_issuers_end_services_are_renewed_up_to_it(authority: TestAuthority) -> None:
    """Issuing authority 12 years, time stamps 6: the second time-stamping certificate ends with its issuer."""
    authority.clock.moment = certificate(authority.tsa_der).not_valid_after_utc + timedelta(days=10)  # opened too late to overlap
    renewed = renew(authority.established)
    assert certificate(renewed.tsa.certificate_der).not_valid_after_utc == certificate(authority.issuing_der).not_valid_after_utc
    assert certificate(renewed.ocsp.certificate_der).not_valid_after_utc > authority.clock.moment + timedelta(days=80)


def test_a_service_that_ends_with_its_issuer_is_not_renewed_again_and_again(authority: TestAuthority) -> None:
    authority.clock.moment = certificate(authority.issuing_der).not_valid_after_utc - timedelta(days=20)
    renewed = renew(authority.established)
    assert certificate(renewed.ocsp.certificate_der).not_valid_after_utc == certificate(authority.issuing_der).not_valid_after_utc
    assert renew(renewed) == renewed
