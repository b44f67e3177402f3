"""`eduseal verify` as transcripts: what is typed, what is printed, the exit status."""

from __future__ import annotations

import csv
import io
import json
import os
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.verify_cases import exported, good_record, standing_house

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def altered(tmp_path: Path) -> Path:
    path = tmp_path / "altered.pdf"
    path.write_bytes(good_record().replace(b"/MediaBox", b"/Mediabox", 1))
    return path


# --- exit status


def test_genuine_record_exits_with_0(eduseal: Run, good_pdf: Path, root_pem: Path, moment: str) -> None:
    status, out, err = eduseal("verify", good_pdf, "--trust", root_pem, "--at", moment)
    assert (status, err) == (0, "")
    assert "TOTAL-PASSED   complete" in out
    assert "1 document: 1 TOTAL-PASSED" in out


def test_table_names_each_anchors_fingerprint(eduseal: Run, good_pdf: Path, root_pem: Path, moment: str) -> None:
    _, out, _ = eduseal("verify", good_pdf, "--trust", root_pem, "--at", moment)
    assert standing_house().trust.anchors[0].fingerprint in out


def test_altered_record_exits_with_1(eduseal: Run, good_pdf: Path, altered: Path, root_pem: Path, moment: str) -> None:
    status, out, _ = eduseal("verify", good_pdf, altered, "--trust", root_pem, "--at", moment)
    assert status == 1
    assert "DIGEST_MISMATCH" in out


def test_unsigned_document_exits_with_2(eduseal: Run, tmp_path: Path, root_pem: Path) -> None:
    (tmp_path / "draft.pdf").write_bytes(exported())
    status, out, _ = eduseal("verify", tmp_path / "draft.pdf", "--trust", root_pem)
    assert status == 2
    assert "NO-SIGNATURE" in out


def test_untrusted_issuer_exits_with_2_and_says_how_to_name_one(eduseal: Run, good_pdf: Path, moment: str) -> None:
    status, out, _ = eduseal("verify", good_pdf, "--at", moment)
    assert status == 2
    assert "No trust anchor: name one with --trust FILE.pem" in out


