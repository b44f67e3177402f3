"""Files, folders and archives, read within bounds."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from signing.bulk import intake
from signing.bulk.intake import IntakeError, Item, find_items, read_item
from signing.errors import LimitError


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def test_folder_gives_every_pdf_below_it_sorted(tmp_path: Path) -> None:
    for name in ("b/2.PDF", "b/1.pdf", "a.pdf", "note.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = [Path(item.name).relative_to(tmp_path).as_posix() for item in find_items([str(tmp_path)])]
    assert found == ["a.pdf", "b/1.pdf", "b/2.PDF"]


def test_file_named_by_the_caller_counts_whatever_its_suffix(tmp_path: Path) -> None:
    path = tmp_path / "download"
    path.write_bytes(b"%PDF")
    assert read_item(next(find_items([str(path)]))) == b"%PDF"


def test_archive_gives_its_pdfs(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", {"k/1.pdf": b"one", "k/readme.txt": b"no", "2.pdf": b"two"})
    items = list(find_items([str(path)]))
    assert [(item.name.removeprefix(str(path)), read_item(item)) for item in items] == [(":k/1.pdf", b"one"), (":2.pdf", b"two")]


def test_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="nowhere: cannot be read \\(No such file or directory\\)"):
        list(find_items([str(tmp_path / "nowhere")]))


def test_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(IntakeError, match="neither a file nor a folder"):
        list(find_items([str(tmp_path / "pipe")]))


def test_pipe_in_a_folder_is_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pdf")
    assert list(find_items([str(tmp_path)])) == []


def test_link_to_a_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "self").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "a.pdf").write_bytes(b"x")
    assert len(list(find_items([str(tmp_path / "in")]))) == 1


def test_archive_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04 and nothing else")
    with pytest.raises(IntakeError, match="is not a ZIP archive that can be read"):
        list(find_items([str(tmp_path / "x.zip")]))


def test_member_that_unpacks_out_of_proportion_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", {"bomb.pdf": bytes(3 * intake.RATIO_FLOOR)})
    with pytest.raises(LimitError, match="more than 200 times"):
        read_item(next(find_items([str(path)])))


def test_overlapping_entries_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", {"1.pdf": os.urandom(5000)})
    data = path.read_bytes()
    directory = data.rindex(b"PK\x01\x02")
    end = data.rindex(b"PK\x05\x06")
    entry = data[directory:end]
    copies = 5
    tail = bytearray(data[end:])
    tail[8:12] = copies.to_bytes(2, "little") * 2
    tail[12:16] = (copies * len(entry)).to_bytes(4, "little")
    path.write_bytes(data[:directory] + entry * copies + tail)
    with pytest.raises(IntakeError, match="its entries overlap"):
        list(find_items([str(path)]))


def test_member_with_damaged_data_is_an_error_of_its_own(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", {"1.pdf": b"hello" * 100})
    data = bytearray(path.read_bytes())
    data[40] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(IntakeError, match="cannot be"):
        read_item(next(find_items([str(path)])))


def test_encrypted_member_is_an_error_of_its_own(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("1.pdf", b"x")
    data = bytearray(buffer.getvalue())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(IntakeError, match=r"x\.zip:1\.pdf: cannot be read \(it is encrypted\)$"):
        read_item(next(find_items([str(tmp_path / "x.zip")])))


def test_document_above_the_limit_is_refused_before_reading() -> None:
    with pytest.raises(LimitError, match="more than the"):
        read_item(Item(name="huge.pdf", path="/nowhere", size=intake.MAX_DOCUMENT + 1))


def test_a_member_without_a_name_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "nameless.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.pdf", b"%PDF-1.7")
        archive.writestr("b.pdf", b"%PDF-1.7")
    octets = bytearray(path.read_bytes())
    entry = octets.rindex(b"b.pdf") - 46  # in the central directory
    octets[entry + 28 : entry + 34] = bytes((0, 0, 0, 0, 5, 0))  # no name; what was one is a comment
    path.write_bytes(octets)
    assert [item.name for item in find_items([str(path)])] == [f"{path}:a.pdf"]


def crowded(path: Path, entries: int) -> Path:
    """An archive of one document that its directory names so many times."""
    archive(path, {"1.pdf": b""})
    data = path.read_bytes()
    directory, end = data.rindex(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    entry, tail = data[directory:end], bytearray(data[end:])
    tail[12:16] = (entries * len(entry)).to_bytes(4, "little")
    path.write_bytes(data[:directory] + entry * entries + tail)
    return path


def test_entries_are_counted_before_anything_is_made_of_them(tmp_path: Path) -> None:
    path = crowded(tmp_path / "x.zip", intake.MAX_MEMBERS + 1)
    with pytest.raises(IntakeError, match="200001 entries, more than the 200000 that are read of one archive"):
        list(find_items([str(path)]))


def test_directory_of_an_archive_is_bounded_before_it_is_read(tmp_path: Path) -> None:
    path = crowded(tmp_path / "x.zip", 1)
    data = bytearray(path.read_bytes())
    end = data.rindex(b"PK\x05\x06")
    size = intake.MAX_DIRECTORY + 1
    data[end + 12 : end + 16] = size.to_bytes(4, "little")
    with path.open("wb") as file:
        file.write(data[:4])
        file.seek(size)  # a hole, as wide as the directory is said to be
        file.write(data)
    with pytest.raises(IntakeError, match=f"a directory of {size} octets, more than the {intake.MAX_DIRECTORY}"):
        list(find_items([str(path)]))


def test_archive_cut_off_behind_an_archive_that_it_held_is_refused(tmp_path: Path) -> None:
    """Readers of archives look for a directory from the end: they would show the inner one's documents as if there were no others."""
    inner = archive(tmp_path / "inner.zip", {"inner.pdf": b"%PDF"}).read_bytes()
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as outer:
        outer.writestr("inner.zip", inner)
        outer.writestr("other.pdf", b"%PDF")
    whole = (tmp_path / "x.zip").read_bytes()
    (tmp_path / "x.zip").write_bytes(whole[: whole.index(inner) + len(inner)])
    with pytest.raises(IntakeError, match="holds something before what its directory names, as an archive does that was cut off"):
        list(find_items([str(tmp_path / "x.zip")]))
