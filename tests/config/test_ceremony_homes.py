"""A house without its root's key: set up, signing, verified, rolled over; and every hand-over that must be refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from config.bootstrap import create_house, open_house
from config.ceremony import CeremonyDoneError, SplitInTokenError, begin, hold_ceremony, new_lists, order_of, root_home
from config.ceremony_books import take_list
from config.ceremony_files import read_carried
from config.ceremony_install import RootNotConfirmedError, install, request
from config.errors import HouseExistsError, NoHouseError, SettingsError
from config.house import House
from config.house_file import HousePlan
from config.settings import Settings
from pki.authority.establish import NotEstablishedError, Organization
from pki.authority.offline import ImportedCrlError, OfflineAuthority, OfflineAuthorityError
from pki.ceremony.check import CeremonyMismatchError
from pki.ceremony.hold import CeremonyError, Outcome
from pki.ceremony.plan import parse_plan
from pki.ceremony.review import review
from pki.ceremony.split import ShareError, TooFewSharesError
from pki.errors import KeyStoreError, WrongSecretError
from pki.identity.subject import legal_person
from pki.issuing.issue import CertificateRequest
from pki.keys.pin import Pin
from pki.keys.softkey import SoftwareKey
from pki.registration.approval import AlreadyDecidedError, NotApprovedError, OwnApprovalError, RepeatedApprovalError, RequestExpiredError
from pki.status.evidence import NoRevocationDataError
from signing.applying.archive import archive
from signing.applying.sign import SignatureRequest, sign
from signing.trust.store import NamedAnchor, Supplied, TrustStore
from signing.verdict import Indication
from signing.verifying.engines import Engine, judge
from tests.support.ceremonies import Vault, shipped_plan
from tests.support.ceremony_homes import PASSPHRASE, PINS, Homes
from tests.support.signing_cases import foreign_pdf
from tests.support.softhsm import PIN, SoftHsm, softhsm
from tests.support.verify_cases import ADES

__all__ = ["softhsm"]
ROOT, ISSUING, ROLLOVER = (shipped_plan(name) for name in ("root", "issuing", "rollover"))


def fingerprint(homes: Homes, name: str = "root") -> str:
    der = x509.load_pem_x509_certificate((homes.usb / f"{name}.pem").read_bytes()).public_bytes(Encoding.DER)
    return hashlib.sha256(der).hexdigest()


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Homes:
    """The vault stands, with two officers; nothing is certified."""
    homes = Homes(tmp_path_factory.mktemp("begun") / "all")
    homes.begin(ROOT)
    return homes


@pytest.fixture(scope="module")
def carried(begun: Homes, tmp_path_factory: pytest.TempPathFactory) -> Homes:
    """Root made, issuing authority signed; the house has not taken it in yet."""
    homes = begun.copy(tmp_path_factory.mktemp("carried") / "all")
    homes.hold(ROOT)
    homes.request(ISSUING)
    homes.hold(ISSUING)
    return homes


@pytest.fixture(scope="module")
def serving(carried: Homes, tmp_path_factory: pytest.TempPathFactory) -> Homes:
    homes = carried.copy(tmp_path_factory.mktemp("serving") / "all")
    homes.install(ISSUING, fingerprint(homes))
    return homes


@pytest.fixture(scope="module")
def rolled(serving: Homes, tmp_path_factory: pytest.TempPathFactory) -> tuple[Homes, bytes]:
    """Four months later the second generation serves; and a document that was sealed before, with what revoked it since."""
    homes = serving.copy(tmp_path_factory.mktemp("rolled") / "all")
    with homes.open_house() as house:
        document = sealed(house, *seal(house, "before"))
    homes.advance(days=120)
    homes.request(ROLLOVER)
    homes.hold(ROLLOVER)
    homes.install(ROLLOVER)
    return homes, document


Copier = Callable[[Homes], Homes]


@pytest.fixture
def copied(tmp_path: Path) -> Copier:
    """A copy that a test may change."""
    return lambda homes: homes.copy(tmp_path / "all")


def seal(house: House, name: str) -> tuple[bytes, SoftwareKey]:
    subject, key = legal_person(country="VN", name="Trường THCS Nguyễn Du", identifier="NTRVN-0100109106"), SoftwareKey.generate()
    request = CertificateRequest("school-seal", subject, key.public_key(), f"seal/{name}")
    return house.authority.issuing.certify(request).certificate_der, key


def sealed(house: House, der: bytes, key: SoftwareKey) -> bytes:
    """A document, sealed and archived (B-LTA)."""
    request = SignatureRequest("Seal", der, house.authority.chain_of(der), key, house.clock(), create=True)
    signed = sign(foreign_pdf(), request, time_stamper=house.tsa)
    return bytes(archive(signed, time_stamper=house.tsa, validation=house.evidence))


def verdict_of(document: bytes, root: bytes, homes: Homes, supplied: Supplied | None = None) -> Indication:
    trust = TrustStore((NamedAnchor(root, "root.pem"),))
    return judge(
        document, ADES, trust=trust, at=homes.clock() + timedelta(seconds=30), engine=Engine.REFERENCE, supplied=supplied
    ).indication


# shares


def test_any_two_shares_open_the_vault(begun: Homes) -> None:
    for pair in ((1, 2), (2, 3), (3, 1)):
        with begun.open_vault(*pair) as root:
            assert root.keys.labels() == ()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_no_single_share_opens_it(begun: Homes, number: int) -> None:
    with pytest.raises(TooFewSharesError, match="got 1, needed 2"), begun.open_vault(number):
        pass


def test_shares_of_another_vault_do_not_open_it(begun: Homes, tmp_path: Path) -> None:
    other = Homes(tmp_path / "other")
    begin(other.vault, ROOT, shares=other.folder / "shares", passphrase=None, clock=other.clock)
    with (
        pytest.raises(WrongSecretError, match="does not open the key store"),
        root_home(begun.vault, passphrase=other.shares(1, 2), clock=begun.clock),
    ):
        pass


def test_no_word_of_a_share_lies_in_the_vault(begun: Homes) -> None:
    lines = (begun.folder / "shares" / "share-1-of-3.txt").read_text().splitlines()
    words = [line.split()[1] for line in lines if line[:2].strip().isdigit()]
    assert len(words) == 33
    for path in begun.vault.home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert " ".join(words[4:8]).encode() not in content
            assert begun.shares(1, 2).encode() not in content


def test_beginning_again_changes_nothing(begun: Homes) -> None:
    with pytest.raises(HouseExistsError, match="is a home already; a root gets one of its own"):
        begin(begun.vault, ROOT, shares=begun.folder / "shares", passphrase=None, clock=begun.clock)


def test_shares_are_never_overwritten(begun: Homes, tmp_path: Path) -> None:
    other = Settings.from_environment({}, home=tmp_path / "vault")
    with pytest.raises(ShareError, match="shares are written once"):
        begin(other, ROOT, shares=begun.folder / "shares", passphrase=None, clock=begun.clock)
    assert not (tmp_path / "vault" / "house.toml").exists()


def test_split_without_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="name a folder for the shares"):
        begin(Settings.from_environment({}, home=tmp_path), ROOT, shares=None, passphrase=None, clock=Homes(tmp_path).clock)


def test_a_vault_serves_nothing_and_init_does_not_finish_it(begun: Homes, copied: Copier) -> None:
    with pytest.raises(NoHouseError, match="is a root's home, or waits for"):
        open_house(begun.vault, clock=begun.clock, passphrase=begun.shares(1, 2))
    homes = copied(begun)
    plan = HousePlan(Organization(ROOT.country, ROOT.organization, ROOT.identifier), ROOT.base_url, ROOT.crl_shards)
    with pytest.raises(HouseExistsError, match="belongs to a ceremony"):
        create_house(homes.vault, plan, clock=homes.clock, passphrase=PASSPHRASE)


# a second person


def test_an_approval_by_the_requester_by_one_twice_or_after_expiry_is_refused(begun: Homes, copied: Copier) -> None:
    homes = copied(begun)
    with homes.open_vault() as root:
        hold = partial(hold_ceremony, root, ROOT, requests={}, deliver=homes.deliver, lint_rate=0)
        asked = root.registration.open(order_of(ROOT, {}), by="an", secret=PINS["an"])
        with pytest.raises(OwnApprovalError, match="an asked for it"):
            root.registration.approve(asked.id, by="an", secret=PINS["an"])
        with pytest.raises(NotApprovedError, match="has 0 of 1 approvals"):
            hold(approval=asked.id)
        root.registration.approve(asked.id, by="chi", secret=PINS["chi"])
        with pytest.raises((RepeatedApprovalError, AlreadyDecidedError)):
            root.registration.approve(asked.id, by="chi", secret=PINS["chi"])
        homes.advance(hours=73)
        with pytest.raises(RequestExpiredError, match="its time ended"):
            hold(approval=asked.id)
        assert root.keys.labels() == ()


def test_wrong_pin_approves_nothing(begun: Homes, copied: Copier) -> None:
    homes = copied(begun)
    with homes.open_vault() as root:
        asked = root.registration.open(order_of(ROOT, {}), by="an", secret=PINS["an"])
        with pytest.raises(WrongSecretError, match="is not that of officer chi"):
            root.registration.approve(asked.id, by="chi", secret=PINS["an"])


class FullStickError(Exception):
    """No room on what is carried."""


def test_ceremony_whose_results_could_not_be_written_is_repeated_under_the_same_approval(begun: Homes, copied: Copier) -> None:
    homes = copied(begun)

    def full(_: Outcome) -> None:
        raise FullStickError

    with homes.open_vault() as root:
        approval = homes.approve(root, ROOT)
        with pytest.raises(FullStickError):
            hold_ceremony(root, ROOT, requests={}, approval=approval, deliver=full, lint_rate=0)
        made = [entry.certificate_der for entry in root.certificates.of_holder("authority/root")]
        homes.hold_in(root, ROOT, approval=approval)
        assert [entry.certificate_der for entry in root.certificates.of_holder("authority/root")] == made
    assert x509.load_pem_x509_certificate((homes.usb / "root.pem").read_bytes()).public_bytes(Encoding.DER) in made


def test_ceremony_is_held_once(carried: Homes) -> None:
    with carried.open_vault() as root, pytest.raises(CeremonyDoneError, match="this ceremony is done"):
        hold_ceremony(root, ROOT, requests={}, approval="any", deliver=carried.deliver)


def test_transcripts_stand_in_the_vault_and_are_verified(carried: Homes) -> None:
    found = {review(path.read_bytes()).step for path in (carried.vault.home / "ceremonies").glob("*.jsonl")}
    assert found == {"begin", "hold"}


# hand-over


def test_root_that_nobody_vouched_for_is_refused(carried: Homes, copied: Copier) -> None:
    homes = copied(carried)
    with pytest.raises(RootNotConfirmedError, match="give its fingerprint"):
        homes.install(ISSUING)
    with pytest.raises(RootNotConfirmedError, match="the fingerprint given is another's"):
        homes.install(ISSUING, "00" * 32)
    with pytest.raises(NoHouseError), homes.open_house():
        pass


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("root.pem", r"bring root\.pem"),
        ("root.crl", r"bring root\.crl"),
        ("issuing.pem", r"bring issuing\.pem"),
    ],
)
def test_missing_part_is_named_and_nothing_is_entered(carried: Homes, copied: Copier, missing: str, message: str) -> None:
    homes = copied(carried)
    print_of = fingerprint(homes)
    (homes.usb / missing).unlink()
    with pytest.raises(CeremonyError, match=message):
        homes.install(ISSUING, print_of)
    assert not homes.house.root_pem.exists()


def test_swapped_stick_is_refused(carried: Homes, copied: Copier, tmp_path: Path) -> None:
    """Another root with the same names, and an issuing certificate for another key."""
    homes, other = copied(carried), Homes(tmp_path / "other")
    other.begin(ROOT)
    other.hold(ROOT)
    other.request(ISSUING)
    other.hold(ISSUING)
    mine = fingerprint(homes)
    (homes.usb / "issuing.pem").write_bytes((other.usb / "issuing.pem").read_bytes())
    with pytest.raises(CeremonyMismatchError, match="certificate issuing: authority key identifier"):
        homes.install(ISSUING, mine)
    (homes.usb / "root.crl").write_bytes((other.usb / "root.crl").read_bytes())
    (homes.usb / "root.pem").write_bytes((other.usb / "root.pem").read_bytes())
    with pytest.raises(CeremonyError, match="it is for another key than issuing of this home"):
        homes.install(ISSUING, mine)


def test_house_serves_without_the_roots_key(serving: Homes, copied: Copier) -> None:
    homes = copied(serving)
    with homes.open_house() as house:
        assert isinstance(house.authority.root, OfflineAuthority)
        assert set(house.keys.labels()) == {"issuing", "tsa", "ocsp"}
        document = sealed(house, *seal(house, "one"))
        assert verdict_of(document, house.authority.root_der, homes) is Indication.TOTAL_PASSED
        with pytest.raises(OfflineAuthorityError, match="the key of root is not in this home"):
            house.authority.root.revoke(1)


def test_installing_again_changes_nothing(serving: Homes, copied: Copier) -> None:
    homes = copied(serving)
    with homes.open_house() as house:
        before = list(house.stores.certificates.entries("issuing"))
    homes.install(ISSUING)
    with homes.open_house() as house:
        assert list(house.stores.certificates.entries("issuing")) == before


def test_lost_root_key_of_a_house_of_one_home_is_still_told(tmp_path: Path) -> None:
    """Without an imported list a missing key is a loss, not an offline root."""
    settings = Settings.from_environment({}, home=tmp_path / "home")
    plan = HousePlan(Organization("VN", "Sở Giáo dục", "NTRVN-0100000001"), "http://pki.example.org", 2)
    clock = Homes(tmp_path).clock
    create_house(settings, plan, clock=clock, passphrase=PASSPHRASE, lint_rate=0).close()
    (settings.keys / "root.key").unlink()
    with pytest.raises(NotEstablishedError, match="a certificate stands without its key"):
        open_house(settings, clock=clock, passphrase=PASSPHRASE)


# lists of the offline root


def test_root_list_that_ran_out_stops_archiving_by_name(serving: Homes, copied: Copier) -> None:
    homes = copied(serving)
    homes.advance(days=191)
    with homes.open_house() as house, pytest.raises(NoRevocationDataError, match="CRL of root: out of date"):
        sealed(house, *seal(house, "late"))


def test_newer_list_is_taken_in_without_a_key_and_shows_in_an_open_house(serving: Homes, copied: Copier) -> None:
    homes = copied(serving)
    with homes.open_house() as house:
        homes.advance(days=200)
        with homes.open_vault() as root:
            lists = new_lists(root, validity=timedelta(days=190))
        take_list(homes.house, "root", lists["root"], clock=homes.clock)
        with pytest.raises(ImportedCrlError, match=r"older|not now"):
            take_list(homes.house, "root", (homes.usb / "root.crl").read_bytes(), clock=homes.clock)
        signer = next(each for each in house.crl_signers if each.issuer == "root")
        assert signer.crl(0) == lists["root"]
        published = house.stores.publications.load("root", 0)
        assert published is not None
        assert published.der == lists["root"]


def test_revoked_issuing_authority_shows_in_the_new_list(serving: Homes, copied: Copier) -> None:
    homes = copied(serving)
    with homes.open_house() as house:
        serial = x509.load_der_x509_certificate(house.authority.issuing_der).serial_number
        with homes.open_vault() as root:
            homes.advance(days=1)
            lists = new_lists(root, validity=timedelta(days=190), revoke=("root", serial, "cACompromise"))
        take_list(homes.house, "root", lists["root"], clock=homes.clock)
        with pytest.raises(NoRevocationDataError, match=f"CA certificate {serial:x} is revoked"):
            house.evidence.gather((house.authority.issuing_der,))


def test_list_of_an_authority_of_this_home_is_not_taken_in(serving: Homes) -> None:
    with pytest.raises(SettingsError, match="is not an authority whose key is elsewhere"):
        take_list(serving.house, "issuing", (serving.usb / "root.crl").read_bytes(), clock=serving.clock)


# rollover


def test_new_certificates_come_from_the_new_generation(rolled: tuple[Homes, bytes], copied: Copier) -> None:
    homes = copied(rolled[0])
    with homes.open_house() as house:
        assert [each.name for each in house.authority.issuers] == ["issuing-2", "issuing"]
        assert [each.name for each in house.authority.roots] == ["root-2", "root"]
        der, _ = seal(house, "after")
        issuer = house.authority.issuer_of(der)
        assert issuer is not None
        assert issuer.name == "issuing-2"


@pytest.mark.parametrize("anchor", ["root", "root-2"])
def test_document_of_the_new_generation_passes_under_either_root(rolled: tuple[Homes, bytes], copied: Copier, anchor: str) -> None:
    homes = copied(rolled[0])
    with homes.open_house() as house:
        document = sealed(house, *seal(house, "after"))
        assert verdict_of(document, house.authority.named(anchor).certificate_der, homes) is Indication.TOTAL_PASSED


def test_document_of_before_still_passes_under_the_old_root(rolled: tuple[Homes, bytes]) -> None:
    homes, document = rolled
    with homes.open_house() as house:
        stamped = house.stores.certificates.of_holder("authority/tsa")[0].certificate_der
        assert stamped is not None
        status = house.evidence.gather((stamped,))
        supplied = Supplied(*status)
        passed = judge(
            document,
            ADES,
            trust=TrustStore.read([("root.pem", homes.house.root_pem.read_bytes())]),
            at=homes.clock() + timedelta(seconds=30),
            engine=Engine.REFERENCE,
            supplied=supplied,
        )
        assert passed.signatures[0].indication is Indication.TOTAL_PASSED


def test_home_names_both_roots_as_anchors(rolled: tuple[Homes, bytes]) -> None:
    homes, _ = rolled
    found = x509.load_pem_x509_certificates(homes.house.root_pem.read_bytes())
    assert len(found) == 2
    assert len({each.subject for each in found}) == 1


def test_earlier_certificate_is_revoked_and_answered_for(rolled: tuple[Homes, bytes], copied: Copier) -> None:
    homes = copied(rolled[0])
    with homes.open_house() as house:
        old_der = house.stores.certificates.of_holder("seal/before")[0].certificate_der
        assert old_der is not None
        new_der, _ = seal(house, "after")
        assert (status(house, old_der), status(house, new_der)) == ("GOOD", "GOOD")
        serial = x509.load_der_x509_certificate(old_der).serial_number
        house.authority.named("issuing").revoke(serial, "superseded")
        assert (status(house, old_der), status(house, new_der)) == ("REVOKED", "GOOD")
        shard = house.authority.issuers[1].shard_of(serial)
        signer = next(each for each in house.crl_signers if each.issuer == "issuing")
        assert x509.load_der_x509_crl(signer.crl(shard)).get_revoked_certificate_by_serial_number(serial) is not None


def status(house: House, der: bytes) -> str:
    """As an independent client reads it: the responder is certified by the certificate's own issuer."""
    issuer = house.authority.issuer_of(der)
    assert issuer is not None
    issuing = x509.load_der_x509_certificate(issuer.certificate_der)
    builder = ocsp.OCSPRequestBuilder().add_certificate(x509.load_der_x509_certificate(der), issuing, x509.base.hashes.SHA256())
    answer = ocsp.load_der_ocsp_response(house.responder.respond(builder.build().public_bytes(Encoding.DER)).der)
    answer.certificates[0].verify_directly_issued_by(issuing)
    return answer.certificate_status.name


