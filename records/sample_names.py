"""Common Vietnamese names and birth places, put together at random for sample data."""

from __future__ import annotations

import random

from records.person import Sex

_SURNAMES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương", "Lý", "Đinh", "Trịnh")
_WEIGHTS = (38, 11, 9, 7, 5, 4, 4, 3, 3, 3, 3, 2, 2, 2, 1, 2, 1)  # roughly as frequent as in life
_MIDDLE = {
    Sex.MALE: ("Văn", "Đức", "Minh", "Quang", "Hữu", "Gia", "Tuấn", "Hoàng", "Xuân", "Thành"),
    Sex.FEMALE: ("Thị", "Ngọc", "Thu", "Phương", "Khánh", "Bảo", "Thanh", "Quỳnh", "Minh", "Diệu"),
}
_GIVEN = {
    Sex.MALE: (
        "An",
        "Bách",
        "Cường",
        "Dũng",
        "Đạt",
        "Hiếu",
        "Hưng",
        "Khoa",
        "Kiên",
        "Long",
        "Nam",
        "Phúc",
        "Quân",
        "Sơn",
        "Thắng",
        "Vượng",
    ),
    Sex.FEMALE: (
        "Anh",
        "Châu",
        "Chi",
        "Dung",
        "Giang",
        "Hà",
        "Hương",
        "Lan",
        "Linh",
        "Mai",
        "Ngân",
        "Nhung",
        "Oanh",
        "Thảo",
        "Trang",
        "Yến",
    ),
}
# province codes of Circular 07/2016, appendix I
_PLACES = (
    ("001", "Hà Nội"),
    ("001", "Hà Nội"),
    ("001", "Hà Nội"),
    ("014", "Sơn La"),
    ("031", "Hải Phòng"),
    ("034", "Thái Bình"),
    ("036", "Nam Định"),
    ("038", "Thanh Hóa"),
    ("040", "Nghệ An"),
)


def surnames(draw: random.Random) -> str:
    return draw.choices(_SURNAMES, _WEIGHTS)[0]


def given_names(draw: random.Random, sex: Sex) -> str:
    """Middle and given name."""
    return f"{draw.choice(_MIDDLE[sex])} {draw.choice(_GIVEN[sex])}"


def place(draw: random.Random) -> tuple[str, str]:
    """Province code and name."""
    return draw.choice(_PLACES)