@pytest.mark.parametrize("content", [b"", b"no PDF", b"%PDF-1.7\n/ByteRange"], ids=["empty", "text", "broken"])
def test_file_that_is_no_pdf_never_exits_with_0(eduseal: Run, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pdf").write_bytes(content)
    status, out, err = eduseal("verify", tmp_path / "x.pdf")
    assert status in (1, 2)
    assert "Traceback" not in out + err


def test_one_year_later_offline_exits_with_0(eduseal: Run, good_pdf: Path, root_pem: Path) -> None:
    later = (standing_house().now + timedelta(days=365)).isoformat()
    assert eduseal("verify", good_pdf, "--trust", root_pem, "--at", later)[0] == 0


def test_after_the_tsa_certificate_expires_exits_with_2(eduseal: Run, good_pdf: Path, root_pem: Path) -> None:
    later = (standing_house().now + timedelta(days=2200)).isoformat()
    assert eduseal("verify", good_pdf, "--trust", root_pem, "--at", later)[0] == 2


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["verify"], 64, "name what to verify: files, folders or ZIP archives, or a --list of them"),
        (["verify", "x.pdf", "--nope"], 64, "No such option: --nope"),
        (["verify", "x.pdf", "--at", "yesterday"], 64, "--at is 'yesterday', expected RFC 3339"),
        (["verify", "x.pdf", "--at", "2026-01-01T00:00:00"], 64, "names no time zone"),
        (["verify", "x.pdf", "--at", "9999-12-31T23:59:59Z"], 64, "expected a moment from 1970 to 9998"),
        (["verify", "x.pdf", "--at", "0001-01-01T00:00:00+14:00"], 64, "expected a moment from 1970 to 9998"),
        (["verify", "x.pdf", "--evidence", "/dev/zero"], 64, "/dev/zero: 67108865 octets, more than the 67108864"),
        (["verify", "x.pdf", "--policy", "lax"], 64, "policy 'lax' is neither a file nor one of"),
        (["verify", "x.pdf", "--workers", "0"], 64, "--workers is 0, expected 1 to 64"),
        (["verify", "x.pdf", "--resume"], 64, "--resume needs the --report FILE"),
        (["verify", "x.pdf", "--online", "--at", "2027-01-01T00:00:00Z"], 64, "--online asks what is known now"),
        (["verify", "x.pdf", "--format", "xml"], 64, "Invalid value for '--format'"),
        (["verify", "nowhere.pdf"], 66, "nowhere.pdf: cannot be read (No such file or directory)"),
        (["verify", "x.pdf", "--trust", "nowhere.pem"], 74, "nowhere.pem: No such file or directory"),
        (["frobnicate"], 64, "No such command 'frobnicate'"),
    ],
)
def test_wrong_usage_is_one_line_and_64_or_more(
    eduseal: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.pdf").write_bytes(b"")
    got, out, err = eduseal(*arguments)
    assert (got, out) == (status, "")
    assert message in err
    assert err.count("\n") == 1


def test_trust_file_without_certificate_is_refused(eduseal: Run, good_pdf: Path, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text("no certificate")
    status, _, err = eduseal("verify", good_pdf, "--trust", tmp_path / "root.pem")
    assert status == 64
    assert "holds no certificate; expected PEM or DER" in err


def test_evidence_of_no_known_kind_is_refused(eduseal: Run, good_pdf: Path, tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"\0\1\2")
    status, _, err = eduseal("verify", good_pdf, "--evidence", tmp_path / "x.bin")
    assert status == 64
    assert "is no certificate, CRL or OCSP response" in err


def test_folder_without_pdf_is_an_input_error(eduseal: Run, tmp_path: Path) -> None:
    status, _, err = eduseal("verify", tmp_path)
    assert status == 66
    assert "no PDF found in" in err


# --- trust comes only from what the caller names (attack class 44)


def home(folder: Path) -> Path:
    (folder / "ca").mkdir(parents=True)
    root = x509.load_der_x509_certificate(standing_house().house.authority.root_der)
    (folder / "ca" / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    return folder


def test_anchor_planted_in_var_beside_the_file_is_not_trusted(
    eduseal: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    home(tmp_path / "var")
    (tmp_path / "record.pdf").write_bytes(good_record())
    monkeypatch.chdir(tmp_path)
    status, out, _ = eduseal("verify", "record.pdf", "--at", moment)
    assert status == 2
    assert "No trust anchor" in out


def test_anchor_planted_in_the_folder_that_is_verified_is_not_trusted(eduseal: Run, tmp_path: Path, moment: str) -> None:
    home(tmp_path / "var")
    (tmp_path / "record.pdf").write_bytes(good_record())
    assert eduseal("verify", tmp_path, "--at", moment)[0] == 2


def test_home_that_the_caller_names_is_trusted(eduseal: Run, good_pdf: Path, tmp_path: Path, moment: str) -> None:
    assert eduseal("verify", good_pdf, "--home", home(tmp_path / "authority"), "--at", moment)[0] == 0


def test_home_named_by_the_environment_is_trusted(
    eduseal: Run, good_pdf: Path, tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDUSEAL_HOME", str(home(tmp_path / "authority")))
    assert eduseal("verify", good_pdf, "--at", moment)[0] == 0


def test_home_without_an_authority_is_refused(eduseal: Run, good_pdf: Path, tmp_path: Path) -> None:
    status, _, err = eduseal("verify", good_pdf, "--home", tmp_path)
    assert status == 66
    assert "holds no authority (no ca/root.pem)" in err


# --- forms


def test_jsonl_is_one_object_a_document_in_the_shape_of_the_contract(
    eduseal: Run, good_pdf: Path, altered: Path, root_pem: Path, moment: str
) -> None:
    _, out, _ = eduseal("verify", good_pdf, altered, "--trust", root_pem, "--at", moment, "--format", "jsonl")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["indication"] for row in rows] == ["TOTAL-PASSED", "TOTAL-FAILED"]
    assert list(rows[0]) == [
        *("file", "sha256", "indication", "sub_indication", "entitlement", "signatures", "timestamps", "record", "messages", "engine", "ms")
    ]
    assert list(rows[0]["signatures"][0]) == [
        *("field", "indication", "sub_indication", "level", "signer", "claimed_time", "best_signature_time", "coverage", "changes"),
        "messages",
    ]
    assert list(rows[0]["signatures"][0]["signer"]) == ["name", "role", "organization", "identifier", "serial"]


def test_csv_and_html_go_to_standard_output_too(eduseal: Run, good_pdf: Path, root_pem: Path, moment: str) -> None:
    _, table, _ = eduseal("verify", good_pdf, "--trust", root_pem, "--at", moment, "--format", "csv")
    assert len(list(csv.reader(io.StringIO(table)))) == 2
    _, page, _ = eduseal("verify", good_pdf, "--trust", root_pem, "--at", moment, "--format", "html")
    assert page.startswith("<!doctype html>")


def test_folder_and_archive_give_the_same_rows(eduseal: Run, tmp_path: Path, root_pem: Path, moment: str) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.pdf").write_bytes(good_record())
    (folder / "deep" / "b.pdf").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.write(folder / "a.pdf", "a.pdf")
        archive.write(folder / "deep" / "b.pdf", "deep/b.pdf")
    seen = []
    for place in (folder, tmp_path / "in.zip"):
        _, out, _ = eduseal("verify", place, "--trust", root_pem, "--at", moment, "--format", "jsonl", "--workers", "2")
        seen.append([(row["sha256"], row["indication"]) for row in map(json.loads, out.splitlines())])
    assert seen[0] == seen[1]
    assert len(seen[0]) == 2


def test_file_name_cannot_write_to_the_terminal(eduseal: Run, tmp_path: Path) -> None:
    path = tmp_path / "\x1b[2Jclear.pdf"
    path.write_bytes(b"")
    _, out, _ = eduseal("verify", path)
    assert "\x1b" not in out


def test_policy_may_be_a_file(eduseal: Run, good_pdf: Path, root_pem: Path, moment: str, tmp_path: Path) -> None:
    shipped = Path(__file__).parents[2] / "certs" / "policies" / "record.toml"
    (tmp_path / "own.toml").write_text(shipped.read_text(encoding="utf-8").replace('name = "record"', 'name = "own"'), encoding="utf-8")
    status, out, _ = eduseal("verify", good_pdf, "--trust", root_pem, "--at", moment, "--policy", tmp_path / "own.toml")
    assert status == 0
    assert out.startswith("Policy own, as of")


# --- reports and resuming


def test_report_appears_whole_and_leaves_no_journal(eduseal: Run, good_pdf: Path, root_pem: Path, moment: str, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    status, out, _ = eduseal("verify", good_pdf, "--trust", root_pem, "--at", moment, "--report", report)
    assert status == 0
    assert "TOTAL-PASSED" in out
    assert len(list(csv.reader(io.StringIO(report.read_text(encoding="utf-8"))))) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["report.csv"]


def test_report_that_cannot_be_written_is_an_io_error(eduseal: Run, good_pdf: Path, tmp_path: Path) -> None:
    status, _, err = eduseal("verify", good_pdf, "--report", tmp_path / "nowhere" / "r.csv")
    assert status == 74
    assert "No such file or directory" in err


@pytest.fixture
def interrupted(tmp_path: Path, eduseal: Run, root_pem: Path, moment: str) -> tuple[Path, Path]:
    """A folder of four, and the journal of a run over it that was cut off in the middle of the third row."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("1.pdf", "2.pdf", "3.pdf", "4.pdf"):
        (folder / name).write_bytes(good_record() if name == "1.pdf" else b"")
    report = tmp_path / "r.jsonl"
    eduseal("verify", folder, "--trust", root_pem, "--at", moment, "--report", report)
    lines = report.read_bytes().splitlines(keepends=True)
    header = _header(tmp_path, eduseal, folder, root_pem, moment)
    (tmp_path / "r.jsonl.partial").write_bytes(header + lines[0] + lines[1] + lines[2][:50])
    report.rename(tmp_path / "whole.jsonl")
    return folder, report


def _header(tmp_path: Path, eduseal: Run, folder: Path, root_pem: Path, moment: str) -> bytes:
    """The journal's first line, as a run writes it: taken from one whose report cannot be renamed into place."""
    (tmp_path / "blocked.jsonl").mkdir()
    eduseal("verify", folder, "--trust", root_pem, "--at", moment, "--report", tmp_path / "blocked.jsonl")
    return (tmp_path / "blocked.jsonl.partial").read_bytes().splitlines(keepends=True)[0]


def _without_time(text: str) -> list[dict[str, object]]:
    return [{**json.loads(line), "ms": 0} for line in text.splitlines()]


def test_resumed_run_gives_the_report_of_an_uninterrupted_one(
    eduseal: Run, interrupted: tuple[Path, Path], root_pem: Path, moment: str
) -> None:
    folder, report = interrupted
    status, _, _ = eduseal("verify", folder, "--trust", root_pem, "--at", moment, "--report", report, "--resume")
    assert status == 2
    assert _without_time(report.read_text()) == _without_time(report.with_name("whole.jsonl").read_text())


def test_resuming_judges_a_file_again_that_has_changed(eduseal: Run, interrupted: tuple[Path, Path], root_pem: Path, moment: str) -> None:
    folder, report = interrupted
    (folder / "1.pdf").write_bytes(good_record().replace(b"/MediaBox", b"/Mediabox", 1))
    status, _, _ = eduseal("verify", folder, "--trust", root_pem, "--at", moment, "--report", report, "--resume")
    assert status == 1


def test_resuming_under_another_trust_is_refused(eduseal: Run, interrupted: tuple[Path, Path], moment: str) -> None:
    folder, report = interrupted
    status, _, err = eduseal("verify", folder, "--at", moment, "--report", report, "--resume")
    assert status == 64
    assert "was begun with other trust, policy or --at" in err


# --- the command itself


def test_without_a_command_the_help_is_shown(eduseal: Run) -> None:
    status, out, err = eduseal()
    assert status == 64
    assert "verify" in out + err


def test_help_of_verify_tells_the_exit_status(eduseal: Run) -> None:
    status, out, _ = eduseal("verify", "--help")
    assert status == 0
    assert "Exit status: 0 all passed" in " ".join(out.split())


# --- lists


@pytest.mark.parametrize("end", ["\n", "\0", "\r\n"])
def test_list_is_verified_like_arguments(eduseal: Run, good_pdf: Path, root_pem: Path, moment: str, tmp_path: Path, end: str) -> None:
    (tmp_path / "unsigned.pdf").write_bytes(b"")
    (tmp_path / "list").write_bytes(os.fsencode(f"{good_pdf}{end}{tmp_path / 'unsigned.pdf'}{end}"))
    status, out, _ = eduseal("verify", "--list", tmp_path / "list", "--trust", root_pem, "--at", moment, "--format", "jsonl")
    assert status == 2
    assert [json.loads(line)["file"] for line in out.splitlines()] == [str(good_pdf), str(tmp_path / "unsigned.pdf")]


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (b"\n\n", 66, "list: lists no file, folder or archive"),
        (b"/nowhere/1.pdf\n", 66, "/nowhere/1.pdf: cannot be read (No such file or directory)"),
    ],
)
def test_list_without_what_it_names_is_an_input_error(eduseal: Run, tmp_path: Path, content: bytes, status: int, message: str) -> None:
    (tmp_path / "list").write_bytes(content)
    found, out, err = eduseal("verify", "--list", tmp_path / "list")
    assert (found, out) == (status, "")
    assert message in err