def test_rollover_needs_no_fingerprint_for_the_old_root_certifies_the_new(rolled: tuple[Homes, bytes]) -> None:
    assert {path.name for path in (rolled[0].house.home / "ca").iterdir()} == {"root.pem", "issuing.pem", "root.crl", "root-2.crl"}


def test_services_of_both_generations_are_renewed(rolled: tuple[Homes, bytes], copied: Copier) -> None:
    homes = copied(rolled[0])
    homes.advance(days=65)
    with homes.open_house() as house:
        for service in (house.authority.ocsp, *(each.ocsp for each in house.authority.earlier_issuers)):
            assert x509.load_der_x509_certificate(service.certificate_der).not_valid_before_utc == homes.clock()


def test_request_for_a_generation_that_is_certified_is_refused(serving: Homes) -> None:
    with pytest.raises(CeremonyDoneError, match="issuing is certified already; a rollover names the next generation"):
        serving.request(ISSUING)


def test_issuing_authority_alone_rolls_over_under_its_root(serving: Homes, copied: Copier) -> None:
    homes = copied(serving)
    names = (
        ('label = "issuing"', 'label = "issuing-2"'),
        ('subject = "issuing"', 'subject = "issuing-2"'),
        ('Issuing CA"', 'Issuing CA 2"'),
    )
    plan = shipped_plan("issuing", *names)
    assert [each.title for each in plan.certificates] == ["issuing-2"]
    homes.advance(days=400)
    homes.request(plan)
    homes.hold(plan)
    homes.install(plan)
    with homes.open_house() as house:
        assert (house.authority.root.name, house.authority.issuing.name, house.authority.crosses) == ("root", "issuing-2", ())
        document = sealed(house, *seal(house, "after"))
        assert verdict_of(document, house.authority.root_der, homes) is Indication.TOTAL_PASSED


