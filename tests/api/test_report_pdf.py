"""The signed report on one document: from the page's button, and for programs."""

from __future__ import annotations

import hashlib
import html
import io
import json
import random
import re
import subprocess
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import pikepdf
import pytest
from cryptography import x509

from api.checker import Checked
from api.errors import Problem
from api.pages.report import AT_ONCE, MAX_WAITING, Reports
from api.pages.ticket import MAX_TICKET, VALID
from api.pages.words import choose
from config.house import House
from config.policy import load_policy
from config.report_seal import HOLDER, LABEL, report_signer
from pki.errors import KeyStoreError
from pki.keys.wrap import MAX_SECRET
from signing.trust.store import NamedAnchor, TrustStore
from signing.verdict import Indication, Verdict
from signing.verifying.engines import Engine
from signing.verifying.engines import judge as judged
from tests.api.conftest import Clock, FakeJudge
from tests.api.test_verify_page import post, row, signed_by

MANY = [{"code": f"X{number}", "text": '#read("/etc/passwd")'} for number in range(60)]


def ticket_of(page: str) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page)
    assert found is not None
    return html.unescape(found[1])


def ask(client: httpx.Client, ticket: str, *, lang: str = "en") -> httpx.Response:
    return client.post(f"/verify/report?lang={lang}", data={"ticket": ticket})


def verdict_on(report: bytes, house: House, *, policy: str = "ades") -> Verdict:
    trust = TrustStore((NamedAnchor(house.authority.root_der, "root"),))
    return judged(report, load_policy(policy), trust=trust, at=house.clock(), engine=Engine.REFERENCE)


