"""`eduseal sign --key`: a teacher's own machine, a key in a file or on a token, time stamps from a server that is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pkcs11
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, load_der_public_key, pkcs12
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

from config.bootstrap import utc_now
from pki.keys.pkcs11.module import module_at
from pki.keys.softkey import SoftwareKey
from pki.status.timestamp import TimeStampAuthority
from tests.support.authority import Credential, TestAuthority
from tests.support.signing_cases import SigningHouse, foreign_pdf, make_signing_house
from tests.support.softhsm import MODULE, PIN, SoftHsm, Token
from tests.support.tsa_server import Server, honest, serving
from tests.support.verify_cases import exported

PASSPHRASE = "mật khẩu của cô giáo"


@pytest.fixture(scope="module")
def outside() -> SigningHouse:
    """Another authority than any house's: nothing here has a home."""
    return make_signing_house(utc_now().replace(microsecond=0) - timedelta(hours=1))


@pytest.fixture(scope="module")
def authority(outside: SigningHouse) -> TestAuthority:
    return outside.authority


@pytest.fixture(scope="module")
def teacher(authority: TestAuthority) -> Credential:
    return authority.issue_teacher("Nguyễn Thị Ánh")


@pytest.fixture
def tsa(authority: TestAuthority) -> Iterator[Server]:
    made = TimeStampAuthority(
        certificate_der=authority.tsa_der, chain=(authority.issuing_der,), key=authority.tsa_key,
        policy_oid="1.3.6.1.4.1.32473.1.2.1", clock=utc_now,
    )  # fmt: skip
    with serving(honest(made)) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: TestAuthority, teacher: Credential) -> Path:
    """What lies on the teacher's machine."""
    monkeypatch.chdir(tmp_path)
    Path("letter.pdf").write_bytes(foreign_pdf())
    Path("record.pdf").write_bytes(exported())
    Path("root.pem").write_bytes(pem(authority.root_der))
    Path("issuing.pem").write_bytes(pem(authority.issuing_der))
    Path("teacher.p12").write_bytes(key_file(teacher.key, teacher.certificate_der, authority.issuing_der, authority.root_der))
    private("passphrase", PASSPHRASE)
    private("pin", PIN)
    return tmp_path


def private(name: str, text: str) -> None:
    Path(name).write_text(f"{text}\n")
    Path(name).chmod(0o600)


def pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def key_file(key: SoftwareKey, certificate_der: bytes, *others: bytes) -> bytes:
    chain = [x509.load_der_x509_certificate(der) for der in others]
    own = x509.load_der_x509_certificate(certificate_der)
    return pkcs12.serialize_key_and_certificates(b"me", key.private_key, own, chain, BestAvailableEncryption(PASSPHRASE.encode()))


def signature(eduseal, file: str, house: SigningHouse | None = None, signer: bytes = b"") -> dict:
    """The verdict on the one signature; with a `house`, in the light of what it says of certificates now."""
    evidence = []
    if house is not None:
        house.authority.clock.moment = utc_now()
        _, crls, ocsps = house.evidence.gather((signer, *house.tsa.certificates))
        for number, der in enumerate((*crls, *ocsps)):
            Path(f"evidence-{number}").write_bytes(der)
            evidence += ["--evidence", f"evidence-{number}"]
    _, out, _ = eduseal("verify", file, "--trust", "root.pem", *evidence, "--policy", "ades", "--format", "jsonl", "--workers", "1")
    (found,) = json.loads(out)["signatures"]
    return found


SIGN = ("--key", "teacher.p12", "--secret-file", "passphrase")


def test_letter_is_signed_with_a_key_file(eduseal, folder):
    assert eduseal("sign", "letter.pdf", *SIGN, "--to", "out.pdf", "--reason", "Mời họp") == (0, "Written: out.pdf\n", "")
    found = signature(eduseal, "out.pdf")
    assert (found["field"], found["level"], found["signer"]["name"]) == ("Signature", "PAdES-BASELINE-B", "Nguyễn Thị Ánh")


