"""Authorities, path lengths, name spaces, critical extensions, purposes, algorithms (attack classes 29, 31, 32)."""

from __future__ import annotations

import ipaddress
import time
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from pki.errors import SignatureError, UnsupportedAlgorithmError
from pki.paths.chain import KeyPurpose, validate_path
from pki.paths.chain_errors import AlgorithmError, ChainFailure, ConstraintError, MalformedCertificateError, PathLimitError, PurposeError
from pki.paths.validation import PathPolicy
from pki.structures.algorithm_policy import MODERN, AlgorithmPolicy, verify_signature
from tests.support.chain_cases import (
    AT,
    DAY,
    DOCUMENT_SIGNING,
    OCSP_SIGNING,
    SERVER_AUTH,
    TIME_STAMPING,
    Node,
    certificate,
    name,
    path_of,
    root,
    unknown,
)

# --- authorities -------------------------------------------------------------------------------------------------------------------


def test_authority_without_basic_constraints_is_refused() -> None:
    top = root()
    issuing = top.issue("Issuing CA", usage=("key_cert_sign",))
    with pytest.raises(ConstraintError, match=r"CA certificate 1 above the certificate is no CA \(basicConstraints\)") as caught:
        path_of(issuing.issue(), issuing, top)
    assert caught.value.reason is ChainFailure.CONSTRAINT


def test_authority_with_ca_false_is_refused() -> None:
    top = root()
    issuing = top.issue("Issuing CA", usage=("key_cert_sign",), basic=x509.BasicConstraints(ca=False, path_length=None))
    with pytest.raises(ConstraintError, match="is no CA"):
        path_of(issuing.issue(), issuing, top)


def test_authority_without_key_cert_sign_is_refused() -> None:
    top = root()
    issuing = top.ca(usage=("crl_sign",))
    with pytest.raises(ConstraintError, match="may not sign certificates"):
        path_of(issuing.issue(), issuing, top)


def test_authority_without_any_key_usage_is_accepted() -> None:
    top = root()
    issuing = top.ca(usage=None)
    assert path_of(issuing.issue(), issuing, top)


def test_path_length_zero_forbids_an_authority_below() -> None:
    top = root()
    one = top.ca("One", path_length=0)
    two = one.ca("Two")
    with pytest.raises(ConstraintError, match="exceeds the path length"):
        path_of(two.issue(), two, one, top)


def test_path_length_zero_allows_a_leaf_below() -> None:
    top = root()
    one = top.ca("One", path_length=0)
    assert path_of(one.issue(), one, top)


def test_path_length_of_the_trust_anchor_counts() -> None:
    top = root(path_length=0)
    one = top.ca()
    with pytest.raises(ConstraintError, match="exceeds the path length"):
        path_of(one.issue(), one, top)


def test_self_issued_authority_does_not_use_up_path_length() -> None:
    top = root(path_length=1)
    one = top.ca("One", path_length=0)
    renewed = one.ca("One")
    assert path_of(renewed.issue(), renewed, one, top)


def test_trust_anchor_that_is_no_authority_vouches_for_itself_alone() -> None:
    own = certificate("Self-signed", issuer=None, basic=x509.BasicConstraints(ca=False, path_length=None))
    with pytest.raises(ConstraintError, match="the trust anchor is no CA"):
        path_of(own.issue("Other"), own)


def test_unknown_critical_extension_of_the_leaf_is_refused() -> None:
    top = root()
    with pytest.raises(ConstraintError, match=r"the certificate bears the critical extension 1\.3\.6\.1\.4\.1\.32473\.99"):
        path_of(top.issue(extensions=[(unknown(), True)]), top)


def test_unknown_critical_extension_of_an_authority_is_refused() -> None:
    top = root()
    issuing = top.ca(extensions=[(unknown(), True)])
    with pytest.raises(ConstraintError, match="CA certificate 1 above the certificate bears the critical extension"):
        path_of(issuing.issue(), issuing, top)


def test_unknown_extension_that_is_not_critical_is_passed_over() -> None:
    top = root()
    assert path_of(top.issue(extensions=[(unknown(), False)]), top)


# --- names -------------------------------------------------------------------------------------------------------------------------


