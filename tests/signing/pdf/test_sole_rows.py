"""First cross-reference tables whose rows are made into entries only when asked for: read as any other table, and checked as strictly."""

from __future__ import annotations

import random

import pytest

from signing.errors import PdfError
from signing.pdf.document import Document
from signing.pdf.rows import SoleRows, XrefEntry, offsets, read_rows
from signing.verifying.own_make import _plain
from tests.support.signing_cases import canonical_pdf

ROWS = b"0000000000 65535 f \n0000000015 00000 n \n0000000099 00000 n\r\n"


def table(data: bytes) -> SoleRows:
    entries = Document.parse(data).revisions[0].entries
    assert isinstance(entries, SoleRows)
    return entries


def with_row(data: bytes, number: int, row: bytes) -> bytes:
    at = data.rindex(b"0000000000 65535 f") + 20 * number
    return data[:at] + row + data[at + len(row) :]


def test_entries_are_those_that_reading_every_row_gives() -> None:
    rng = random.Random(5)
    rows = b"".join(
        [
            b"0000000000 65535 f \n",
            *(b"%010d 00000 n%b" % (rng.randrange(10**10), rng.choice((b" \n", b" \r", b"\r\n"))) for _ in range(300)),
        ]
    )
    found = SoleRows.read(rows)
    assert found is not None
    expected = read_rows(rows, 0)
    assert expected is not None
    assert list(offsets(found)) == list(offsets(expected))
    assert (dict(found), len(found), found.get(-1), found.get(301)) == (expected, 301, None, None)
    assert found[7] is found[7]


def test_a_number_beyond_the_table_has_no_entry() -> None:
    found = SoleRows.read(ROWS)
    assert found is not None
    assert (found.get(3), 3 in found, -1 in found) == (None, False, False)
    with pytest.raises(KeyError):
        found[3]


@pytest.mark.parametrize(
    "rows",
    [
        b"0000000000 65535 f \n",
        b"0000000000 65535 n \n0000000015 00000 n \n",
        b"0000000000 65535 f \n0000000015 00000 f \n",
        b"0000000000 65535 f \n0000000015 00001 n \n",
        b"0000000000 65535 f \n0000000015 00000 n \n0000000099 00000 f \n",
    ],
    ids=["object 0 alone", "object 0 in use", "freed", "generation 1", "last one freed"],
)
def test_rows_of_other_kinds_are_read_as_before(rows: bytes) -> None:
    assert SoleRows.read(rows) is None


def test_a_row_that_points_beside_its_object_is_refused() -> None:
    data = canonical_pdf()
    for number in (1, 2, len(table(data)) - 1):
        moved = with_row(data, number, b"%010d" % (table(data).offsets[number] + 1))
        with pytest.raises(PdfError, match=f"says object {number} is at"):
            Document.parse(moved)


def test_a_row_that_points_to_another_object_is_refused() -> None:
    data = canonical_pdf()
    with pytest.raises(PdfError, match="says object 5 is at"):
        Document.parse(with_row(data, 5, b"%010d" % table(data).offsets[6]))


def test_a_row_that_points_beyond_the_file_is_refused() -> None:
    with pytest.raises(PdfError, match="says object 5 is at 9999999999"):
        Document.parse(with_row(canonical_pdf(), 5, b"9999999999"))


def test_a_row_that_points_into_a_later_revision_is_refused() -> None:
    data = canonical_pdf()
    entries, size = table(data), len(data)
    later = b"5 0 obj\nnull\nendobj\n"
    startxref = Document.parse(data).revisions[0].xref_offset
    update = b"xref\n0 0\ntrailer << /Size %d /Root %d 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n"
    root = Document.parse(data).trailer["Root"].number  # type: ignore[union-attr]
    longer = with_row(data, 5, b"%010d" % size) + later
    with pytest.raises(PdfError, match="object 5 stands after the revision that names it"):
        Document.parse(longer + update % (len(entries), root, startxref, len(longer)))


def test_a_freed_object_makes_a_table_that_our_writer_does_not_write() -> None:
    data = canonical_pdf()
    freed = Document.parse(with_row(data, 5, b"0000000000 00000 f")).revisions[0]
    assert (_plain(Document.parse(data).revisions[0]), _plain(freed)) == (True, False)
    assert freed.entries[5] == XrefEntry(5, 0, "free")


def test_a_second_subsection_may_not_name_an_object_again() -> None:
    data = canonical_pdf()
    again = b"5 1\n%010d 00000 n \n" % table(data).offsets[5]
    at = data.rindex(b"trailer")
    with pytest.raises(PdfError, match="an object from 5 to 5 stands twice"):
        Document.parse(data[:at] + again + data[at:])
