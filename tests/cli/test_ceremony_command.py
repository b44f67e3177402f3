"""`eduseal ceremony` as people meet it: a root held by shares, an issuing authority, a rollover; and what is refused, word for word."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.main import main
from config.ceremony_files import example

Run = Callable[..., tuple[int, str, str]]
PINS = {"an": "mèo mun bảy 1", "chi": "chó vện tám 2"}


def lay_out(folder: Path) -> Path:
    """The files that people bring: ceremonies, PINs, empty folders."""
    for name in ("shares", "usb"):
        (folder / name).mkdir(parents=True)
    for name in ("root", "issuing", "rollover"):
        (folder / f"{name}.toml").write_text(example(name))
    for officer, pin in PINS.items():
        (folder / f"{officer}.pin").write_text(pin + "\n")
        (folder / f"{officer}.pin").chmod(0o600)
    return folder


def shares(*numbers: int) -> list[str]:
    return [word for number in numbers for word in ("--share", f"shares/share-{number}-of-3.txt")]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vault with two officers, nothing certified."""
    folder = lay_out(tmp_path_factory.mktemp("vault") / "desk")
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        assert main(["ceremony", "begin", "root.toml", "--home", "vault", "--shares", "shares"]) == 0
        for officer in PINS:
            words = ["ceremony", "officer", officer, "--name", officer, "--pin-file", f"{officer}.pin", "--home", "vault"]
            assert main([*words, *shares(1, 2)]) == 0
    return folder


