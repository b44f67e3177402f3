"""`eduseal officer` and `eduseal request`: asked for by one, approved by another, issued."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from db.tables_registration import requests
from pki.registration.approval import RequestState
from tests.support.registration import NAMES, OFFICER, PINS, SECOND, THIRD


def officer(desk, command, *arguments, by, pin=None):
    return desk(*command.split(), *arguments, "--by", by, "--pin-file", "-", typed=(pin or PINS[by]) + "\n")


def asked(desk, *wanted) -> str:
    status, out, err = officer(desk, "request", *wanted, by=OFFICER)
    assert (status, err) == (0, "")
    return out.split()[1]


def test_a_request_says_what_comes_next(desk):
    status, out, err = officer(desk, "request seal", "BL", by=OFFICER)
    assert (status, err) == (0, "")
    assert re.fullmatch(
        r"Request ([0-9a-f]{16}) waits for 1 other officer until 20\d\d-\d\d-\d\d \d\d:\d\d UTC: "
        r"eduseal request approve \1 --by OFFICER\n",
        out,
    )


def test_asking_twice_is_one_request(desk):
    assert asked(desk, "seal", "BL") == asked(desk, "seal", "BL")


def test_the_requester_may_not_approve(desk):
    request = asked(desk, "seal", "BL")
    status, _, err = officer(desk, "request approve", request, by=OFFICER)
    assert (status, err) == (65, f"eduseal: request {request}: RA-1 asked for it and may not approve it; another officer must\n")


def test_nobody_approves_with_a_wrong_pin(desk):
    request = asked(desk, "seal", "BL")
    status, _, err = officer(desk, "request approve", request, by=SECOND, pin=PINS[OFFICER])
    assert (status, err) == (65, "eduseal: the PIN is not that of officer RA-2; 4 of 5 tries left\n")


def test_who_approves_is_shown_what_it_is(desk):
    request = asked(desk, "people")
    _, out, _ = officer(desk, "request approve", request, by=SECOND)
    for part in ("bulk batch/2", "Nguyễn Minh Mai", "SM-9A-03", "NTRVN-0109999001", "0 of 1 approvals", "is approved until"):
        assert part in out


def test_what_is_approved_holds_no_personal_code(desk):
    with desk.books() as books:
        assert books.requests.get(asked(desk, "people", "--again", "SM-9A-01")).order.content is not None
    assert desk.pupil_code not in desk("request", "show", asked(desk, "person", "SM-9A-01"))[1]
    assert desk.pupil_code.encode() not in Path(desk.home, "eduseal.sqlite").read_bytes()


def test_an_approved_seal_is_issued(desk):
    request = desk.agree("seal", "BL")
    status, out, err = desk("request", "issue", request)
    assert (status, err) == (0, "")
    assert re.fullmatch(r"BL has a seal until [0-9-]{10}, certificate [0-9a-f]+; its key stays in the key store\.\n", out)


def test_approved_people_are_issued_onto_a_sheet(desk):
    request = desk.agree("people")
    assert desk("request", "issue", request)[0] == 64
    status, out, _ = desk("request", "issue", request, "--sheet", "codes.csv")
    assert (status, out.splitlines()[0]) == (0, "2 enrolled, 0 failed.")
    with Path("codes.csv").open(encoding="utf-8-sig", newline="") as file:
        assert {row["holder"] for row in csv.DictReader(file)} == {"SM-GV06", "SM-9A-03"}
    assert desk("request", "issue", request, "--sheet", "more.csv")[0] == 65
    assert not Path("more.csv").exists()


def begun(desk, request: str) -> None:
    """The approval is used up, as where the command dies right after it."""
    with desk.books() as books:
        books.requests.redeem(request, digest=books.requests.get(request).order.digest, at=datetime.now(UTC))


def test_an_interrupted_enrolment_goes_on_with_those_who_are_left(desk):
    request = desk.agree("people")
    begun(desk, request)
    assert desk("enrol", "--again", "SM-GV06", "--sheet", "first.csv")[0] == 0
    status, out, _ = desk("request", "issue", request, "--sheet", "rest.csv")
    assert (status, out.splitlines()[0]) == (0, "1 enrolled, 0 failed.")
    with Path("rest.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["holder"] for row in csv.DictReader(file)] == ["SM-9A-03"]
    status, _, err = desk("request", "issue", request, "--sheet", "more.csv")
    assert (status, err) == (65, f"eduseal: request {request}: redeemed before, and nobody of it is left\n")


def test_two_commands_do_not_go_on_with_one_approval_at_once(desk):
    request = desk.agree("people")
    begun(desk, request)
    with desk.books() as books:
        now = datetime.now(UTC)
        assert books.requests.claim(request, at=now, stale=now)
    status, _, err = desk("request", "issue", request, "--sheet", "rest.csv")
    assert status == 65
    assert f"request {request}: another command issues it" in err
    assert not Path("rest.csv").exists()


def test_an_approval_that_was_used_and_has_ended_is_not_gone_on_with(desk):
    request = desk.agree("people")
    begun(desk, request)
    with desk.books() as books, books.database.writing() as connection:
        connection.execute(sa.update(requests).values(expires_at=datetime.now(UTC)))
    status, _, err = desk("request", "issue", request, "--sheet", "rest.csv")
    assert (status, "its approval ended at" in err, Path("rest.csv").exists()) == (65, True, False)


def test_what_nobody_approved_is_not_issued(desk):
    request = asked(desk, "seal", "BL")
    status, _, err = desk("request", "issue", request)
    assert (status, err) == (
        65,
        "eduseal: seal/BL: a second person must approve this seal first; "
        f"request {request} waits: `eduseal request approve {request} --by OFFICER`\n",
    )


def test_a_refused_request_is_over(desk):
    request = asked(desk, "seal", "BL")
    assert officer(desk, "request refuse", request, "--reason", "the school closes", by=SECOND) == (
        0,
        f"Request {request} is refused.\n",
        "",
    )
    assert officer(desk, "request approve", request, by=SECOND)[0] == 65
    assert "refused by RA-2: the school closes" in desk("request", "show", request)[1]
    assert asked(desk, "seal", "BL") != request


def test_requests_are_listed(desk):
    request = asked(desk, "seal", "BL")
    _, out, _ = desk("request", "list", "--state", "open")
    heading, line = out.splitlines()
    assert heading.split()[:4] == ["request", "kind", "for", "state"]
    assert line.split()[:5] == [request, "seal", "seal/BL", "open", "RA-1"]
    assert desk("request", "list", "--state", "refused") == (0, "No requests.\n", "")


def test_a_school_with_a_seal_in_force_is_not_asked_for_by_mistake(desk):
    status, out, _ = officer(desk, "request seal", "SM", by=OFFICER)
    assert (status, out.startswith("SM has a seal in force until "), out.endswith("; --renew asks for another.\n")) == (0, True, True)


def test_an_unknown_request_is_named(desk):
    assert desk("request", "show", "beef") == (65, "", "eduseal: there is no request beef; `eduseal request list` names them\n")


@pytest.fixture
def csr(desk):
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    Path("key.csr").write_bytes(made.public_bytes(Encoding.DER))
    return key


def test_a_key_that_its_holder_keeps_is_certified_once(desk, csr):
    for name in ("first.pem", "again.pem"):
        status, out, err = officer(desk, "request csr", "key.csr", "--holder", "SM-GV06", "--out", name, by=OFFICER)
        assert (status, err) == (0, "")
        assert out.splitlines()[0] == f"Written: {name}"
    first, again = (Path(name).read_bytes() for name in ("first.pem", "again.pem"))
    assert first == again
    assert x509.load_pem_x509_certificate(first).public_key() == csr.public_key()


@pytest.mark.parametrize(
    ("holder", "message"),
    [
        ("SM-9A-03", "SM-9A-03 is a pupil; pupils' keys are made here, by enrolment"),
        ("SM-9A-12", "SM-9A-12 is on the blocked list; correct the personal code in the roster first"),
        ("XX", "XX is not in the roster"),
    ],
)
def test_whose_identity_does_not_hold_up_gets_no_request(desk, csr, holder, message):
    status, _, err = officer(desk, "request csr", "key.csr", "--holder", holder, "--out", "x.pem", by=OFFICER)
    assert (status, err) == (65, f"eduseal: {message}\n")
    with desk.books() as books:
        assert [each for each in books.requests.list() if each.order.reference == holder] == []


def test_what_is_no_pkcs10_is_refused(desk):
    Path("key.csr").write_bytes(b"-----BEGIN CERTIFICATE-----")
    status, _, err = officer(desk, "request csr", "key.csr", "--holder", "SM-GV06", "--out", "x.pem", by=OFFICER)
    assert (status, err.startswith("eduseal: certificate request: neither DER nor PEM")) == (65, True)


def test_officers_are_listed(desk):
    _, out, _ = desk("officer", "list")
    assert [line.split("  ")[0].strip() for line in out.splitlines()] == ["officer", OFFICER, SECOND]
    assert NAMES[OFFICER] in out


def test_a_third_officer_needs_two_to_vouch(desk):
    Path("new.pin").write_text(PINS[THIRD] + "\n", encoding="utf-8")
    pins = {each: Path(f"{each}.pin") for each in (OFFICER, SECOND)}
    for each, path in pins.items():
        path.write_text(PINS[each] + "\n", encoding="utf-8")
    for path in (Path("new.pin"), *pins.values()):
        path.chmod(0o600)
    wanted = ("officer", "add", THIRD, "--name", NAMES[THIRD], "--pin-file", "new.pin")
    status, _, err = desk(*wanted, "--vouch", OFFICER, "--vouch-pin-file", pins[OFFICER])
    assert (status, "1 officers vouch for RA-3, expected 2" in err) == (65, True)
    done = desk(*wanted, *[part for each in pins for part in ("--vouch", each, "--vouch-pin-file", pins[each])])
    assert done == (0, "RA-3 is a registration officer.\n", "")


def test_a_weak_pin_makes_no_officer(desk):
    status, _, err = desk("officer", "add", "RA-3", "--name", "X Y", "--pin-file", "-", "--reason", "test", typed="12345678\n")
    assert (status, "run or a repetition" in err) == (65, True)


def test_a_removed_officer_approves_no_more(desk):
    request = asked(desk, "seal", "BL")
    assert officer(desk, "officer remove", SECOND, by=OFFICER) == (0, "RA-2 is no registration officer any more.\n", "")
    status, _, err = officer(desk, "request approve", request, by=SECOND)
    assert (status, "RA-2 is not a registration officer" in err) == (65, True)
    with desk.books() as books:
        assert books.requests.get(request).state is RequestState.OPEN


def test_a_seal_is_asked_for_over_a_new_key(desk):
    request = desk.agree("seal", "SM", "--new-key")
    assert "  over a new key\n" in desk("request", "show", request)[1]
    status, out, err = desk("request", "issue", request)
    assert (status, out.startswith("SM has a seal until "), err) == (0, True, "")
    with desk.books() as books:
        old, new = books.certificates.of_holder("seal/SM")
    assert old.public_key_sha256 != new.public_key_sha256