def text_of(report: bytes, folder: Path, *, order: str = "-layout") -> str:
    (folder / "report.pdf").write_bytes(report)
    return subprocess.run(["pdftotext", order, folder / "report.pdf", "-"], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def checked(client: httpx.Client, judge: FakeJudge) -> dict[str, Any]:
    judge.row = row(signatures=[signed_by("Nguyễn Thị Ánh")], messages=[{"code": "NOTE", "text": "something to know"}])
    return judge.row


def test_the_page_gives_a_report_that_says_what_the_page_said(client: httpx.Client, checked: dict[str, Any], tmp_path: Path) -> None:
    answer = ask(client, ticket_of(post(client, name="học bạ.pdf").text))
    assert (answer.status_code, answer.headers["content-type"], answer.headers["cache-control"]) == (200, "application/pdf", "no-store")
    assert answer.headers["content-disposition"] == 'attachment; filename="verification-report.pdf"'
    text = text_of(answer.content, tmp_path)
    for expected in ("Cannot be determined now", "học bạ.pdf", "ab" * 20, "Nguyễn Thị Ánh", "THCS Nguyễn Trãi", "NOTE: something to know"):
        assert expected in text


def test_the_report_speaks_the_readers_language(client: httpx.Client, checked: dict[str, Any], tmp_path: Path) -> None:
    ticket = ticket_of(post(client).text)
    assert "Báo cáo kiểm tra" in text_of(ask(client, ticket, lang="vi").content, tmp_path)
    assert "验证报告" in text_of(ask(client, ticket, lang="zh").content, tmp_path)


def test_the_report_is_sealed_by_the_department_and_passes_for_the_long_term(
    client: httpx.Client, checked: dict[str, Any], house: House
) -> None:
    verdict = verdict_on(ask(client, ticket_of(post(client).text)).content, house)
    assert verdict.indication is Indication.TOTAL_PASSED
    (seal,) = verdict.signatures
    assert seal.level == "PAdES-BASELINE-LTA"
    assert seal.signer is not None
    assert seal.signer.name == f"{house.plan.organization.name} Verification Service"


def test_a_report_is_no_official_record(client: httpx.Client, checked: dict[str, Any], house: House) -> None:
    verdict = verdict_on(ask(client, ticket_of(post(client).text)).content, house, policy="record")
    assert verdict.indication is Indication.INDETERMINATE


def test_the_verdict_itself_is_attached(client: httpx.Client, checked: dict[str, Any]) -> None:
    report = ask(client, ticket_of(post(client).text)).content
    with pikepdf.open(io.BytesIO(report)) as pdf:
        attached = json.loads(pdf.attachments["verdict.json"].get_file().read_bytes())
    assert attached["signatures"][0]["signer"]["name"] == "Nguyễn Thị Ánh"
    assert attached["sha256"] == "ab" * 32


def test_an_independent_program_finds_the_report_whole_and_well_signed(
    client: httpx.Client, checked: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "r.pdf").write_bytes(ask(client, ticket_of(post(client).text)).content)
    subprocess.run(["qpdf", "--check", tmp_path / "r.pdf"], check=True, capture_output=True)
    told = subprocess.run(["pdfsig", "-nocert", tmp_path / "r.pdf"], capture_output=True, text=True, check=False).stdout
    assert told.count("Signature Validation: Signature is Valid.") == 1  # the other is the time stamp, which pdfsig does not judge


def test_programs_send_the_document_and_get_the_report(client: httpx.Client, checked: dict[str, Any], house: House, tmp_path: Path) -> None:
    answer = post(client, path="/api/v1/verify/report?lang=en")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert "Nguyễn Thị Ánh" in text_of(answer.content, tmp_path)
    assert verdict_on(answer.content, house).indication is Indication.TOTAL_PASSED


def test_strangers_text_is_set_as_text(client: httpx.Client, judge: FakeJudge, tmp_path: Path) -> None:
    judge.row = row(signatures=[signed_by('#panic("x") $ \\ *b* العربية')], messages=MANY)
    answer = ask(client, ticket_of(post(client, name="#image(1).pdf").text))
    text = text_of(answer.content, tmp_path)
    assert '#panic("x") $ \\ *b* ???????' in text
    assert "#image(1).pdf" in text
    assert "#read(" in text
    assert "20 more in verdict.json" in text


@pytest.mark.parametrize("ticket", ["", "x", "AAAA", "é", "A" * (MAX_TICKET + 4)])
def test_what_is_no_ticket_of_ours_gets_no_report(client: httpx.Client, ticket: str) -> None:
    answer = ask(client, ticket)
    assert answer.status_code == 400
    assert "Check the file again" in answer.text


def test_a_changed_ticket_gets_no_report(client: httpx.Client, checked: dict[str, Any]) -> None:
    ticket = ticket_of(post(client).text)
    changed = ticket[:40] + ("A" if ticket[40] != "A" else "B") + ticket[41:]
    assert ask(client, changed).status_code == 400


def test_an_old_check_has_to_be_repeated(client: httpx.Client, checked: dict[str, Any], clock: Clock) -> None:
    ticket, before = ticket_of(post(client).text), clock.moment
    try:
        clock.moment = before + VALID + timedelta(seconds=1)
        answer = ask(client, ticket)
    finally:
        clock.moment = before
    assert answer.status_code == 410
    assert "more than 30 minutes old" in answer.text


def test_a_form_too_large_to_be_a_ticket_is_refused(client: httpx.Client) -> None:
    assert ask(client, "A" * (3 * MAX_TICKET)).status_code == 413


def test_a_verdict_too_long_to_hand_around_comes_without_the_button(client: httpx.Client, judge: FakeJudge) -> None:
    noise = [{"code": f"N{number}", "text": hashlib.sha512(bytes([number % 256, number // 256])).hexdigest()} for number in range(1000)]
    judge.row = row(messages=noise)
    assert 'name="ticket"' not in post(client).text


def test_a_verdict_that_packs_well_is_no_cheap_way_to_a_large_report(client: httpx.Client, judge: FakeJudge) -> None:
    judge.row = row(messages=[{"code": "X", "text": "x" * 1000}] * 1000)
    assert 'name="ticket"' not in post(client).text


def test_a_verdict_larger_than_the_key_store_wraps_is_shown_all_the_same(client: httpx.Client, judge: FakeJudge) -> None:
    judge.row = row(messages=[{"code": "X", "text": random.Random(7).randbytes(3 * MAX_SECRET).hex()}])
    assert post(client).status_code == 200


def test_of_thousands_of_signers_some_are_set_and_the_rest_counted(client: httpx.Client, judge: FakeJudge, tmp_path: Path) -> None:
    judge.row = row(signatures=[signed_by(f"Signer {number}") for number in range(300)])
    text = text_of(ask(client, ticket_of(post(client).text)).content, tmp_path)
    assert "Signer 99" in text
    assert "Signer 100" not in text
    assert "200 more in verdict.json" in text


def test_a_name_cannot_turn_the_line_around_it_or_begin_another(client: httpx.Client, judge: FakeJudge, tmp_path: Path) -> None:
    judge.row = row(signatures=[signed_by("A\u202ednuof saw gnihton\nValid")])
    assert "A?dnuof saw gnihton?Valid" in text_of(ask(client, ticket_of(post(client).text)).content, tmp_path)


def test_the_roots_fingerprint_can_be_copied_out_to_be_compared(
    client: httpx.Client, checked: dict[str, Any], house: House, tmp_path: Path
) -> None:
    text = text_of(ask(client, ticket_of(post(client).text)).content, tmp_path, order="-raw")
    expected = hashlib.sha256(house.authority.root_der).digest().hex(":").upper()
    assert expected in "".join(text.split())


def test_long_words_of_strangers_stay_on_the_page(client: httpx.Client, judge: FakeJudge, tmp_path: Path) -> None:
    judge.row = row(signatures=[signed_by("W" * 64)], messages=[{"code": "X", "text": "W" * 400}])
    (tmp_path / "r.pdf").write_bytes(ask(client, ticket_of(post(client, name="W" * 190 + ".pdf").text)).content)
    boxes = subprocess.run(["pdftotext", "-bbox", tmp_path / "r.pdf", "-"], capture_output=True, text=True, check=True).stdout
    page_width, margin = 595.3, 50
    assert max(float(right) for right in re.findall(r'xMax="([\d.]+)"', boxes)) < page_width - margin


def test_a_form_of_many_fields_is_no_ticket(client: httpx.Client) -> None:
    assert client.post("/verify/report?lang=en", data={f"x{number}": "1" for number in range(9)}).status_code == 400


def test_a_document_whose_judge_died_gets_a_report_that_says_so(client: httpx.Client, judge: FakeJudge, tmp_path: Path) -> None:
    died = [{"code": "LIMIT_EXCEEDED", "text": "killed"}]
    judge.row = row(sha256="", indication="INDETERMINATE", entitlement="unknown", record=None, messages=died)
    answer = ask(client, ticket_of(post(client).text))
    assert "LIMIT_EXCEEDED: killed" in text_of(answer.content, tmp_path)


def test_while_the_seal_is_suspended_there_are_no_reports_and_no_other_seal(
    client: httpx.Client, checked: dict[str, Any], house: House
) -> None:
    signer, ticket = report_signer(house), ticket_of(post(client).text)
    authority, serial = house.authority.issuing, x509.load_der_x509_certificate(signer.certificate_der).serial_number
    before = len(house.stores.certificates.of_holder(HOLDER))
    authority.suspend(serial)
    try:
        answer = ask(client, ticket)
    finally:
        authority.release(serial)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert "not available at this moment" in answer.text
    assert len(house.stores.certificates.of_holder(HOLDER)) == before


class StuckHouse:
    """Answers nothing until the gate opens, and then has no keys."""

    def __init__(self) -> None:
        self.gate = threading.Event()

    @property
    def policy(self) -> object:
        self.gate.wait(10)
        raise KeyStoreError("no token")


def test_whoever_comes_while_many_reports_are_in_line_is_asked_to_come_back(clock: Clock) -> None:
    house = StuckHouse()
    reports, words = Reports(house), choose("en", None)  # type: ignore[arg-type]
    told: list[Problem] = []

    async def one() -> None:
        try:
            await reports.of(words, Checked({**row(), "file": "r.pdf"}), clock())
        except Problem as problem:
            told.append(problem)

    async def all_of_them() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(AT_ONCE + MAX_WAITING):
                group.start_soon(one)
            await anyio.wait_all_tasks_blocked()
            await one()
            house.gate.set()

    anyio.run(all_of_them)
    assert [problem.slug for problem in told] == ["busy"] + ["unavailable"] * (AT_ONCE + MAX_WAITING)


def test_the_seal_is_made_once_and_kept(house: House) -> None:
    first, second = report_signer(house), report_signer(house)
    assert first.certificate_der == second.certificate_der
    assert len(house.stores.certificates.of_holder(f"authority/{LABEL}")) == 1


def test_a_seal_that_runs_out_soon_gets_a_new_certificate_over_the_same_key(house: House, clock: Clock) -> None:
    first, before = report_signer(house), clock.moment
    try:
        clock.moment = before + timedelta(days=1096 - 20)
        second = report_signer(house)
    finally:
        clock.moment = before
    assert second.certificate_der != first.certificate_der
    assert second.key.public_key() == first.key.public_key()