def _constrained(*, permitted: list[x509.GeneralName] | None = None, excluded: list[x509.GeneralName] | None = None) -> Node:
    constraints = x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=excluded)
    return root().ca(extensions=[(constraints, True)])


def _leaf(issuing: Node, *alternative: x509.GeneralName, **kwargs: Any) -> Node:
    extensions = [(x509.SubjectAlternativeName(list(alternative)), False)] if alternative else []
    return issuing.issue(extensions=extensions, **kwargs)


def _judge(issuing: Node, leaf: Node) -> None:
    assert issuing.issuer is not None
    path_of(leaf, issuing, issuing.issuer)


INSIDE = [
    (x509.DNSName("school.example"), x509.DNSName("school.example")),
    (x509.DNSName("school.example"), x509.DNSName("Mail.School.EXAMPLE")),
    (x509.DNSName(""), x509.DNSName("any.example")),
    (x509.RFC822Name("school.example"), x509.RFC822Name("hoa@school.example")),
    (x509.RFC822Name(".school.example"), x509.RFC822Name("hoa@mail.school.example")),
    (x509.RFC822Name("hoa@school.example"), x509.RFC822Name("hoa@SCHOOL.example")),
    (x509.UniformResourceIdentifier("school.example"), x509.UniformResourceIdentifier("https://school.example/path")),
    (x509.UniformResourceIdentifier(".school.example"), x509.UniformResourceIdentifier("https://www.school.example:8443/")),
    (x509.IPAddress(ipaddress.ip_network("192.0.2.0/24")), x509.IPAddress(ipaddress.ip_address("192.0.2.77"))),
    (x509.IPAddress(ipaddress.ip_network("2001:db8::/32")), x509.IPAddress(ipaddress.ip_address("2001:db8::1"))),
    (x509.DirectoryName(name("Teacher")), x509.DirectoryName(name("Teacher", surname="Hoa"))),
    (x509.DirectoryName(x509.Name([])), x509.DirectoryName(name("anything"))),
]
OUTSIDE = [
    (x509.DNSName("school.example"), x509.DNSName("notschool.example")),
    (x509.DNSName("school.example"), x509.DNSName("school.example.evil.test")),
    (x509.RFC822Name("school.example"), x509.RFC822Name("hoa@mail.school.example")),
    (x509.RFC822Name(".school.example"), x509.RFC822Name("hoa@school.example")),
    (x509.RFC822Name("hoa@school.example"), x509.RFC822Name("Hoa@school.example")),
    (x509.UniformResourceIdentifier("school.example"), x509.UniformResourceIdentifier("https://www.school.example/")),
    (x509.UniformResourceIdentifier(".school.example"), x509.UniformResourceIdentifier("https://school.example/")),
    (x509.UniformResourceIdentifier("school.example"), x509.UniformResourceIdentifier("https://school.example@evil.test/")),
    (x509.IPAddress(ipaddress.ip_network("192.0.2.0/24")), x509.IPAddress(ipaddress.ip_address("192.0.3.1"))),
    (x509.IPAddress(ipaddress.ip_network("192.0.2.0/24")), x509.IPAddress(ipaddress.ip_address("2001:db8::1"))),
    (x509.DirectoryName(name("Teacher")), x509.DirectoryName(name("Pupil"))),
]


@pytest.mark.parametrize(("subtree", "alternative"), INSIDE)
def test_name_inside_the_permitted_space_is_accepted(subtree: x509.GeneralName, alternative: x509.GeneralName) -> None:
    issuing = _constrained(permitted=[subtree])
    _judge(issuing, _leaf(issuing, alternative))


@pytest.mark.parametrize(("subtree", "alternative"), OUTSIDE)
def test_name_outside_the_permitted_space_is_refused(subtree: x509.GeneralName, alternative: x509.GeneralName) -> None:
    issuing = _constrained(permitted=[subtree])
    with pytest.raises(ConstraintError, match="outside those that an authority above it permits"):
        _judge(issuing, _leaf(issuing, alternative))


@pytest.mark.parametrize(("subtree", "alternative"), [pair for pair in INSIDE if pair[0] != x509.DirectoryName(x509.Name([]))])
def test_name_inside_the_excluded_space_is_refused(subtree: x509.GeneralName, alternative: x509.GeneralName) -> None:
    issuing = _constrained(excluded=[subtree])
    with pytest.raises(ConstraintError, match="that an authority above it excludes"):
        _judge(issuing, _leaf(issuing, alternative, common_name="Somebody"))