def test_time_stamp_comes_from_the_authority_that_is_named(eduseal, folder, tsa, outside, teacher):
    assert eduseal("sign", "letter.pdf", *SIGN, "--tsa", tsa.url, "--tsa-trust", "root.pem", "--to", "out.pdf")[0] == 0
    assert signature(eduseal, "out.pdf", outside, teacher.certificate_der)["level"] == "PAdES-BASELINE-T"
    assert 1 <= len(tsa.requests) <= 2


def test_step_of_a_record_is_signed(eduseal, folder, tsa, outside, teacher):
    assert eduseal("sign", "record.pdf", *SIGN, "--step", "homeroom", "--tsa", tsa.url, "--to", "out.pdf")[0] == 0
    found = signature(eduseal, "out.pdf", outside, teacher.certificate_der)
    assert (found["field"], found["level"]) == ("Signature-Homeroom", "PAdES-BASELINE-T")


def test_rsa_key_signs_too(eduseal, folder, authority):
    key = SoftwareKey(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    issued = authority.certify("teacher", authority.issue_teacher().subject, key)
    Path("teacher.p12").write_bytes(key_file(key, issued.certificate_der))
    assert eduseal("sign", "letter.pdf", *SIGN, "--chain", "issuing.pem", "--to", "out.pdf")[0] == 0
    assert signature(eduseal, "out.pdf")["signer"]["name"] == "Trần Thị Hoa"


def test_wrong_passphrase_writes_nothing(eduseal, folder):
    private("passphrase", "another")
    status, out, err = eduseal("sign", "letter.pdf", *SIGN, "--to", "out.pdf")
    assert (status, out, err) == (65, "", "eduseal: key file: the passphrase does not open it, or it is no PKCS#12 file\n")
    assert not Path("out.pdf").exists()


def test_passphrase_file_that_others_may_read_is_refused(eduseal, folder):
    Path("passphrase").chmod(0o644)
    assert "is open to others" in eduseal("sign", "letter.pdf", *SIGN, "--to", "out.pdf")[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("letter.pdf", "--to", "o.pdf"), "name whose key signs: --seal SCHOOL, or --key FILE.p12 for your own; one of the two"),
        (("letter.pdf", "--to", "o.pdf", "--seal", "SM", *SIGN), "name whose key signs: --seal SCHOOL, or --key FILE.p12"),
        (("record.pdf", "--to", "o.pdf", *SIGN), "name what is signed with --step (one of homeroom, principal, seal)"),
        (("record.pdf", "--to", "o.pdf", *SIGN, "--step", "principal"), "step principal is out of order: step homeroom is not signed yet"),
        (("letter.pdf", "--to", "o.pdf", *SIGN, "--step", "homeroom"), "the document is no record"),
        (("letter.pdf", "--to", "letter.pdf", *SIGN), "letter.pdf stands already and was not touched"),
        (("letter.pdf", "--to", "o.pdf", *SIGN, "--tsa", "tsa.example"), "address of a remote authority: expected http://HOST/PATH"),
        (("letter.pdf", "--to", "o.pdf", "--key", "pkcs11:"), "names no token"),
        (("letter.pdf", "--to", "o.pdf", "--key", "none.p12"), "none.p12 cannot be read"),
    ],
)
def test_what_cannot_be_signed_is_one_line(eduseal, folder, arguments, said):
    status, out, err = eduseal("sign", *arguments)
    assert status >= 64
    assert out == ""
    assert said in err
    assert err.count("\n") == 1
    assert not Path("o.pdf").exists()


def test_second_signature_in_a_new_field_is_refused(eduseal, folder):
    eduseal("sign", "letter.pdf", *SIGN, "--to", "out.pdf")
    status, _, err = eduseal("sign", "out.pdf", *SIGN, "--field", "Other", "--to", "twice.pdf")
    assert (status, err) == (65, "eduseal: the document is signed already and has no field 'Other'; a new one would be a change\n")


@pytest.fixture
def token(softhsm: SoftHsm) -> Token:
    return softhsm.token()


def session_of(token: Token) -> pkcs11.Session:
    library = pkcs11.lib(str(MODULE))
    module_at(MODULE).restart()
    return library.get_token(token_label=token.label).open(rw=True, user_pin=PIN)


