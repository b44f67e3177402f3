"""Columns for people, cells for spreadsheets."""

from __future__ import annotations

from cli._table import aligned, csv_line


def test_columns_line_up_with_vietnamese_and_chinese():
    assert list(aligned(("NAME", "ROLE"), [("Nguyễn Thị Ánh", "teacher"), ("王小明", "student")])) == [
        "NAME            ROLE",
        "Nguyễn Thị Ánh  teacher",
        "王小明          student",
    ]


def test_headings_stand_over_nothing():
    assert list(aligned(("A", "B"), [])) == ["A  B"]


def test_a_cell_cannot_move_the_cursor():
    assert "\x1b" not in "".join(aligned(("A",), [("\x1b[2Jx",)]))


def test_a_long_cell_goes_on_below():
    assert list(aligned(("F", "OLD"), [("a", "one two three")], indent="  ", wrap=8)) == ["  F  OLD", "  a  one two", "     three"]


def test_a_formula_is_made_text():
    assert csv_line(("=1+1", "@x", "-3", "plain", 'with "quotes"')) == '\'=1+1,\'@x,\'-3,plain,"with ""quotes"""\r\n'