@pytest.mark.parametrize(("subtree", "alternative"), OUTSIDE)
def test_name_outside_the_excluded_space_is_accepted(subtree: x509.GeneralName, alternative: x509.GeneralName) -> None:
    issuing = _constrained(excluded=[subtree])
    _judge(issuing, _leaf(issuing, alternative, common_name="Somebody"))


def test_subject_itself_must_lie_in_the_permitted_directory_names() -> None:
    issuing = _constrained(permitted=[x509.DirectoryName(name("Teacher"))])
    _judge(issuing, issuing.issue("Teacher"))
    with pytest.raises(ConstraintError, match="bears a directory name outside"):
        _judge(issuing, issuing.issue("Principal"))


def test_email_address_in_the_subject_is_checked_too() -> None:
    issuing = _constrained(permitted=[x509.RFC822Name("school.example")])
    with pytest.raises(ConstraintError, match="bears an e-mail address outside"):
        _judge(issuing, issuing.issue(subject=name("Hoa", email_address="hoa@evil.test")))


def test_one_name_outside_among_many_inside_is_enough() -> None:
    issuing = _constrained(permitted=[x509.DNSName("school.example")])
    with pytest.raises(ConstraintError, match="a DNS name outside"):
        _judge(issuing, _leaf(issuing, x509.DNSName("a.school.example"), x509.DNSName("evil.test")))


def test_names_of_a_form_that_is_not_constrained_are_free() -> None:
    issuing = _constrained(permitted=[x509.DNSName("school.example")])
    _judge(issuing, _leaf(issuing, x509.RFC822Name("hoa@elsewhere.example")))


def test_constraints_of_two_authorities_intersect() -> None:
    top = root()
    one = top.ca("One", extensions=[(x509.NameConstraints([x509.DNSName("example")], None), True)])
    two = one.ca("Two", extensions=[(x509.NameConstraints([x509.DNSName("test")], None), True)])
    with pytest.raises(ConstraintError, match="a DNS name outside"):
        path_of(_leaf(two, x509.DNSName("school.example")), two, one, top)


def test_constraints_of_the_trust_anchor_count() -> None:
    top = root(extensions=[(x509.NameConstraints([x509.DNSName("example")], None), True)])
    with pytest.raises(ConstraintError, match="a DNS name outside"):
        path_of(_leaf(top, x509.DNSName("evil.test")), top)


def test_constrained_name_of_a_form_not_understood_is_refused() -> None:
    oid = x509.ObjectIdentifier("1.3.6.1.4.1.32473.5")
    issuing = _constrained(permitted=[x509.RegisteredID(oid)])
    _judge(issuing, _leaf(issuing, x509.DNSName("school.example")))
    with pytest.raises(ConstraintError, match=r"a name of form \[8\], a form of name that an authority above it"):
        _judge(issuing, _leaf(issuing, x509.RegisteredID(oid)))


@pytest.mark.parametrize("uri", ["urn:isbn:123", "https://192.0.2.1/", "https://[2001:db8::1]/", "mailto:hoa@school.example"])
def test_constrained_uri_without_a_host_name_is_refused(uri: str) -> None:
    issuing = _constrained(excluded=[x509.UniformResourceIdentifier("school.example")])
    with pytest.raises(ConstraintError, match="a URI without a host name"):
        _judge(issuing, _leaf(issuing, x509.UniformResourceIdentifier(uri)))


def test_constraints_that_multiply_are_given_up_in_bounded_time() -> None:
    trees: list[x509.GeneralName] = [x509.DNSName(f"tree{number}.example") for number in range(900)]
    issuing = _constrained(excluded=trees)
    leaf = _leaf(issuing, *[x509.DNSName(f"h{number}.test") for number in range(900)])
    started = time.perf_counter()
    with pytest.raises(PathLimitError, match="more than 250000 comparisons"):
        _judge(issuing, leaf)
    assert time.perf_counter() - started < 3


