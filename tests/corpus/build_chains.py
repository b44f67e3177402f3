"""Attack classes 30 to 32: signers whose certificate was not valid, was revoked, or was never theirs to sign with. The CMS is sound."""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from pki.structures.der import signed_structure
from tests.corpus.case import GoodFiles, case
from tests.corpus.stranger import EVIDENCE, STAMPED, signed, stranger
from tests.support.chain_cases import AT, DAY, HOUR, SERVER_AUTH, Node, answer, crl, name, revoking, root, unknown

TIME = "EN 319 102-1 5.2.6, 5.5.4; RFC 5280 4.1.2.5"
AUTHORITY = "RFC 5280 6.1.4"
PURPOSE = "RFC 5280 4.2.1.3, 4.2.1.12; RFC 9336"
CONSTRAINT = "INDETERMINATE/CHAIN_CONSTRAINTS_FAILURE "
SHA256_RSA, SHA1_RSA = bytes.fromhex("06092a864886f70d01010b"), bytes.fromhex("06092a864886f70d010105")
NO_POE = "INDETERMINATE/OUT_OF_BOUNDS_NO_POE "


# --- 30: time and revocation of the signer


@case("30-expired", 30, clause=TIME, reason="expired before the time stamp", verdict=NO_POE + "CERTIFICATE_EXPIRED")
def expired(good: GoodFiles) -> bytes:
    return signed(stranger().ca.issue("Expired", end=STAMPED - DAY))


@case("30-expired-unstamped", 30, clause=TIME, reason="expired since, and no time stamp", verdict=NO_POE + "CERTIFICATE_EXPIRED")
def expired_unstamped(good: GoodFiles) -> bytes:
    return signed(stranger().ca.issue("Expired", end=EVIDENCE), stamper=False)


@case("30-expired-since", 30, clause=TIME, reason="honest: expired only after the time stamp", verdict="TOTAL-PASSED")
def expired_since(good: GoodFiles) -> bytes:
    return signed(stranger().ca.issue("Expired since", end=EVIDENCE + HOUR))


@case(
    "30-not-yet-valid",
    30,
    clause=TIME,
    reason="signed before the certificate was valid",
    verdict="TOTAL-FAILED/NOT_YET_VALID CERTIFICATE_NOT_YET_VALID",
)
def not_yet_valid(good: GoodFiles) -> bytes:
    return signed(stranger().ca.issue("Early", start=STAMPED + HOUR))


@case("30-valid-tomorrow", 30, clause=TIME, reason="not valid yet, and no time stamp", verdict=NO_POE + "CERTIFICATE_NOT_YET_VALID")
def valid_tomorrow(good: GoodFiles) -> bytes:
    return signed(stranger().ca.issue("Early", start=AT + DAY), stamper=False)


@case("30-revoked-before", 30, clause=TIME, reason="revoked before the time stamp", verdict="TOTAL-FAILED/REVOKED CERTIFICATE_REVOKED")
def revoked_before(good: GoodFiles) -> bytes:
    return _revoked(at=AT - DAY)


@case("30-revoked-after", 30, clause=TIME, reason="honest: revoked only after the time stamp", verdict="TOTAL-PASSED REVOKED_LATER")
def revoked_after(good: GoodFiles) -> bytes:
    return _revoked(at=STAMPED + timedelta(minutes=30))


@case(
    "30-revoked-after-unstamped",
    30,
    clause=TIME,
    reason="revoked, and nothing proves a signature from before",
    verdict="INDETERMINATE/REVOKED_NO_POE CERTIFICATE_REVOKED",
)
def revoked_after_unstamped(good: GoodFiles) -> bytes:
    return _revoked(at=STAMPED + timedelta(minutes=30), stamper=False)


@case(
    "30-key-stolen-before",
    30,
    clause="RFC 5280 5.3.2: what is signed since is suspect",
    reason="revoked after the time stamp, for a key that was stolen before it",
    verdict="TOTAL-FAILED/REVOKED CERTIFICATE_REVOKED",
)
def key_stolen_before(good: GoodFiles) -> bytes:
    return _revoked(at=STAMPED + HOUR, reason=x509.ReasonFlags.key_compromise, invalid_since=AT - DAY)


@case(
    "30-authority-revoked",
    30,
    clause="EN 319 102-1 5.2.6",
    reason="the signer's authority was revoked",
    verdict="INDETERMINATE/REVOKED_CA_NO_POE CA_REVOKED",
)
def authority_revoked(good: GoodFiles) -> bytes:
    house = stranger()
    other = house.root.ca("Revoked CA")
    signer = other.issue("Signer")
    listed = crl(house.root, [revoking(other, AT - DAY)], this_update=EVIDENCE)
    return signed(signer, other, crls=(listed, house.ca_crl, crl(other, this_update=EVIDENCE)))


