"""`eduseal verify` on the demo's folder, against the contract: exit status, jsonl, and every verdict right, now and in years to come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from config.house import House
from tests.demo.conftest import EDUSEAL, Demo, run

KEYS = {"file", "sha256", "indication", "sub_indication", "entitlement", "signatures", "timestamps", "record", "messages", "engine", "ms"}
SIGNATURE_KEYS = {
    *("field", "indication", "sub_indication", "level", "signer", "claimed_time"),
    *("best_signature_time", "coverage", "changes", "messages"),
}


def test_the_class_passes_with_exit_status_0(demo: Demo) -> None:
    status, rows = demo.verify(demo.folder / "records", "--home", demo.home)
    assert status == 0
    assert {(row["indication"], row["entitlement"], row["record"]["status"]) for row in rows.values()} == {
        ("TOTAL-PASSED", "complete", "current")
    }
    assert {signature["level"] for row in rows.values() for signature in row["signatures"]} == {"PAdES-BASELINE-LTA"}
    assert {tuple(signature["signer"]["role"] for signature in row["signatures"]) for row in rows.values()} == {
        ("teacher", "principal", "school-seal")
    }


def test_a_line_has_the_members_of_the_contract(demo: Demo) -> None:
    _, rows = demo.verify(demo.genuine[0], "--trust", demo.root_pem)
    (row,) = rows.values()
    assert set(row) == KEYS
    assert all(set(signature) == SIGNATURE_KEYS for signature in row["signatures"])
    assert set(row["signatures"][0]["signer"]) == {"name", "role", "organization", "identifier", "serial"}
    assert set(row["record"]) == {"id", "version", "status"}


def test_earlier_signatures_saw_form_filling_and_the_last_one_lta_updates(demo: Demo) -> None:
    _, rows = demo.verify(demo.genuine[0], "--trust", demo.root_pem)
    (row,) = rows.values()
    assert [signature["changes"] for signature in row["signatures"]] == ["form-filling", "form-filling", "lta"]
    assert {signature["coverage"] for signature in row["signatures"]} == {"entire-revision"}


def test_tampered_copies_fail_with_exit_status_1(demo: Demo) -> None:
    status, rows = demo.verify(demo.folder / "forged", "--home", demo.home)
    assert status == 1
    assert rows["altered-in-place.pdf"]["indication"] == "TOTAL-FAILED"
    assert rows["altered-in-place.pdf"]["sub_indication"] == "HASH_FAILURE"
    assert rows["edited-afterwards.pdf"]["indication"] == "TOTAL-FAILED"
    assert {signature["changes"] for signature in rows["edited-afterwards.pdf"]["signatures"]} == {"undefined"}


def test_a_pupil_and_a_cut_are_indeterminate_with_exit_status_2(demo: Demo) -> None:
    files = [demo.folder / "forged" / name for name in ("signed-by-a-pupil.pdf", "cut-back.pdf")]
    status, rows = demo.verify(*files, "--trust", demo.root_pem)
    assert status == 2
    assert {name: (row["indication"], row["sub_indication"], row["entitlement"]) for name, row in rows.items()} == {
        "signed-by-a-pupil.pdf": ("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "not-entitled"),
        "cut-back.pdf": ("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "incomplete"),
    }


def test_the_superseded_version_passes_and_is_marked_with_exit_status_3(demo: Demo) -> None:
    status, rows = demo.verify(demo.folder / "superseded", "--home", demo.home)
    (row,) = rows.values()
    assert status == 3
    assert (row["indication"], row["record"]["status"], row["record"]["version"]) == ("TOTAL-PASSED", "superseded", 1)


def test_without_the_books_the_superseded_version_only_passes(demo: Demo) -> None:
    status, rows = demo.verify(demo.folder / "superseded", "--trust", demo.root_pem)
    (row,) = rows.values()
    assert (status, row["record"]["status"]) == (0, None)


def test_one_year_on_offline_the_class_still_passes(demo: Demo) -> None:
    at = (datetime.now(UTC) + timedelta(days=366)).isoformat()
    status, rows = demo.verify(demo.folder / "records", "--trust", demo.root_pem, "--at", at)
    assert status == 0
    assert {row["indication"] for row in rows.values()} == {"TOTAL-PASSED"}
    told = {message["code"] for row in rows.values() for stamp in row["timestamps"] for message in stamp["messages"]}
    assert "TSA_REVOCATION_NOT_FRESH" in told


def test_after_the_tsa_certificate_expired_the_class_is_indeterminate(demo: Demo, house: House) -> None:
    expiry = x509.load_der_x509_certificate(house.authority.tsa.certificate_der).not_valid_after_utc
    before, after = ((expiry + timedelta(days=days)).isoformat() for days in (-2, 2))
    assert demo.verify(demo.genuine[0], "--trust", demo.root_pem, "--at", before)[0] == 0
    status, rows = demo.verify(demo.genuine[0], "--trust", demo.root_pem, "--at", after)
    (row,) = rows.values()
    assert status == 2
    assert (row["indication"], row["sub_indication"]) in {("INDETERMINATE", "NO_POE"), ("INDETERMINATE", "OUT_OF_BOUNDS_NO_POE")}


def test_a_stranger_who_trusts_nobody_gets_no_pass(demo: Demo) -> None:
    status, rows = demo.verify(demo.genuine[0])
    (row,) = rows.values()
    assert (status, row["indication"], row["sub_indication"]) == (2, "INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND")


def test_an_authority_lying_beside_the_file_lends_no_trust(demo: Demo, tmp_path: Path) -> None:
    """Attack class 44: an unpacked archive with a `var` folder in it."""
    (tmp_path / "var").symlink_to(demo.home)
    done = run("env", "-C", tmp_path, EDUSEAL, "verify", demo.genuine[0])
    assert done.returncode == 2
    assert "NO_CERTIFICATE_CHAIN_FOUND" in done.stdout


def test_the_table_names_the_anchor_by_its_fingerprint(demo: Demo) -> None:
    from cryptography.hazmat.primitives import hashes

    root = x509.load_pem_x509_certificate(demo.root_pem.read_bytes())
    done = run(EDUSEAL, "verify", demo.genuine[0], "--trust", demo.root_pem)
    assert root.fingerprint(hashes.SHA256()).hex() in done.stdout.replace(":", "").lower()


def test_the_home_may_be_named_before_the_command(demo: Demo) -> None:
    done = run(EDUSEAL, "--home", demo.home, "verify", demo.folder / "superseded")
    assert done.returncode == 3
    assert "superseded" in done.stdout