def test_certificate_for_another_use_does_not_vouch_for_a_root(serving: Homes, copied: Copier) -> None:
    """Whoever has the issuing authority's key makes a `root` of it and shows the issuing certificate as what the old root said of it."""
    homes = copied(serving)
    with homes.open_house() as house:
        key, root = house.keys.open("issuing"), x509.load_der_x509_certificate(house.authority.root_der)
        issuing_pem = (homes.usb / "issuing.pem").read_bytes()
    small = ('curve = "P-384"', 'curve = "P-256"')
    rollover = shipped_plan("rollover", small)
    homes.request(rollover)
    homes.hold(rollover)
    self_made = Vault(clock=homes.clock)
    self_made.keys.keys["root"] = key
    forged = self_made.hold(shipped_plan("root", small)).certificates()["root"]
    assert x509.load_der_x509_certificate(forged).subject == root.subject
    (homes.usb / "root-2.pem").write_bytes(x509.load_der_x509_certificate(forged).public_bytes(Encoding.PEM))
    (homes.usb / "root-2-by-root.pem").write_bytes(issuing_pem)
    with pytest.raises(CeremonyMismatchError, match="certificate root-2-by-root"):
        homes.install(rollover)


def test_older_list_does_not_come_back_with_a_repeated_installation(serving: Homes, copied: Copier) -> None:
    homes = copied(serving)
    homes.advance(days=1)
    with homes.open_vault() as root:
        newer = new_lists(root, validity=timedelta(days=190))["root"]
    take_list(homes.house, "root", newer, clock=homes.clock)
    homes.install(ISSUING)
    assert (homes.house.home / "ca" / "root.crl").read_bytes() == newer


