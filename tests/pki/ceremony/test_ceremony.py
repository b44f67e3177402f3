"""Ceremonies over key stores and books in memory: what they make, whose word they need, what they refuse, and chains under either root."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.authority.offline import ImportedCrlError, check_imported_crl
from pki.authority.root_lists import root_lists
from pki.ceremony.check import CeremonyMismatchError, check_certificate
from pki.ceremony.hold import CeremonyError, NotApprovedByAnotherError, hold
from pki.errors import EncodingError, PkiError, SignatureError
from pki.identity.subject import legal_person
from pki.issuing.issue import Authority, CertificateRequest
from pki.issuing.urls import AuthorityUrls
from pki.keys.softkey import SoftwareKey
from pki.paths.chain import ChainError, KeyPurpose, TrustAnchor, validate_path
from pki.ports import CertificateState
from pki.registration.approval import OtherDigestError
from pki.registration.ca_request import make_request, read_request, request_pem
from tests.support.authority import MemoryCertificateStore, shipped_profiles
from tests.support.ceremonies import Vault, approval_of, shipped_plan

ROOT, ISSUING, ROLLOVER = (shipped_plan(name) for name in ("root", "issuing", "rollover"))


def certificate(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def test_root_is_made_with_its_list() -> None:
    done = Vault().hold(ROOT)
    assert [(each.kind, each.name, each.fresh) for each in done.made] == [
        ("key", "root", True),
        ("certificate", "root", True),
        ("crl", "root", True),
    ]
    check_imported_crl(done.crls()["root"], done.certificates()["root"], issuer="root")


def test_root_lasts_as_long_as_its_file_says() -> None:
    plan = shipped_plan("root", ("validity_days = 10958", "validity_days = 400"))
    found = certificate(Vault().hold(plan).certificates()["root"])
    assert found.not_valid_after_utc - found.not_valid_before_utc == timedelta(days=400) - timedelta(seconds=1)


def test_issuing_authority_is_signed_from_a_request_and_its_key_stays_away() -> None:
    vault = Vault.after("root")
    done = vault.hold(ISSUING)
    issuing = certificate(done.certificates()["issuing"])
    issuing.verify_directly_issued_by(certificate(done.standing["root"]))
    assert issuing.public_key() == vault.online.open("issuing").public_key()
    assert vault.keys.labels() == ("root",)


def test_list_of_the_root_holds_as_long_as_the_file_says() -> None:
    crl = x509.load_der_x509_crl(Vault().hold(ROOT).crls()["root"])
    assert crl.next_update_utc is not None
    assert crl.next_update_utc - crl.last_update_utc == timedelta(days=190)


# a second person


def test_an_approval_of_one_key_is_not_one_of_another() -> None:
    vault = Vault.after("root")
    approved = approval_of(ISSUING, vault.requests(ISSUING))
    foreign = make_request(ISSUING.subject(ISSUING.certificates[0]), SoftwareKey.generate("P-256"))
    with pytest.raises(OtherDigestError, match="approves another ca"):
        vault.hold(ISSUING, requests={"issuing": foreign}, approval=approved)
    repeated = vault.requests(ISSUING)  # signed anew: the key counts
    assert vault.hold(ISSUING, requests=repeated, approval=approved).certificates()["issuing"]


def test_nothing_is_made_without_approval_of_exactly_this_file() -> None:
    vault, other = Vault(), shipped_plan("root", ("Root of the", "Root of another"))
    with pytest.raises(OtherDigestError, match="request request-1 approves another ca"):
        vault.hold(ROOT, approval=approval_of(other))
    assert (vault.keys.labels(), vault.store.entries) == ((), {})


@pytest.mark.parametrize("approvers", [(), ("an",)])
def test_requester_alone_is_not_enough_whatever_a_policy_says(approvers: tuple[str, ...]) -> None:
    vault = Vault()
    with pytest.raises(NotApprovedByAnotherError, match="a second person"):
        vault.hold(ROOT, approval=approval_of(ROOT, requested_by="an", approved_by=approvers))
    assert (vault.keys.labels(), vault.store.entries) == ((), {})


def test_approval_is_not_used_up_by_a_ceremony_that_cannot_be_held() -> None:
    asked: list[int] = []

    def approve() -> Any:
        asked.append(1)
        raise AssertionError

    vault = Vault()
    requests = vault.requests(ISSUING)
    with pytest.raises(CeremonyError, match="this home holds no root 'root'"):
        hold(
            ISSUING,
            requests=requests,
            keys=vault.keys,
            store=vault.store,
            profiles=shipped_profiles(),
            clock=vault.clock,
            approve=approve,
        )
    assert asked == []


# what is asked for


def test_missing_request_is_named() -> None:
    with pytest.raises(CeremonyError, match=r"certificate issuing: its request is missing; bring issuing\.csr"):
        Vault.after("root").hold(ISSUING, requests={})


def test_request_of_another_name_or_curve_is_refused() -> None:
    vault = Vault.after("root")
    key = SoftwareKey.generate("P-256")
    other = legal_person(country="VN", name="Mallory", identifier="NTRVN-1")
    with pytest.raises(CeremonyMismatchError, match="certificate issuing: subject of the request"):
        vault.hold(ISSUING, requests={"issuing": make_request(other, key)})
    big = make_request(ISSUING.subject(ISSUING.certificates[0]), SoftwareKey.generate("P-384"))
    with pytest.raises(CeremonyMismatchError, match="certificate issuing: curve of the request"):
        vault.hold(ISSUING, requests={"issuing": big})


def test_request_signed_with_another_key_is_refused() -> None:
    good = make_request(ISSUING.subject(ISSUING.certificates[0]), SoftwareKey.generate("P-256"))
    with pytest.raises((SignatureError, EncodingError)):
        read_request(good[:-1] + bytes((good[-1] ^ 1,)))


def test_openssl_reads_and_verifies_our_request(tmp_path: Path) -> None:
    path = tmp_path / "issuing.csr"
    path.write_bytes(request_pem(make_request(ISSUING.subject(ISSUING.certificates[0]), SoftwareKey.generate("P-256"))))
    done = subprocess.run(["openssl", "req", "-in", path, "-verify", "-noout"], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0
    assert "verify OK" in done.stderr + done.stdout


@given(data=st.binary(max_size=300))
@settings(derandomize=True, max_examples=100, deadline=None)
def test_rubbish_for_a_request_is_refused(data: bytes) -> None:
    with pytest.raises(PkiError):
        read_request(data)


def test_second_root_under_another_name_is_refused() -> None:
    plan = shipped_plan("rollover", ("(mẫu) Root CA", "(mẫu) Root CA 2"))
    with pytest.raises(CeremonyError, match="a new root bears the first one's name"):
        Vault.after("root", "issuing").hold(plan)


def test_generation_that_leaves_one_out_is_refused() -> None:
    plan = shipped_plan("rollover", ("root-2", "root-3"))
    with pytest.raises(CeremonyError, match="the newest root here is root; no number may be left out"):
        Vault.after("root", "issuing").hold(plan)


def test_longer_than_the_profile_allows_is_refused() -> None:
    plan = shipped_plan("issuing", ("validity_days = 4383", "validity_days = 9000"))
    with pytest.raises(CeremonyError, match="9000 days, profile issuing allows 4383"):
        Vault.after("root").hold(plan)


# interruption


class CrashError(Exception):
    """The power fails."""


class FailingStore(MemoryCertificateStore):
    def __init__(self) -> None:
        super().__init__()
        self.left = 10_000

    def record(self, entry: Any) -> None:
        self._count()
        super().record(entry)

    def mark_issued(self, issuer: str, serial: int, **kwargs: Any) -> None:
        self._count()
        super().mark_issued(issuer, serial, **kwargs)

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise CrashError


@pytest.mark.parametrize("at", range(1, 9))
def test_interrupted_rollover_goes_on_where_it_stopped(at: int) -> None:
    vault = Vault(store=FailingStore())
    vault.hold(ROOT)
    vault.hold(ISSUING)
    vault.store.left = at
    with pytest.raises(CrashError):
        vault.hold(ROLLOVER)
    vault.store.left = 10_000
    done = vault.hold(ROLLOVER)
    assert set(done.certificates()) == {"root-2", "root-2-by-root", "root-by-root-2", "issuing-2"}
    issued = [entry for entry in vault.store.entries.values() if entry.state is CertificateState.ISSUED]
    assert len(issued) == 2 + 4
    assert vault.hold(ROLLOVER).certificates() == done.certificates()


# the check against the file


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (('name = "Sở Giáo dục và Đào tạo (mẫu) Issuing CA"', 'name = "Another"'), "subject"),
        (('curve = "P-256"', 'curve = "P-384"'), "curve of the key"),
        (("validity_days = 4383", "validity_days = 4000"), "validity"),
        (("http://pki.example.org", "http://pki.elsewhere.org"), "addresses"),
        (("NTRVN-0100000001", "NTRVN-0100000002"), "subject"),
    ],
)
def test_certificate_that_is_not_what_the_file_says_is_refused(change: tuple[str, str], field: str) -> None:
    vault = Vault.after("root")
    made = vault.hold(ISSUING)
    plan = shipped_plan("issuing", change)
    with pytest.raises(CeremonyMismatchError, match=f"certificate issuing: {field}"):
        check_certificate(plan, plan.certificates[0], made.certificates()["issuing"], made.standing["root"])


def test_certificate_of_another_root_is_refused() -> None:
    made, other = Vault.after("root").hold(ISSUING), Vault().hold(ROOT).certificates()["root"]
    with pytest.raises(CeremonyMismatchError, match="authority key identifier"):
        check_certificate(ISSUING, ISSUING.certificates[0], made.certificates()["issuing"], other)


def test_certificate_of_another_profile_is_refused() -> None:
    done = Vault.after("root").hold(ISSUING)
    wanted = replace(ISSUING.certificates[0], profile="cross")
    with pytest.raises(CeremonyMismatchError, match="path length"):
        check_certificate(ISSUING, wanted, done.certificates()["issuing"], done.standing["root"])


@pytest.mark.parametrize("der", [b"", b"\x30\x00", b"rubbish"])
def test_rubbish_for_a_certificate_is_refused(der: bytes) -> None:
    with pytest.raises(CeremonyMismatchError):
        check_certificate(ROOT, ROOT.certificates[0], der, der)


# rollover


@dataclass(frozen=True)
class Generations:
    """Two generations, and a seal's certificate from each issuing authority."""

    vault: Vault
    der: dict[str, bytes]

    def path(self, leaf: str, anchor: str) -> tuple[bytes, ...]:
        intermediates = [der for name, der in self.der.items() if name not in ("root", "root-2", "old", "new")]
        found = validate_path(
            self.der[leaf],
            intermediates=intermediates,
            anchors=[TrustAnchor(self.der[anchor])],
            at=self.vault.clock(),
            purpose=KeyPurpose.DOCUMENT_SIGNING,
        )
        assert found.policies == {"1.3.6.1.4.1.32473.1.1.3"}
        return tuple(each.der for each in found.certificates)


