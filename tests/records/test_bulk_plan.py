"""A batch as a value: places, facts, digests; and sheets as files."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from records.bulk import SHEET, BulkError, Place, SheetBy, SourceFile, digest, facts_of, plan
from records.bulk_sheets import Line, SheetFolder
from records.person import School, Sex, Student, Teacher

SCHOOL = School("SM", "NTRVN-0109999001", "Trường THCS Sao Mai", "THCS Sao Mai", "Hà Nội")
TEACHER = Teacher("GV1", "SM", "Trần", "Thị Hoa", Sex.FEMALE, date(1985, 3, 8))
PUPIL = Student("HS1", "SM", "9A", "Lê", "Văn An", Sex.MALE, date(2011, 3, 8))
WRAPPED = b"wrapped"
FILES = (SourceFile("teachers.csv", "00" * 32),)


def people(*counts: tuple[str, int]) -> list[tuple[Teacher, bytes]]:
    """So many teachers of each school."""
    return [
        (replace(TEACHER, id=f"{school}-{number:03}", school_id=school), bytes(32)) for school, count in counts for number in range(count)
    ]


def sheets_of(places: list[Place]) -> dict[str, int]:
    return {name: sum(place.sheet == name for place in places) for name in dict.fromkeys(place.sheet for place in places)}


def test_each_school_has_a_sheet_of_its_own_and_small_ones_share_a_chunk() -> None:
    places = list(plan(people(("A", 3), ("B", 2), ("C", 4)), chunk=5))
    assert sheets_of(places) == {"00001-A": 3, "00002-B": 2, "00003-C": 4}
    assert [place.chunk for place in places] == [0] * 5 + [1] * 4
    assert [place.position for place in places] == list(range(9))


def test_a_school_of_more_people_than_a_chunk_has_several_sheets() -> None:
    places = list(
        plan(
            people(
                ("A", 12),
            ),
            chunk=5,
        )
    )
    assert sheets_of(places) == {"00001-A": 5, "00002-A": 5, "00003-A": 2}
    assert {place.sheet: place.chunk for place in places} == {"00001-A": 0, "00002-A": 1, "00003-A": 2}


def test_no_sheet_lies_in_two_chunks_and_no_chunk_is_too_large() -> None:
    places = list(plan(people(*((f"S{number}", number % 7 + 1) for number in range(40))), chunk=10))
    chunks = {number: sum(place.chunk == number for place in places) for number in {place.chunk for place in places}}
    assert max(chunks.values()) <= 10
    assert all(len({place.chunk for place in places if place.sheet == sheet}) == 1 for sheet in sheets_of(places))


def test_a_chunk_of_more_people_than_a_sheet_holds_has_several_sheets() -> None:
    places = list(plan(people(("A", 2 * SHEET + 1), ("B", 2)), chunk=2 * SHEET))
    assert sheets_of(places) == {"00001-A": SHEET, "00002-A": SHEET, "00003-A": 1, "00004-B": 2}
    assert {place.sheet: place.chunk for place in places} == {"00001-A": 0, "00002-A": 0, "00003-A": 1, "00004-B": 1}


def test_sheets_by_class_are_named_by_school_and_class_in_plain_letters() -> None:
    pupils = [(replace(PUPIL, id=f"HS{number}", class_name=name), bytes(32)) for number, name in enumerate(("9A", "9/B", "9A"))]
    assert sheets_of(list(plan(pupils, by=SheetBy.CLASS))) == {"00001-SM-9-B": 1, "00002-SM-9A": 2}


def test_a_person_twice_is_refused() -> None:
    with pytest.raises(BulkError, match="a person stands in the batch twice; give each one row"):
        list(plan(people(("A", 1), ("A", 1))))


@pytest.mark.parametrize(
    "change", [{"surname": "Lê"}, {"given_name": "Thị Hoà"}, {"school_id": "BL"}, {"id": "GV2"}, {"sex": Sex.MALE}, {"homeroom": "9A"}]
)
def test_facts_change_with_whatever_is_said_of_a_person(change: dict[str, object]) -> None:
    if "school_id" in change:
        other = replace(SCHOOL, id="BL")
        assert facts_of(TEACHER, other, WRAPPED) != facts_of(TEACHER, SCHOOL, WRAPPED)
        return
    assert facts_of(replace(TEACHER, **change), SCHOOL, WRAPPED) != facts_of(TEACHER, SCHOOL, WRAPPED)


@pytest.mark.parametrize("change", [{"identifier": "NTRVN-0109999002"}, {"short_name": "THCS Bằng Lăng"}, {"country": "LA"}])
def test_facts_change_with_what_a_certificate_says_of_the_school(change: dict[str, str]) -> None:
    assert facts_of(TEACHER, replace(SCHOOL, **change), WRAPPED) != facts_of(TEACHER, SCHOOL, WRAPPED)


def test_facts_change_with_the_wrapped_code() -> None:
    assert facts_of(TEACHER, SCHOOL, b"wrapped anew") != facts_of(TEACHER, SCHOOL, WRAPPED)


def test_the_digest_covers_the_batch_its_files_and_every_place() -> None:
    places = list(
        plan(
            people(
                ("A", 2),
            )
        )
    )
    made = digest("b1", FILES, places)
    assert made == digest("b1", FILES, list(places))
    others = [
        digest("b2", FILES, places),
        digest("b1", (SourceFile("teachers.csv", "11" * 32),), places),
        digest("b1", FILES, places[:1]),
        digest("b1", FILES, [places[0], replace(places[1], chunk=7)]),
        digest("b1", FILES, [places[0], replace(places[1], facts=b"\x01" * 32)]),
    ]
    assert made not in others


@pytest.fixture
def folder(tmp_path: Path) -> SheetFolder:
    return SheetFolder.create(tmp_path / "sheets")


def line(holder: str = "GV1", name: str = "Trần Thị Hoa", code: str = "AAAAA-BBBBB-CCCCC-DDDDD") -> Line:
    return Line(holder, name, "THCS Sao Mai", "", "1f", code)


def test_a_sheet_has_its_name_only_once_it_is_published(folder: SheetFolder) -> None:
    folder.write("a1", {"00001-SM": [line()]})
    assert [path.name for path in folder.path.iterdir()] == [".part-a1"]
    folder.publish("a1", ["00001-SM"])
    assert [path.name for path in folder.path.iterdir()] == ["00001-SM.csv"]
    sheet = folder.path / "00001-SM.csv"
    assert sheet.stat().st_mode & 0o777 == 0o600
    (read,) = csv.DictReader(io.StringIO(sheet.read_text("utf-8-sig"), newline=""))
    assert (read["holder"], read["certificate"], read["activation_code"]) == ("GV1", "1f", "AAAAA-BBBBB-CCCCC-DDDDD")


def test_publishing_again_changes_nothing(folder: SheetFolder) -> None:
    folder.write("a1", {"00001-SM": [line()]})
    for _ in range(2):
        folder.publish("a1", ["00001-SM"])
    assert len(list(folder.path.iterdir())) == 1


def test_publishing_goes_on_where_it_was_interrupted_between_link_and_unlink(folder: SheetFolder) -> None:
    folder.write("a1", {"00001-SM": [line()], "00002-BL": [line("GV2")]})
    (folder.path / "00001-SM.csv").hardlink_to(folder.path / ".part-a1" / "00001-SM.csv")
    folder.publish("a1", ["00001-SM", "00002-BL"])
    assert sorted(path.name for path in folder.path.iterdir()) == ["00001-SM.csv", "00002-BL.csv"]


def test_a_file_of_that_name_is_not_overwritten(folder: SheetFolder) -> None:
    folder.write("a1", {"00001-SM": [line()]})
    (folder.path / "00001-SM.csv").write_text("others' codes", encoding="utf-8")
    with pytest.raises(BulkError, match=r"00001-SM\.csv stands already and is not the sheet of this batch; move it away, then resume"):
        folder.publish("a1", ["00001-SM"])
    assert (folder.path / "00001-SM.csv").read_text(encoding="utf-8") == "others' codes"


def test_a_sheet_that_is_gone_is_told_of(folder: SheetFolder) -> None:
    with pytest.raises(BulkError, match=r"00001-SM\.csv is missing, and so is .*: certificates were issued whose codes it holds"):
        folder.publish("a1", ["00001-SM"])


def test_what_was_discarded_is_gone(folder: SheetFolder) -> None:
    folder.write("a1", {"00001-SM": [line()]})
    folder.discard("a1")
    folder.discard("a1")
    assert list(folder.path.iterdir()) == []


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("codes", encoding="utf-8")
    with pytest.raises(BulkError, match="is not empty and may hold the only copy of codes; name another folder"):
        SheetFolder.create(tmp_path)


def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(folder: SheetFolder) -> None:
    folder.write("a1", {"00001-SM": [line(name="=cmd|' /C calc'!A0")]})
    assert "'=cmd" in (folder.path / ".part-a1" / "00001-SM.csv").read_text("utf-8-sig")


def test_a_disk_that_takes_nothing_more_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(BulkError, match="cannot be written: Not a directory; put that right, then resume the batch"):
        SheetFolder(tmp_path / "file").write("a1", {})


def test_codes_do_not_show_in_a_repr() -> None:
    assert "AAAAA" not in repr(line())