def test_file_of_another_organization_is_refused(serving: Homes) -> None:
    other = shipped_plan("rollover", ("NTRVN-0100000001", "NTRVN-0100000002"))
    with pytest.raises(SettingsError, match="names another organization or base URL"):
        serving.request(other)


def test_house_of_one_home_rolls_over_too(tmp_path: Path) -> None:
    homes = Homes(tmp_path)
    plan = HousePlan(Organization(ROOT.country, ROOT.organization, ROOT.identifier), ROOT.base_url, ROOT.crl_shards)
    made = create_house(homes.house, plan, clock=homes.clock, passphrase=PASSPHRASE, lint_rate=0)
    made.close()
    rollover = shipped_plan("rollover")
    homes.request(rollover)

    with root_home(homes.house, passphrase=PASSPHRASE, clock=homes.clock) as root:
        for officer, pin in PINS.items():
            root.officers.add(officer, name=officer, pin=Pin(pin), vouchers={}, reason="first")
        homes.hold_in(root, rollover, approval=homes.approve(root, rollover))
    homes.install(rollover)
    with homes.open_house() as house:
        assert not isinstance(house.authority.root, OfflineAuthority)
        assert [each.name for each in house.authority.roots] == ["root-2", "root"]
        document = sealed(house, *seal(house, "one"))
        for root_of in house.authority.roots:
            assert verdict_of(document, root_of.certificate_der, homes) is Indication.TOTAL_PASSED