@pytest.fixture(scope="module")
def generations() -> Generations:
    vault = Vault.after("root", "issuing", years_between=4)
    done = vault.hold(ROLLOVER)
    der = {**done.standing, **done.certificates(), "issuing": vault.store.of_holder("authority/issuing")[0].certificate_der}
    subject = legal_person(country="VN", name="Trường THCS Nguyễn Du", identifier="NTRVN-0100109106")
    for leaf, issuer in (("old", "issuing"), ("new", "issuing-2")):
        authority = Authority(
            name=issuer,
            certificate_der=der[issuer],
            key=vault.online.open(issuer),
            profiles=shipped_profiles(),
            store=vault.store,
            clock=vault.clock,
            urls=AuthorityUrls(ROOT.base_url),
            lint_rate=1,
        )
        request = CertificateRequest("school-seal", subject, SoftwareKey.generate().public_key(), f"seal/{leaf}")
        der[leaf] = authority.certify(request).certificate_der
    return Generations(vault, der)


EITHER = [("old", "root"), ("old", "root-2"), ("new", "root"), ("new", "root-2")]


@pytest.mark.parametrize(("leaf", "anchor"), EITHER)
def test_our_chain_leads_from_either_generation_to_either_root(generations: Generations, leaf: str, anchor: str) -> None:
    path = generations.path(leaf, anchor)
    crossed = (leaf == "old") != (anchor == "root")
    cross = generations.der["root-by-root-2" if leaf == "old" else "root-2-by-root"]
    assert (cross in path) == crossed