# --- purposes ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("purpose", "extended", "message"),
    [
        (KeyPurpose.DOCUMENT_SIGNING, [SERVER_AUTH], "not for document signing: its extKeyUsage does not name it"),
        (KeyPurpose.DOCUMENT_SIGNING, [TIME_STAMPING], "not for document signing"),
        (KeyPurpose.DOCUMENT_SIGNING, [OCSP_SIGNING], "not for document signing"),
        (KeyPurpose.TIME_STAMPING, [], "not for time stamping: it has no extKeyUsage"),
        (KeyPurpose.TIME_STAMPING, [DOCUMENT_SIGNING], "not for time stamping: its extKeyUsage does not name it"),
        (KeyPurpose.TIME_STAMPING, [TIME_STAMPING, DOCUMENT_SIGNING], "not for time stamping: its extKeyUsage names other purposes"),
        (KeyPurpose.TIME_STAMPING, [TIME_STAMPING], "not for time stamping: its extKeyUsage is not critical"),
        (KeyPurpose.OCSP_SIGNING, [], "not for OCSP signing: it has no extKeyUsage"),
        (KeyPurpose.OCSP_SIGNING, [DOCUMENT_SIGNING], "not for OCSP signing: its extKeyUsage does not name it"),
    ],
)
def test_certificate_for_another_purpose_is_refused(purpose: KeyPurpose, extended: list[x509.ObjectIdentifier], message: str) -> None:
    top = root()
    with pytest.raises(PurposeError, match=message) as caught:
        path_of(top.issue(extended=extended), top, purpose=purpose)
    assert caught.value.reason is ChainFailure.PURPOSE


@pytest.mark.parametrize("extended", [[], [DOCUMENT_SIGNING], [x509.ExtendedKeyUsageOID.EMAIL_PROTECTION, SERVER_AUTH]])
def test_certificate_for_documents_or_for_anything_may_sign_documents(extended: list[x509.ObjectIdentifier]) -> None:
    top = root()
    assert path_of(top.issue(extended=extended), top)


def test_time_stamping_alone_and_critical_may_stamp() -> None:
    top = root()
    assert path_of(top.issue(extended=[TIME_STAMPING], extended_critical=True), top, purpose=KeyPurpose.TIME_STAMPING)


def test_any_extended_key_usage_does_not_make_a_time_stamper_or_responder() -> None:
    top = root()
    leaf = top.issue(extended=[x509.ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE], extended_critical=True)
    for purpose in (KeyPurpose.TIME_STAMPING, KeyPurpose.OCSP_SIGNING):
        with pytest.raises(PurposeError):
            path_of(leaf, top, purpose=purpose)


@pytest.mark.parametrize("usage", [("key_encipherment",), ("key_cert_sign", "crl_sign")])
def test_key_usage_without_signing_is_refused(usage: tuple[str, ...]) -> None:
    top = root()
    with pytest.raises(PurposeError, match="its keyUsage does not allow it"):
        path_of(top.issue(usage=usage), top)


def test_crl_signing_asks_for_crl_sign() -> None:
    top = root()
    assert path_of(top.issue(usage=("crl_sign",)), top, purpose=KeyPurpose.CRL_SIGNING)
    with pytest.raises(PurposeError, match="not for CRL signing: its keyUsage does not allow it"):
        path_of(top.issue(usage=("content_commitment",)), top, purpose=KeyPurpose.CRL_SIGNING)


def test_authority_confined_to_servers_may_not_issue_document_signers() -> None:
    top = root()
    issuing = top.ca(extended=[SERVER_AUTH])
    with pytest.raises(PurposeError, match="CA certificate 1 above the leaf may not issue for document signing"):
        path_of(issuing.issue(), issuing, top)


# --- algorithms --------------------------------------------------------------------------------------------------------------------


def test_sha1_signature_in_the_path_is_refused_by_name() -> None:
    key = rsa.generate_private_key(65537, 2048)
    top = root(subject_key=key)
    leaf = top.issue()
    sha1 = bytes.fromhex("300d06092a864886f70d0101050500")
    signature = key.sign(leaf.parsed.tbs_der, padding.PKCS1v15(), hashes.SHA1())
    with pytest.raises(UnsupportedAlgorithmError, match="sha1WithRSAEncryption is not accepted by the algorithm policy modern"):
        verify_signature(key.public_key(), sha1, signature, leaf.parsed.tbs_der, policy=MODERN, at=AT)