@pytest.fixture
def desk(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "desk"
    shutil.copytree(template, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("EDUSEAL_PASSPHRASE", "correct horse")
    return folder


def asked(eduseal: Run, file: str, *, by: str = "an") -> str:
    words = ("--by", by, "--pin-file", f"{by}.pin", "--folder", "usb", "--home", "vault", *shares(1, 3))
    status, out, err = eduseal("ceremony", "ask", file, *words)
    assert (status, err) == (0, "")
    found = re.match(r"Request ([0-9a-f]+): ", out)
    assert found is not None
    return found.group(1)


def approve(eduseal: Run, file: str, request: str, *, by: str = "chi") -> tuple[int, str, str]:
    words = ("--request", request, "--by", by, "--pin-file", f"{by}.pin", "--folder", "usb", "--home", "vault", *shares(1, 3))
    return eduseal("ceremony", "approve", file, *words)


def held(eduseal: Run, file: str) -> str:
    request = asked(eduseal, file)
    assert approve(eduseal, file, request)[0] == 0
    status, out, err = eduseal("ceremony", "run", file, "--approval", request, "--folder", "usb", "--home", "vault", *shares(2, 3))
    assert (status, err) == (0, "")
    return out


def openssl(*arguments: object) -> str:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=True, timeout=30)
    return done.stdout


def test_from_an_empty_folder_to_the_second_generation(eduseal: Run, desk: Path) -> None:
    out = held(eduseal, "root.toml")
    fingerprint = openssl("x509", "-in", "usb/root.pem", "-noout", "-fingerprint", "-sha256").strip().partition("=")[2]
    assert f"Certificate root: SHA-256 {fingerprint}\n" in out

    status, out, err = eduseal("ceremony", "request", "issuing.toml", "--folder", "usb", "--home", "house")
    assert (status, err) == (0, "")
    assert out.startswith("Written: usb/issuing.csr\n  SHA-256 of the key issuing: ")
    held(eduseal, "issuing.toml")
    status, out, err = eduseal("ceremony", "install", "issuing.toml", "--folder", "usb", "--home", "house", "--fingerprint", fingerprint)
    assert (status, err) == (0, "")
    assert out.startswith(f"Issuing authority: issuing, under root\n  root: SHA-256 fingerprint {fingerprint}\n")
    assert "\nRestart the services that run on this home (`eduseal serve`): they go on under what they opened.\n" in out
    assert not (desk / "house" / "keys" / "root.key").exists()

    assert eduseal("ceremony", "request", "rollover.toml", "--folder", "usb", "--home", "house")[0] == 0
    held(eduseal, "rollover.toml")
    status, out, err = eduseal("ceremony", "install", "rollover.toml", "--folder", "usb", "--home", "house")
    assert (status, err) == (0, "")
    assert "Issuing authority: issuing-2, under root-2\n" in out
    assert "  issuing: certifies nobody any more; revokes and answers for what it issued\n" in out

    for path in sorted(Path("usb").glob("*.jsonl")):
        status, out, err = eduseal("ceremony", "check", path)
        assert (status, err) == (0, ""), path
        assert f"SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}" in out
    told = eduseal("ceremony", "check", sorted(Path("usb").glob("hold-*.jsonl"), key=lambda each: each.stat().st_size)[-1])[1]
    counts = "2 participants, 1 approval, 1 key, 1 request, 1 standing certificate, 4 certificates, 2 lists"
    assert told.endswith(f"  verified: {counts}\n")
    listed = eduseal("certificates", "--home", "house")[1]
    assert {line.split()[1] for line in listed.splitlines()[1:]} == {"root", "root-2", "issuing", "issuing-2"}

    status, out, err = eduseal("ceremony", "crl", "--folder", "usb", "--home", "vault", *shares(1, 2))
    assert (status, err) == (0, "")
    status, out, err = eduseal("ceremony", "take-crl", "usb/root-2.crl", "--home", "house")
    assert (status, err) == (0, "")
    assert out.startswith("List of root-2: 0 revoked, holds until ")
    for leaf, anchor in (("issuing-2", "root"), ("issuing", "root-2")):
        cross = "usb/root-2-by-root.pem" if anchor == "root" else "usb/root-by-root-2.pem"
        told = openssl(
            "verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-CAfile", f"usb/{anchor}.pem", "-untrusted", cross, f"usb/{leaf}.pem"
        )
        assert told == f"usb/{leaf}.pem: OK\n"


def test_file_is_shown_with_the_digest_that_is_approved(eduseal: Run, desk: Path) -> None:
    status, out, err = eduseal("ceremony", "show", "rollover.toml")
    assert (status, err) == (0, "")
    assert f"  SHA-256 of the file: {hashlib.sha256((desk / 'rollover.toml').read_bytes()).hexdigest()}\n" in out
    assert "  certificate root-2-by-root: the root root-2 certified by the root root, at most 10958 days\n" in out
    assert (
        "  certificate issuing-2: “Sở Giáo dục và Đào tạo (mẫu) Issuing CA 2”, P-256 key made in the home that serves, signed by root-2"
        in out
    )


def test_beginning_says_who_gets_which_share(template: Path, tmp_path: Path, eduseal: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert template
    monkeypatch.chdir(lay_out(tmp_path / "desk"))
    status, out, err = eduseal("ceremony", "begin", "root.toml", "--home", "vault", "--shares", "shares")
    assert (status, err) == (0, "")
    assert "  shares/share-2-of-3.txt  for Head of examinations\n" in out
    assert "  Give each share to its holder, and leave no copy. Any 2 together open the key store.\n" in out
    assert out.count("SHA-256") == 1


REFUSED_SHARES = [
    (shares(1), "shares: got 1, needed 2"),
    (shares(2, 2), "shares: shares/share-2-of-3.txt is the same share as shares/share-2-of-3.txt; each holder brings their own"),
    (["--share", "shares/share-9-of-3.txt"], "share file shares/share-9-of-3.txt is not there"),
]


@pytest.mark.parametrize(("given", "message"), REFUSED_SHARES)
def test_too_few_or_wrong_shares_open_nothing(eduseal: Run, desk: Path, given: list[str], message: str) -> None:
    assert desk
    status, out, err = eduseal("ceremony", "crl", "--folder", "usb", "--home", "vault", *given)
    assert (status, out, err) == (65, "", f"eduseal: {message}\n")


def test_mistyped_share_is_named_without_its_words(eduseal: Run, desk: Path) -> None:
    path = desk / "shares" / "share-2-of-3.txt"
    lines = path.read_text().splitlines()
    words = {line.split()[-1] for line in lines if not line.startswith("#") and line}
    lines[-1], lines[-2] = lines[-2], lines[-1]
    path.write_text("\n".join(lines))
    status, out, err = eduseal("ceremony", "crl", "--folder", "usb", "--home", "vault", *shares(1, 2))
    expected = "eduseal: share shares/share-2-of-3.txt: a word is missing, misspelt or out of place (its checksum does not fit)\n"
    if lines[-1] != lines[-2]:
        assert (status, out, err) == (65, "", expected)
    assert not words & set(err.replace(",", " ").split()) - set(expected.split())


def test_shares_of_another_set_are_refused(eduseal: Run, desk: Path) -> None:
    (desk / "other").mkdir()
    assert eduseal("ceremony", "begin", "root.toml", "--home", "vault-2", "--shares", "other")[0] == 0
    mixed = ["--share", "shares/share-1-of-3.txt", "--share", "other/share-2-of-3.txt"]
    status, _, err = eduseal("ceremony", "crl", "--folder", "usb", "--home", "vault", *mixed)
    assert (status, err) == (65, "eduseal: shares: other/share-2-of-3.txt is of another set than shares/share-1-of-3.txt\n")
    others = ["--share", "other/share-1-of-3.txt", "--share", "other/share-2-of-3.txt"]
    status, _, err = eduseal("ceremony", "crl", "--folder", "usb", "--home", "vault", *others)
    assert status == 65
    assert "does not open the key store" in err


def test_requester_may_not_approve_and_an_unapproved_ceremony_is_not_held(eduseal: Run, desk: Path) -> None:
    request = asked(eduseal, "root.toml")
    status, _, err = approve(eduseal, "root.toml", request, by="an")
    assert (status, err) == (65, f"eduseal: request {request}: an asked for it and may not approve it; another officer must\n")
    status, _, err = eduseal("ceremony", "run", "root.toml", "--approval", request, "--folder", "usb", "--home", "vault", *shares(1, 2))
    assert (status, err) == (65, f"eduseal: request {request}: has 0 of 1 approvals\n")
    assert list((desk / "usb").iterdir()) == []
    assert not (desk / "vault" / "keys" / "root.key").exists()


def test_changed_file_is_neither_approved_nor_held(eduseal: Run, desk: Path) -> None:
    request = asked(eduseal, "root.toml")
    (desk / "changed.toml").write_text((desk / "root.toml").read_text().replace("10958", "10000"))
    status, _, err = approve(eduseal, "changed.toml", request)
    assert (status, err) == (
        64,
        f"eduseal: request {request} is for another file than changed.toml, or for other keys; nothing was approved\n",
    )
    assert approve(eduseal, "root.toml", request)[0] == 0
    status, _, err = eduseal("ceremony", "run", "changed.toml", "--approval", request, "--folder", "usb", "--home", "vault", *shares(1, 2))
    assert (status, err) == (65, f"eduseal: request {request}: what is to be issued is not what was approved; ask again\n")


def test_one_approval_is_for_one_ceremony(eduseal: Run, desk: Path) -> None:
    assert desk
    held(eduseal, "root.toml")
    assert eduseal("ceremony", "request", "issuing.toml", "--folder", "usb", "--home", "house")[0] == 0
    request = asked(eduseal, "issuing.toml")
    status, _, err = eduseal("ceremony", "run", "root.toml", "--approval", request, "--folder", "usb", "--home", "vault", *shares(1, 2))
    assert status == 65
    assert "stands: this ceremony is done; a new one has a file of its own" in err


def test_a_request_exchanged_on_its_way_is_neither_approved_nor_certified(eduseal: Run, desk: Path) -> None:
    held(eduseal, "root.toml")
    status, out, _ = eduseal("ceremony", "request", "issuing.toml", "--folder", "usb", "--home", "house")
    assert status == 0
    request, honest = asked(eduseal, "issuing.toml"), (desk / "usb" / "issuing.csr").read_bytes()
    assert eduseal("ceremony", "request", "issuing.toml", "--folder", "usb", "--home", "of-another")[0] == 0
    status, shown, err = approve(eduseal, "issuing.toml", request)
    assert (status, err) == (
        64,
        f"eduseal: request {request} is for another file than issuing.toml, or for other keys; nothing was approved\n",
    )
    assert out.splitlines()[1] not in shown

    foreign = (desk / "usb" / "issuing.csr").read_bytes()
    (desk / "usb" / "issuing.csr").write_bytes(honest)
    status, shown, err = approve(eduseal, "issuing.toml", request)
    assert (status, err) == (0, "")
    assert out.splitlines()[1] in shown
    (desk / "usb" / "issuing.csr").write_bytes(foreign)
    run = ("ceremony", "run", "issuing.toml", "--approval", request, "--folder", "usb", "--home", "vault", *shares(1, 2))
    assert eduseal(*run)[::2] == (65, f"eduseal: request {request}: what is to be issued is not what was approved; ask again\n")
    assert not (desk / "usb" / "issuing.pem").exists()
    (desk / "usb" / "issuing.csr").write_bytes(honest)
    assert eduseal(*run)[0] == 0


def test_from_the_third_officer_on_two_vouch(eduseal: Run, desk: Path) -> None:
    (desk / "dung.pin").write_text("gà trống chín 3\n")
    (desk / "dung.pin").chmod(0o600)
    add = ("ceremony", "officer", "dung", "--name", "Dung", "--pin-file", "dung.pin", "--home", "vault", *shares(1, 2))
    status, _, err = eduseal(*add)
    assert (status, "0 officers vouch for dung, expected 2 of the 2 in office" in err) == (65, True)
    vouched = [word for each in PINS for word in ("--vouch", each, "--vouch-pin-file", f"{each}.pin")]
    assert eduseal(*add, *vouched)[0] == 0


def test_keys_to_be_certified_are_approved_with_the_file(eduseal: Run, desk: Path) -> None:
    words = ("--by", "an", "--pin-file", "an.pin", "--home", "vault", *shares(1, 3))
    status, _, err = eduseal("ceremony", "ask", "issuing.toml", *words)
    assert status == 64
    assert err.startswith(
        "eduseal: issuing.toml certifies keys of the home that serves; name the folder of their requests with --folder DIR"
    )


def test_existing_homes_are_refused(eduseal: Run, desk: Path) -> None:
    status, _, err = eduseal("ceremony", "begin", "root.toml", "--home", "vault", "--shares", "usb")
    assert (status, err) == (65, "eduseal: vault is a home already; a root gets one of its own; nothing was changed\n")
    status, _, err = eduseal("ceremony", "begin", "root.toml", "--home", "fresh", "--shares", "shares")
    assert status == 65
    assert "shares are written once" in err
    assert not (desk / "fresh" / "house.toml").exists()
    status, _, err = eduseal("init", "--home", "vault")
    assert status == 65
    assert "vault belongs to a ceremony (docs/ceremony.md)" in err


def test_bad_files_are_refused_by_name(eduseal: Run, desk: Path) -> None:
    assert eduseal("ceremony", "show", "nowhere.toml")[0] == 66
    (desk / "bad.toml").write_text(example("root") + '\nsurprise = "x"\n')
    status, _, err = eduseal("ceremony", "show", "bad.toml")
    assert (status, err.startswith("eduseal: [[certificates]] 1: unknown key 'surprise'")) == (65, True)
    status, _, err = eduseal("ceremony", "example", "wedding")
    assert (status, err) == (65, "eduseal: example: got 'wedding', expected issuing, rollover, root\n")
    (desk / "bad.jsonl").write_text("{}\n")
    assert eduseal("ceremony", "check", "bad.jsonl")[0] == 65


def test_transcript_with_another_digest_is_refused(eduseal: Run, desk: Path) -> None:
    held(eduseal, "root.toml")
    (path,) = (desk / "usb").glob("hold-*.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"fresh": true', b'"fresh": false'))
    status, _, err = eduseal("ceremony", "check", path)
    assert (status, "it is not the one written" in err) == (65, True)


def test_no_share_and_no_pin_reaches_output_or_the_vault(eduseal: Run, desk: Path) -> None:
    words = [line.split()[-1] for line in (desk / "shares" / "share-1-of-3.txt").read_text().splitlines()[3:] if line]
    told = held(eduseal, "root.toml")
    everything = b"".join(path.read_bytes() for folder in ("vault", "usb") for path in (desk / folder).rglob("*") if path.is_file())
    for secret in (" ".join(words[4:7]), PINS["an"], PINS["chi"]):
        assert secret.encode() not in everything
        assert secret not in told
