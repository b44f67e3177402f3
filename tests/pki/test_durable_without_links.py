"""Shares and transcripts are written onto memory sticks too, whose file systems know no hard links."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pki.durable import FileTakenError, write_new


@pytest.fixture(autouse=True)
def no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)  # what Linux says on FAT


def test_a_file_is_written_where_there_are_no_links(tmp_path: Path) -> None:
    write_new(tmp_path / "share-1-of-3.txt", b"words")
    assert [(path.name, path.read_bytes(), path.stat().st_mode & 0o777) for path in tmp_path.iterdir()] == [
        ("share-1-of-3.txt", b"words", 0o600)
    ]


@pytest.mark.parametrize("standing", ["file", "dangling link"])
def test_a_name_that_is_taken_is_not_touched_there_either(tmp_path: Path, standing: str) -> None:
    path = tmp_path / "share-1-of-3.txt"
    if standing == "file":
        path.write_bytes(b"theirs")
    else:
        path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileTakenError, match="stands already; it was not touched"):
        write_new(path, b"words")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["share-1-of-3.txt"]
    assert standing == "dangling link" or path.read_bytes() == b"theirs"
