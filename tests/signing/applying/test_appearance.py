from __future__ import annotations

import io
import subprocess
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pikepdf
import pytest

from certs import loader
from records.export import step_label
from records.look import school_look
from signing.applying.appearance import Appearance, AppearanceError, AppearanceRenderer, shown_time
from signing.applying.sign import sign
from signing.workflow import Workflow
from tests.support.signing_cases import SigningHouse, canonical_pdf, make_signing_house

HANOI = timezone(timedelta(hours=7))
TIME = datetime(2026, 5, 29, 8, 30, 59, tzinfo=HANOI)
LOOK = Appearance(name="Nguyễn Thị Ánh", role="Giáo viên chủ nhiệm", organization="Trường THCS Cầu Giấy")


@pytest.fixture(scope="module")
def house() -> SigningHouse:
    return make_signing_house()


def text_of(document: bytes, folder: Path) -> str:
    file = folder / "signed.pdf"
    file.write_bytes(document)
    return subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, text=True, check=True).stdout


def signed_with(house: SigningHouse, look: Appearance, **changes: object) -> bytes:
    return sign(canonical_pdf(), house.request("homeroom", appearance=look, **changes), time_stamper=None)


def test_words_can_be_copied_out_of_the_page(house: SigningHouse, tmp_path: Path) -> None:
    text = text_of(signed_with(house, LOOK, reason="Xác nhận kết quả năm học"), tmp_path)
    for words in ("Nguyễn Thị Ánh", "Giáo viên chủ nhiệm", "Trường THCS Cầu Giấy", "Lý do: Xác nhận kết quả năm học"):
        assert words in text


def test_chinese_names_are_set(house: SigningHouse, tmp_path: Path) -> None:
    look = Appearance(name="王晓明 赟珺喆", role="班主任", organization="哈尔滨市第一中学校", language="zh")
    text = text_of(signed_with(house, look), tmp_path)
    for words in ("王晓明 赟珺喆", "班主任", "哈尔滨市第一中学校"):
        assert words in text