def on_token(token: Token, authority: TestAuthority, label: str, *, rsa_bits: int = 0, with_certificate: bool = True) -> bytes:
    """Makes a key on the token, certifies it and, unless told not to, lays the certificate beside it; the certificate."""
    with session_of(token) as session:
        if rsa_bits:
            public, _ = session.generate_keypair(KeyType.RSA, rsa_bits, store=True, label=label, id=label.encode())
            modulus, exponent = (int.from_bytes(public[name], "big") for name in (Attribute.MODULUS, Attribute.PUBLIC_EXPONENT))
            key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
        else:
            curve = session.create_domain_parameters(
                KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}, local=True
            )
            public, _ = curve.generate_keypair(store=True, label=label, id=label.encode(), mechanism=Mechanism.EC_KEY_PAIR_GEN)
            key = load_der_public_key(encode_ec_public_key(public))

        class Public:
            def public_key(self):
                return key

        certificate = authority.certify("teacher", authority.issue_teacher("Trần Thị Thẻ").subject, Public()).certificate_der
        if with_certificate:
            parsed = x509.load_der_x509_certificate(certificate)
            session.create_object(
                {
                    Attribute.CLASS: ObjectClass.CERTIFICATE,
                    Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                    Attribute.TOKEN: True,
                    Attribute.LABEL: label,
                    Attribute.ID: label.encode(),
                    Attribute.SUBJECT: parsed.subject.public_bytes(),
                    Attribute.VALUE: certificate,
                }
            )
    module_at(MODULE).restart()
    return certificate


@pytest.mark.parametrize("rsa_bits", [0, 2048])
def test_token_signs(eduseal, folder, softhsm, token, authority, outside, tsa, rsa_bits):
    certificate = on_token(token, authority, "ca nhan", rsa_bits=rsa_bits)
    arguments = ("--key", token.uri(), "--secret-file", "pin", "--chain", "issuing.pem", "--tsa", tsa.url)
    assert eduseal("sign", "record.pdf", *arguments, "--step", "homeroom", "--to", "out.pdf") == (0, "Written: out.pdf\n", "")
    found = signature(eduseal, "out.pdf", outside, certificate)
    assert (found["signer"]["name"], found["level"]) == ("Trần Thị Thẻ", "PAdES-BASELINE-T")


def test_certificate_beside_no_token_is_named(eduseal, folder, softhsm, token, authority):
    Path("mine.pem").write_bytes(pem(on_token(token, authority, "mine", with_certificate=False)))
    arguments = ("sign", "letter.pdf", "--key", token.uri(), "--secret-file", "pin", "--to", "out.pdf")
    assert "holds no certificate for the key; name a file that does with --certificate" in eduseal(*arguments)[2]
    assert eduseal(*arguments, "--certificate", "mine.pem", "--chain", "issuing.pem")[0] == 0


def test_certificate_of_another_key_signs_nothing(eduseal, folder, softhsm, token, authority, teacher):
    on_token(token, authority, "mine", with_certificate=False)
    Path("other.pem").write_bytes(pem(teacher.certificate_der))
    status, _, err = eduseal(
        "sign", "letter.pdf", "--key", token.uri(), "--secret-file", "pin", "--certificate", "other.pem", "--to", "o.pdf"
    )
    assert (status, Path("o.pdf").exists()) == (65, False)
    assert "the signature does not verify" in err


def test_one_of_two_keys_is_chosen_by_its_label(eduseal, folder, softhsm, token, authority):
    for label in ("first", "second"):
        on_token(token, authority, label)
    arguments = ("--secret-file", "pin", "--chain", "issuing.pem", "--to", "out.pdf")
    status, _, err = eduseal("sign", "letter.pdf", "--key", token.uri(), *arguments)
    assert (status, "holds 2 private keys (choose one with object=LABEL), expected one" in err) == (65, True)
    assert eduseal("sign", "letter.pdf", "--key", token.uri("second"), *arguments)[0] == 0


def test_wrong_pin_is_told(eduseal, folder, softhsm, token, authority):
    on_token(token, authority, "mine")
    private("pin", "không phải PIN này")
    status, _, err = eduseal("sign", "letter.pdf", "--key", token.uri(), "--secret-file", "pin", "--to", "out.pdf")
    assert (status, "PIN" in err, Path("out.pdf").exists()) == (65, True, False)