# tokens


def test_root_in_a_token_is_held_without_a_split(softhsm: SoftHsm, tmp_path: Path) -> None:

    homes = Homes(tmp_path)
    vault = Settings.from_environment({}, home=tmp_path / "vault", key_store=softhsm.token().uri("root"))
    with pytest.raises(SplitInTokenError, match="a token's PIN is not split here; leave out"):
        begin(vault, ROOT, shares=tmp_path / "shares", passphrase=PIN, clock=homes.clock)
    text = ROOT.text.decode()
    start, end = text.index("[split]"), text.index("[[keys]]")
    plan = parse_plan((text[:start] + text[end:]).encode())
    begin(vault, plan, shares=None, passphrase=PIN, clock=homes.clock)
    with root_home(vault, passphrase=PIN, clock=homes.clock) as root:
        for officer, pin in PINS.items():
            root.officers.add(officer, name=officer, pin=Pin(pin), vouchers={}, reason="first")
        approval = homes.approve(root, plan)
        outcome, octets = hold_ceremony(root, plan, requests={}, approval=approval, deliver=homes.deliver, lint_rate=0)
        assert "root" in root.keys.labels()
    x509.load_der_x509_certificate(outcome.certificates()["root"]).verify_directly_issued_by(
        x509.load_der_x509_certificate(outcome.certificates()["root"])
    )
    assert review(octets).step == "hold"
    assert not list(vault.home.rglob("*.key"))