def _revoked(*, at: object, stamper: bool = True, **kwargs: object) -> bytes:
    house = stranger()
    signer = house.ca.issue("Revoked")
    listed = crl(house.ca, [revoking(signer, at, **kwargs)], this_update=EVIDENCE)  # type: ignore[arg-type]  # as revoking takes them
    return signed(signer, stamper=stamper, crls=(house.root_crl, listed))


# --- 31: who may issue


@case("31-no-authority", 31, clause=AUTHORITY, reason="issued by a certificate with CA:false", verdict=CONSTRAINT + "CHAIN_CONSTRAINT")
def no_authority(good: GoodFiles) -> bytes:
    basic = x509.BasicConstraints(ca=False, path_length=None)
    return _under(stranger().root.issue("No CA", usage=("key_cert_sign",), basic=basic))


@case(
    "31-no-basic-constraints", 31, clause=AUTHORITY, reason="nothing says that the issuer is a CA", verdict=CONSTRAINT + "CHAIN_CONSTRAINT"
)
def no_basic_constraints(good: GoodFiles) -> bytes:
    return _under(stranger().root.issue("No CA", usage=("key_cert_sign",)))


@case("31-no-key-cert-sign", 31, clause=AUTHORITY, reason="the CA may not sign certificates", verdict=CONSTRAINT + "CHAIN_CONSTRAINT")
def no_key_cert_sign(good: GoodFiles) -> bytes:
    return _under(stranger().root.ca("CRL CA", usage=("crl_sign",)))


@case("31-path-length", 31, clause=AUTHORITY, reason="a CA below one that may have none", verdict=CONSTRAINT + "CHAIN_CONSTRAINT")
def path_length(good: GoodFiles) -> bytes:
    upper = stranger().root.ca("Last CA", path_length=0)
    return _under(upper.ca("CA too many"), upper)


@case(
    "31-name-constraints", 31, clause="RFC 5280 4.2.1.10", reason="a name that the CA may not give", verdict=CONSTRAINT + "CHAIN_CONSTRAINT"
)
def name_constraints(good: GoodFiles) -> bytes:
    permitted = x509.NameConstraints([x509.DirectoryName(name("School"))], None)
    return _under(stranger().root.ca("Bound CA", extensions=[(permitted, True)]))


@case(
    "31-unknown-critical",
    31,
    clause="RFC 5280 4.2",
    reason="a critical extension that nobody knows, in the signer's certificate",
    verdict=CONSTRAINT + "CHAIN_CONSTRAINT",
)
def unknown_critical(good: GoodFiles) -> bytes:
    return signed(stranger().ca.issue("Signer", extensions=[(unknown(), True)]))


@case(
    "31-unknown-critical-above",
    31,
    clause="RFC 5280 4.2",
    reason="a critical extension that nobody knows, in the authority's certificate",
    verdict=CONSTRAINT + "CHAIN_CONSTRAINT",
)
def unknown_critical_above(good: GoodFiles) -> bytes:
    return _under(stranger().root.ca("Odd CA", extensions=[(unknown(), True)]))


@case(
    "31-signer-as-issuer",
    31,
    clause=AUTHORITY,
    reason="issued by somebody who may only sign documents",
    verdict=CONSTRAINT + "CHAIN_CONSTRAINT",
)
def signer_as_issuer(good: GoodFiles) -> bytes:
    teacher = stranger().signer
    return signed(teacher.issue("Pupil"), teacher, stranger().ca)


@case(
    "31-rogue-same-name",
    31,
    clause="RFC 5280 6.1.3: the signature, not the name",
    reason="a whole authority of the names of the trusted one",
    verdict="INDETERMINATE/NO_CERTIFICATE_CHAIN_FOUND CHAIN_SIGNATURE",
)
def rogue_same_name(good: GoodFiles) -> bytes:
    top = root("Corpus Root")
    ca = top.ca("Corpus CA")
    rogue = stranger().stamper()
    return signed(ca.issue("Honest Signer"), ca, top, stamper=rogue, crls=_lists(top, ca))


@case(
    "31-unknown-authority",
    31,
    clause="EN 319 102-1 5.2.6: trust comes from the verifier",
    reason="an authority that nobody named, its root in the file",
    verdict="INDETERMINATE/NO_CERTIFICATE_CHAIN_FOUND CHAIN_NOT_FOUND",
)
def unknown_authority(good: GoodFiles) -> bytes:
    top = root("Unknown Root")
    ca = top.ca("Unknown CA")
    return signed(ca.issue("Signer"), ca, top, crls=_lists(top, ca))


