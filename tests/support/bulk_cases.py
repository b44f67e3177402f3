"""Made-up staff for bulk batches: as many as asked for, at schools of fifty, the same each time."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
from datetime import date, timedelta

from records.person import Sex
from records.roster import RosterFile
from records.roster_csv import SCHOOL_COLUMNS, TEACHER_COLUMNS
from records.sample_names import given_names, place, surnames

SEED = 2026
STAFF = 50  # of one school


def bulk_files(people: int, *, seed: int = SEED, first: int = 0) -> tuple[RosterFile, RosterFile]:
    """schools.csv and teachers.csv with `people` members of staff, all of them sound; `first` makes others of them."""
    draw = random.Random(seed)
    teachers = [_teacher(draw, number) for number in range(first, first + people)]
    ids = sorted({row["school_id"] for row in teachers})
    schools = [
        {
            "school_id": school,
            "identifier": f"NTRVN-01{int(school[1:]):08}",
            "name": f"Trường THCS số {int(school[1:])} (dữ liệu mẫu)",
            "short_name": "",
            "locality": "Thành phố Hà Nội",
            "country": "VN",
        }
        for school in ids
    ]
    return RosterFile("schools.csv", _csv(SCHOOL_COLUMNS, schools)), RosterFile("teachers.csv", _csv(TEACHER_COLUMNS, teachers))


def codes_of(file: RosterFile) -> tuple[str, ...]:
    """Every personal code of a file."""
    rows = csv.DictReader(io.StringIO(file.data.decode("utf-8-sig"), newline=""))
    return tuple(row["personal_code"] for row in rows if row["personal_code"])


def _teacher(draw: random.Random, number: int) -> dict[str, str]:
    sex = draw.choice((Sex.MALE, Sex.FEMALE, Sex.FEMALE))
    born = date(1968, 1, 1) + timedelta(days=draw.randrange(11_000))
    province, _ = place(draw)
    century = 2 * (born.year // 100 - 19) + (sex is Sex.FEMALE)
    return {
        "teacher_id": f"GV{number:06}",
        "school_id": f"S{number // STAFF:05}",
        "surname": surnames(draw),
        "given_name": given_names(draw, sex),
        "sex": sex.value,
        "birth_date": born.isoformat(),
        "role": "teacher",
        "homeroom": "",
        "code_scheme": "vn-pid",
        "personal_code": f"{province}{century}{born.year % 100:02}{number % 1_000_000:06}",  # unlike any other: no two have one number
    }


def _csv(columns: Sequence[str], rows: Sequence[dict[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")
