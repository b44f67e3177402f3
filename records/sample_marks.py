"""Plausible marks, assessments and remarks for sample data, by the rules of Circular 22/2021/TT-BGDĐT articles 9 and 15."""

from __future__ import annotations

import random
from collections.abc import Sequence

from records.record import Attendance, SchoolYear, SubjectMarks, TermAssessment

MARKED = (
    "Ngữ văn",
    "Toán",
    "Ngoại ngữ 1 (Tiếng Anh)",
    "Giáo dục công dân",
    "Khoa học tự nhiên",
    "Lịch sử và Địa lí",
    "Công nghệ",
    "Tin học",
)
REMARKED = (
    "Giáo dục thể chất",
    "Nghệ thuật (Âm nhạc, Mĩ thuật)",
    "Hoạt động trải nghiệm, hướng nghiệp",
    "Nội dung giáo dục của địa phương",
)
_PASSED = "Đ"
_REMARKS = {
    "Tốt": (
        "Em chăm ngoan, tích cực phát biểu xây dựng bài; tư duy mạch lạc, biết giúp đỡ bạn bè. Tiếp tục phát huy.",
        "Có ý thức tự học rất tốt, hoàn thành xuất sắc nhiệm vụ của lớp. Nên tham gia câu lạc bộ khoa học của trường.",
    ),
    "Khá": (
        "Ngoan, lễ phép, có cố gắng trong học tập; cần mạnh dạn phát biểu hơn và đọc thêm sách để mở rộng vốn từ.",
        "Học đều các môn, nhiệt tình với phong trào. Cần rèn thêm kĩ năng trình bày và tính cẩn thận khi làm bài.",
    ),
    "Đạt": (
        "Có tiến bộ trong học kỳ II. Cần tập trung nghe giảng, làm bài tập về nhà đầy đủ, nhất là môn Toán và Ngoại ngữ.",
        "Hòa đồng với bạn bè. Cần dành nhiều thời gian hơn cho việc ôn bài và mạnh dạn hỏi khi chưa hiểu.",
    ),
    "Chưa đạt": ("Em cần được gia đình và nhà trường hỗ trợ thêm trong dịp hè; nên lập thời gian biểu học tập hằng ngày.",),
}


def school_year(draw: random.Random, year: str, grade: int, class_name: str, homeroom_teacher: str, ability: float) -> SchoolYear:
    """One school year; `ability` is about the mark, 0 to 10, that the pupil would get on average."""
    terms = [(_tenths(draw, ability), _tenths(draw, ability + 0.2)) for _ in MARKED]
    years = [round((first + 2 * second) / 3) for first, second in terms]  # article 9: the second term counts twice
    marks = [SubjectMarks(s, _text(a), _text(b), _text(y)) for s, (a, b), y in zip(MARKED, terms, years, strict=True)]
    marks += [SubjectMarks(subject, _PASSED, _PASSED, _PASSED) for subject in REMARKED]
    first, second, whole = learning([a for a, _ in terms]), learning([b for _, b in terms]), learning(years)
    conduct = "Tốt" if draw.random() < 0.9 else "Khá"
    excellent = whole == conduct == "Tốt"
    return SchoolYear(
        year=year,
        grade=grade,
        class_name=class_name,
        homeroom_teacher=homeroom_teacher,
        marks=tuple(marks),
        hk1=TermAssessment(first, conduct),
        hk2=TermAssessment(second, conduct),
        whole=TermAssessment(whole, conduct),
        attendance=Attendance(draw.choice((0, 0, 1, 1, 2, 3)), draw.choice((0, 0, 0, 0, 1))),
        outcome=_outcome(grade, whole),
        remark=draw.choice(_REMARKS[whole]),
        award=("Học sinh Xuất sắc" if sum(mark >= 90 for mark in years) >= 6 else "Học sinh Giỏi") if excellent else "",
    )


def learning(tenths: Sequence[int]) -> str:
    """Kết quả học tập from marks in tenths (article 9 clause 2), all remarked subjects passed."""
    worst = min(tenths)
    if worst >= 65 and sum(mark >= 80 for mark in tenths) >= 6:
        return "Tốt"
    if worst >= 50 and sum(mark >= 65 for mark in tenths) >= 6:
        return "Khá"
    if worst >= 35 and sum(mark >= 50 for mark in tenths) >= 6:
        return "Đạt"
    return "Chưa đạt"


def _outcome(grade: int, whole: str) -> str:
    if whole == "Chưa đạt":
        return "Rèn luyện, kiểm tra lại trong kì nghỉ hè"
    return "Hoàn thành chương trình trung học cơ sở" if grade == 9 else f"Được lên lớp {grade + 1}"


def _tenths(draw: random.Random, ability: float) -> int:
    return round(10 * min(max(draw.gauss(ability, 0.6), 3.0), 10.0))


def _text(tenths: int) -> str:
    return f"{tenths // 10}.{tenths % 10}"
