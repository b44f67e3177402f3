"""What `eduseal demo` shows, and that it can be shown again."""

from __future__ import annotations

from pathlib import Path

from tests.demo.conftest import EDUSEAL, Demo, run


def test_the_roster_has_three_schools_forty_staff_and_135_pupils(demo: Demo) -> None:
    rows = {name: len((demo.folder / "roster" / name).read_text("utf-8-sig").splitlines()) - 1 for name in _ROSTER}
    assert rows == {"schools.csv": 3, "teachers.csv": 40, "students.csv": 135}


def test_blocked_people_are_counted_by_reason_and_their_codes_stay_unsaid(demo: Demo) -> None:
    for reason in ("MISSING_CODE", "MALFORMED_CODE", "INCONSISTENT_CODE", "DUPLICATE_CODE"):
        assert reason in demo.said
    for line in (demo.folder / "roster" / "students.csv").read_text("utf-8-sig").splitlines()[1:]:
        code = line.rsplit(",", 1)[1]
        assert not code or code not in demo.said


def test_a_class_of_45_is_signed_and_every_verdict_is_right(demo: Demo) -> None:
    assert len(list((demo.folder / "records").glob("*.pdf"))) == 45
    assert "45 in records/" in demo.said
    assert "Every verdict is as it must be" in demo.said


def test_it_says_where_things_lie_and_what_to_try(demo: Demo) -> None:
    assert f"{demo.folder}/home/ca/root.pem" in demo.said
    assert "verify" in demo.said.partition("What to try next")[2]


def test_the_report_opens_without_network(demo: Demo) -> None:
    report = (demo.folder / "report.html").read_text(encoding="utf-8")
    assert "http://" not in report
    assert "https://" not in report
    assert "50 documents" in report


def test_it_can_be_run_again(tmp_path: Path) -> None:
    folder = tmp_path / "twice"
    first, second = (run(EDUSEAL, "demo", "--folder", folder) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0)
    assert len(list((folder / "records").glob("*.pdf"))) == 45


def test_it_never_removes_a_folder_that_is_not_a_demo(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    done = run(EDUSEAL, "demo", "--folder", tmp_path)
    assert done.returncode == 64
    assert "holds something that is not a demo" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_the_passphrase_and_the_keys_are_for_their_owner_alone(demo: Demo) -> None:
    private = [demo.folder / "passphrase", *(path for path in (demo.home / "keys").rglob("*") if path.is_file())]
    assert len(private) > 4
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}


_ROSTER = ("schools.csv", "teachers.csv", "students.csv")


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    """RLIMIT_FSIZE stands in for a full disk: no file may grow beyond 64 KiB."""
    folder = tmp_path / "show"
    done = run("sh", "-c", f"ulimit -f 128; exec {EDUSEAL} demo --folder {folder}")
    assert done.returncode >= 64
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("eduseal: ")
    assert not folder.exists()