def test_all_fonts_are_embedded(house: SigningHouse, tmp_path: Path) -> None:
    file = tmp_path / "signed.pdf"
    file.write_bytes(signed_with(house, LOOK))
    listed = subprocess.run(["pdffonts", str(file)], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    assert listed
    assert all(line.split()[-5] == "yes" for line in listed)


def test_form_fits_the_field(house: SigningHouse) -> None:
    with pikepdf.open(io.BytesIO(signed_with(house, LOOK))) as pdf:
        widget = next(field for field in pdf.Root.AcroForm.Fields if field.T == "Signature-Homeroom")
        x0, y0, x1, y1 = (float(edge) for edge in widget.Rect.as_list())
        box = [float(edge) for edge in widget.AP.N.BBox.as_list()]
        assert box == pytest.approx([0, 0, x1 - x0, y1 - y0], abs=0.01)


def test_qr_code_is_drawn_where_there_is_an_address() -> None:
    look = Appearance(name="Trường", language="vi", verify_url="https://verify.example/r/1")
    sized = {"width": 200.0, "height": 60.0, "time": TIME, "reason": None}
    with_code = AppearanceRenderer().render(look, **sized)  # type: ignore[arg-type]  # keywords of one call
    without = AppearanceRenderer().render(Appearance(name="Trường"), **sized)  # type: ignore[arg-type]
    assert sum(map(len, with_code.place(1))) > sum(map(len, without.place(1)))


def test_same_words_give_the_same_octets() -> None:
    first, second = (AppearanceRenderer().render(LOOK, width=180, height=60, time=TIME, reason=None) for _ in range(2))
    assert first == second


def test_an_appearance_is_set_once_for_a_minute() -> None:
    renderer = AppearanceRenderer()
    first = renderer.render(LOOK, width=180, height=60, time=TIME, reason=None)
    assert renderer.render(LOOK, width=180, height=60, time=TIME.replace(second=3), reason=None) is first
    assert renderer.render(LOOK, width=180, height=60, time=TIME + timedelta(minutes=1), reason=None) is not first


def test_time_is_shown_with_its_zone() -> None:
    assert shown_time(TIME, "vi") == "08:30 29/05/2026 (UTC+07:00)"
    assert shown_time(TIME.astimezone(UTC), "en") == "2026-05-29 01:30 (UTC+00:00)"


def test_time_without_zone_is_refused() -> None:
    with pytest.raises(AppearanceError, match="no time zone"):
        shown_time(datetime(2026, 5, 29), "vi")  # noqa: DTZ001 (the point of the test)


def test_unknown_language_is_refused() -> None:
    with pytest.raises(AppearanceError, match="language is 'xx', expected one of"):
        Appearance(name="A", language="xx")


def test_nameless_appearance_is_refused() -> None:
    with pytest.raises(AppearanceError, match="needs a name"):
        Appearance(name="")


def test_markup_in_a_name_is_shown_as_it_is(house: SigningHouse, tmp_path: Path) -> None:
    look = Appearance(name='#read("/etc/passwd") *x* $y$')
    assert '#read("/etc/passwd") *x* $y$' in text_of(signed_with(house, look), tmp_path)


def test_character_that_no_font_has_is_refused_rather_than_drawn_as_a_box(house: SigningHouse) -> None:
    with pytest.raises(AppearanceError, match=r"cannot draw U\+0E01"):
        signed_with(house, Appearance(name="\u0e01"))


def test_decomposed_vietnamese_is_drawn(house: SigningHouse, tmp_path: Path) -> None:
    look = Appearance(name=unicodedata.normalize("NFD", "Nguyễn Thị Ánh"))
    assert "Nguyễn Thị Ánh" in unicodedata.normalize("NFC", text_of(signed_with(house, look), tmp_path))


def test_time_is_shown_in_the_schools_zone_while_the_signature_keeps_utc(house: SigningHouse, tmp_path: Path) -> None:
    document = signed_with(house, replace(LOOK, zone="Asia/Ho_Chi_Minh"))  # the house's clock stands at 2026-09-05 08:00 UTC
    assert "15:00 05/09/2026 (UTC+07:00)" in text_of(document, tmp_path)
    assert b"/M (D:20260905080000+00'00')" in document


def test_unknown_zone_is_refused() -> None:
    with pytest.raises(AppearanceError, match="time zone 'Asia/Nowhere' is not known here"):
        Appearance(name="A", zone="Asia/Nowhere")
    with pytest.raises(AppearanceError, match="is not known here"):
        Appearance(name="A", zone="../../etc/passwd")


@pytest.mark.parametrize(
    ("width", "height", "drawn"),
    [(200, 60, True), (155, 52, True), (300, 40, True), (100, 60, False), (200, 20, False)],
    ids=["usual", "small", "strip", "too narrow", "too low"],
)
def test_the_code_is_drawn_where_it_can_be_read_and_leaves_room_for_the_words(width: float, height: float, drawn: bool) -> None:
    look = Appearance(name="Nguyễn Thị Ánh", verify_url="https://records.example/verify")
    forms = [
        AppearanceRenderer().render(each, width=width, height=height, time=TIME, reason=None)
        for each in (look, replace(look, verify_url=None))
    ]
    assert (forms[0] != forms[1]) is drawn


@pytest.mark.parametrize("workflow", ["workflow-school-record", "workflow-school-record-subjects"])
def test_the_vietnamese_words_of_every_step_come_back_from_pdftotext(house: SigningHouse, tmp_path: Path, workflow: str) -> None:
    for step in Workflow.from_mapping(loader.load("policies", workflow)).steps:
        look = school_look(
            "Nguyễn Thị Thanh Huyền", role=step_label(step), organization="Trường THCS Ngô Sĩ Liên", verify_url="https://x.vn/v"
        )
        told = " ".join(text_of(signed_with(house, look, reason="Xác nhận kết quả"), tmp_path).split())
        for word in ("Ký số bởi", "Nguyễn Thị Thanh Huyền", step_label(step), "Trường THCS Ngô Sĩ Liên", "Lý do: Xác nhận kết quả"):
            assert word in told, step.id


@pytest.mark.parametrize("role", ["语文教师", "数学教师", "班主任", "校长", "学校电子印章", "学籍管理员"])
def test_the_chinese_words_of_every_role_come_back_from_pdftotext(house: SigningHouse, tmp_path: Path, role: str) -> None:
    look = Appearance("欧阳晓燕", role, "哈尔滨市第一中学校", "zh", "https://x.cn/v", "Asia/Shanghai")
    told = "".join(text_of(signed_with(house, look, reason="确认成绩"), tmp_path).split())
    for word in ("数字签名人", "欧阳晓燕", role, "哈尔滨市第一中学校", "签署事由：确认成绩", "2026-09-0516:00(UTC+08:00)"):
        assert word in told