@case(
    "31-weak-chain",
    31,
    clause="ETSI TS 119 312",
    reason="the authority's certificate is signed with SHA-1",
    verdict="INDETERMINATE/CRYPTO_CONSTRAINTS_FAILURE CHAIN_ALGORITHM",
)
def weak_chain(good: GoodFiles) -> bytes:
    upper = stranger().root.ca("RSA CA", subject_key=rsa.generate_private_key(65537, 2048))
    sound = upper.ca("Old CA", digest=hashes.SHA256())
    tbs = sound.certificate.tbs_certificate_bytes.replace(SHA256_RSA, SHA1_RSA)
    value = upper.key.sign(tbs, padding.PKCS1v15(), hashes.SHA1())  # `cryptography` makes no such certificate itself
    weak = signed_structure(tbs, bytes.fromhex("300d") + SHA1_RSA + b"\x05\x00", value)
    return _under(Node(x509.load_der_x509_certificate(weak), sound.key, upper), upper)


@case("31-intermediate", 31, clause=AUTHORITY, reason="honest: one authority more than usual", verdict="TOTAL-PASSED")
def intermediate(good: GoodFiles) -> bytes:
    upper = stranger().root.ca("Upper CA", path_length=1)
    return _under(upper.ca("Lower CA", path_length=0), upper)


def _under(*above: Node) -> bytes:
    """A signer of the first of `above`."""
    return signed(above[0].issue("Signer"), *above, crls=_lists(*above))


def _lists(*authorities: Node) -> list[bytes]:
    """By which nobody was revoked: those of the stranger's authorities, which the time stamp needs, and of `authorities`."""
    return [crl(node, this_update=EVIDENCE) for node in (stranger().root, stranger().ca, *authorities)]


# --- 32: what the certificate is for


@case("32-server-auth-only", 32, clause=PURPOSE, reason="for web servers only", verdict=CONSTRAINT + "CHAIN_PURPOSE")
def server_auth_only(good: GoodFiles) -> bytes:
    return signed(stranger().ca.issue("www.school.example", extended=(SERVER_AUTH,)))


@case("32-key-encipherment-only", 32, clause=PURPOSE, reason="a key that may only encrypt", verdict=CONSTRAINT + "CHAIN_PURPOSE")
def key_encipherment_only(good: GoodFiles) -> bytes:
    return signed(stranger().ca.issue("Mailbox", usage=("key_encipherment",)))


@case("32-authority-signs", 32, clause=PURPOSE, reason="the authority's own key", verdict=CONSTRAINT + "CHAIN_PURPOSE")
def authority_signs(good: GoodFiles) -> bytes:
    return signed(stranger().ca, stranger().ca)


@case("32-tsa-signs", 32, clause="RFC 3161 2.3", reason="a time-stamping authority's key", verdict=CONSTRAINT + "CHAIN_PURPOSE")
def tsa_signs(good: GoodFiles) -> bytes:
    return signed(stranger().tsa)


@case("32-responder-signs", 32, clause="RFC 6960 4.2.2.2", reason="an OCSP responder's key", verdict=CONSTRAINT + "CHAIN_PURPOSE")
def responder_signs(good: GoodFiles) -> bytes:
    return signed(stranger().responder)


@case(
    "32-house-tsa-signs-record",
    32,
    clause="RFC 3161 2.3",
    reason="the house's own TSA signs a record",
    verdict=CONSTRAINT + "CHAIN_PURPOSE",
)
def house_tsa_signs_record(good: GoodFiles) -> bytes:
    from tests.corpus.good import record_house

    house = record_house()
    authority = house.house.authority
    changes = {"certificate_der": authority.tsa_der, "key": authority.tsa_key}
    return house.archive(house.sign(good.unsigned, "homeroom", **changes))


@case("32-digital-signature", 32, clause=PURPOSE, reason="honest: as many certificates of others are", verdict="TOTAL-PASSED")
def digital_signature(good: GoodFiles) -> bytes:
    return signed(stranger().ca.issue("Signer", usage=("digital_signature",)))


@case("32-ocsp-and-chain", 32, clause="RFC 6960", reason="honest: status by OCSP in place of the CRL", verdict="TOTAL-PASSED")
def ocsp_and_chain(good: GoodFiles) -> bytes:
    house = stranger()
    about_tsa = answer(house.tsa, house.ca, signer=house.responder, this_update=EVIDENCE)
    return signed(crls=(house.root_crl,), ocsps=(house.answer, about_tsa))