def test_house_whose_keys_are_in_a_token_serves_under_an_offline_root(softhsm: SoftHsm, begun: Homes, copied: Copier) -> None:
    homes = copied(begun)
    homes.hold(ROOT)
    house = Settings.from_environment({}, home=homes.folder / "house", key_store=softhsm.token().uri("house"))
    made, _ = request(house, ISSUING, passphrase=PIN, clock=homes.clock)
    (homes.usb / "issuing.csr").write_bytes(made["issuing"])
    homes.hold(ISSUING)
    fitting = fingerprint(homes)
    install(house, ISSUING, read_carried(homes.usb), passphrase=PIN, fingerprint=fitting, clock=homes.clock, lint_rate=0)
    opened = open_house(house, clock=homes.clock, passphrase=PIN, lint_rate=0)
    document = sealed(opened, *seal(opened, "token"))
    assert verdict_of(document, opened.authority.root_der, homes) is Indication.TOTAL_PASSED
    opened.close()
    other = Settings.from_environment({}, home=homes.folder / "other", key_store=house.key_store)
    with pytest.raises(HouseExistsError, match="the key store holds another authority's keys"):
        request(other, ISSUING, passphrase=PIN, clock=homes.clock)


def test_open_to_others_share_is_refused(begun: Homes, copied: Copier) -> None:
    homes = copied(begun)
    (homes.folder / "shares" / "share-1-of-3.txt").chmod(0o644)
    with pytest.raises(KeyStoreError, match="open to others"):
        homes.shares(1, 2)