@pytest.mark.parametrize(("leaf", "anchor"), EITHER)
def test_openssl_verifies_either_generation_under_either_root(generations: Generations, tmp_path: Path, leaf: str, anchor: str) -> None:
    def pem(*names: str) -> bytes:
        return b"".join(certificate(generations.der[name]).public_bytes(Encoding.PEM) for name in names)

    (tmp_path / "anchor.pem").write_bytes(pem(anchor))
    (tmp_path / "between.pem").write_bytes(pem("issuing", "issuing-2", "root-2-by-root", "root-by-root-2"))
    (tmp_path / "leaf.pem").write_bytes(pem(leaf))
    at = str(int(generations.vault.clock().timestamp()))
    command = ["openssl", "verify", "-x509_strict", "-attime", at, "-no-CApath", "-no-CAstore", "-CAfile", "anchor.pem"]
    whole = [*command, "-untrusted", "between.pem", "leaf.pem"]
    done = subprocess.run(whole, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (0, "leaf.pem: OK\n"), done.stderr


@pytest.mark.parametrize(("leaf", "anchor"), [("old", "root-2"), ("new", "root")])
def test_without_the_crossing_certificate_the_other_root_vouches_for_nothing(generations: Generations, leaf: str, anchor: str) -> None:
    bare = {name: der for name, der in generations.der.items() if "-by-" not in name}
    with pytest.raises(ChainError):
        Generations(generations.vault, bare).path(leaf, anchor)


def test_roots_bear_one_name_and_crossings_are_self_issued(generations: Generations) -> None:
    names = {certificate(generations.der[name]).subject for name in ("root", "root-2", "root-2-by-root", "root-by-root-2")}
    assert len(names) == 1
    assert certificate(generations.der["issuing"]).subject != certificate(generations.der["issuing-2"]).subject


def test_crossing_ends_with_the_older_root(generations: Generations) -> None:
    ends = {name: certificate(generations.der[name]).not_valid_after_utc for name in ("root", "root-2-by-root", "root-by-root-2")}
    assert ends["root-2-by-root"] <= ends["root"]
    assert ends["root-by-root-2"] <= ends["root"]


def test_each_roots_list_tells_what_the_other_revoked(generations: Generations) -> None:
    """They share a name, and so a verifier takes either list for both."""
    vault = Vault.after("root", "issuing")
    done = vault.hold(ROLLOVER)
    serial = certificate(done.certificates()["issuing-2"]).serial_number
    vault.store.mark_revoked("root-2", serial, reason="cACompromise", at=vault.clock())
    lists = root_lists(vault.keys, vault.store, clock=vault.clock, base_url=ROOT.base_url, validity=timedelta(days=1))
    assert set(lists) == {"root", "root-2"}
    for der in lists.values():
        assert x509.load_der_x509_crl(der).get_revoked_certificate_by_serial_number(serial) is not None
    assert generations


# a list that was brought


def test_list_of_another_root_out_of_date_or_older_is_refused() -> None:
    vault = Vault()
    first = vault.hold(ROOT)
    root, crl = first.certificates()["root"], first.crls()["root"]
    other = Vault().hold(ROOT).certificates()["root"]
    with pytest.raises(ImportedCrlError, match="not signed under the key"):
        check_imported_crl(crl, other, issuer="root")
    with pytest.raises(ImportedCrlError, match="which is not now"):
        check_imported_crl(crl, root, issuer="root", at=vault.clock() + timedelta(days=191))
    vault.clock.moment += timedelta(days=1)
    newer = vault.hold(ROOT).crls()["root"]
    check_imported_crl(newer, root, issuer="root", after=crl, at=vault.clock())
    with pytest.raises(ImportedCrlError, match="older than the one that stands here"):
        check_imported_crl(crl, root, issuer="root", after=newer)


@pytest.mark.parametrize("der", [b"", b"\x30\x00", b"rubbish" * 20])
def test_rubbish_for_a_list_is_refused(der: bytes) -> None:
    with pytest.raises(ImportedCrlError, match="not a DER CertificateList"):
        check_imported_crl(der, Vault().hold(ROOT).certificates()["root"], issuer="root")