def test_rsa_key_of_1024_bits_is_refused() -> None:
    top = root()
    weak = top.issue(subject_key=rsa.generate_private_key(65537, 1024))
    with pytest.raises(AlgorithmError, match="the certificate: RSA key of 1024 bits is outside 2048-8192"):
        path_of(weak, top)


def test_curve_outside_the_policy_is_refused() -> None:
    top = root()
    odd = top.issue(subject_key=ec.generate_private_key(ec.SECP256K1()))
    with pytest.raises(AlgorithmError, match="curve secp256k1 is not accepted") as caught:
        path_of(odd, top)
    assert caught.value.reason is ChainFailure.ALGORITHM


def test_key_of_a_kind_outside_the_policy_is_refused() -> None:
    top = root()
    with pytest.raises(AlgorithmError, match="key of type Ed25519PublicKey is not accepted"):
        path_of(top.issue(subject_key=ed25519.Ed25519PrivateKey.generate()), top)


@pytest.mark.parametrize("digest", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_rsa_with_each_sha2_is_accepted(digest: hashes.HashAlgorithm) -> None:
    top = root(subject_key=rsa.generate_private_key(65537, 2048), digest=digest)
    assert path_of(top.issue(digest=digest), top)


def test_algorithm_is_refused_from_its_sunset_on() -> None:
    sunset = AT + DAY
    policy = PathPolicy(AlgorithmPolicy("ending", (("ecdsa-with-SHA256", sunset),)))
    top = root()
    leaf = top.issue()
    assert path_of(leaf, top, policy=policy)
    with pytest.raises(AlgorithmError, match="ecdsa-with-SHA256 is accepted until 2026-09-06 only, not at 2026-09-06"):
        path_of(leaf, top, at=sunset, policy=policy)


def _pss_signed() -> tuple[Any, Node]:
    key = rsa.generate_private_key(65537, 2048)
    pad = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    made = (
        x509.CertificateBuilder()
        .subject_name(name("x"))
        .issuer_name(name("x"))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(AT)
        .not_valid_after(AT + DAY)
        .sign(key, hashes.SHA256(), rsa_padding=pad)
    )
    return key.public_key(), Node(made, key)


def test_rsassa_pss_with_sha2_throughout_is_accepted() -> None:
    key, node = _pss_signed()
    parsed = node.parsed
    verify_signature(key, parsed.signature_algorithm_der, parsed.signature, parsed.tbs_der, policy=MODERN, at=AT)
    with pytest.raises(SignatureError, match="rsassaPss-SHA256 signature does not verify"):
        verify_signature(key, parsed.signature_algorithm_der, parsed.signature, parsed.tbs_der + b"\x00", policy=MODERN, at=AT)


def test_rsassa_pss_with_another_digest_in_its_mask_is_refused() -> None:
    key, node = _pss_signed()
    parsed = node.parsed
    algorithm_der = parsed.signature_algorithm_der
    mask = algorithm_der.rindex(b"\x04\x02\x01")
    mixed = algorithm_der[:mask] + b"\x04\x02\x02" + algorithm_der[mask + 3 :]
    with pytest.raises(UnsupportedAlgorithmError, match="the mask generation is not MGF1 with the signature's digest"):
        verify_signature(key, mixed, parsed.signature, parsed.tbs_der, policy=MODERN, at=AT)


def test_rsassa_pss_by_default_which_is_sha1_is_refused() -> None:
    key, node = _pss_signed()
    bare = bytes.fromhex("300d06092a864886f70d01010a3000")
    with pytest.raises(UnsupportedAlgorithmError, match="RSASSA-PSS parameters"):
        verify_signature(key, bare, node.parsed.signature, node.parsed.tbs_der, policy=MODERN, at=AT)


def test_signature_algorithm_inside_and_outside_must_agree() -> None:
    top = root()
    der = top.issue().der
    outside = der.rindex(bytes.fromhex("06082a8648ce3d040302"))
    forged = der[:outside] + bytes.fromhex("06082a8648ce3d040303") + der[outside + 10 :]
    with pytest.raises(MalformedCertificateError, match="the signature algorithm inside the signed part is not the one outside it"):
        validate_path(forged, intermediates=(), anchors=[top.anchor], at=AT, purpose=KeyPurpose.ANY)
