"""`eduseal activate`, `change-pin` and `opening`: secrets from files, from standard input, and typed without echo."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

from pki.identity.commitment import parse_opening
from tests.support.school_home import PIN

OTHER = "bốn con vịt xòe"
SECONDS = 60  # for a fresh process on a busy machine


def private(name: str, text: str) -> str:
    Path(name).write_text(text + "\n", encoding="utf-8")
    Path(name).chmod(0o600)
    return name


def test_a_key_is_activated_from_files(desk):
    code, pin = private("code", desk.codes["SM-GV05"]), private("pin", PIN)
    assert desk("activate", "SM-GV05", "--code-file", code, "--pin-file", pin) == (
        0,
        "The key of SM-GV05 is activated. The code opens nothing any more; the PIN is known to nobody else and cannot be recovered.\n",
        "",
    )


def test_a_key_is_activated_from_standard_input(desk):
    typed = f"{desk.codes['SM-GV05'].lower()}\n{PIN}\n"
    assert desk("activate", "SM-GV05", "--code-file", "-", "--pin-file", "-", typed=typed)[0] == 0


def test_a_code_activates_once(desk):
    typed = f"{desk.codes['SM-GV05']}\n{PIN}\n"
    desk("activate", "SM-GV05", "--code-file", "-", "--pin-file", "-", typed=typed)
    assert desk("activate", "SM-GV05", "--code-file", "-", "--pin-file", "-", typed=typed) == (
        65,
        "",
        "eduseal: the key of SM-GV05 is activated already; `eduseal change-pin SM-GV05` changes its PIN\n",
    )


def test_another_persons_code_activates_nothing(desk):
    typed = f"{desk.codes['SM-9A-02']}\n{PIN}\n"
    status, out, err = desk("activate", "SM-GV05", "--code-file", "-", "--pin-file", "-", typed=typed)
    assert (status, out, err) == (65, "", "eduseal: the PIN or activation code does not open this key\n")


def test_a_mistyped_code_is_told_as_such(desk):
    status, _, err = desk("activate", "SM-GV05", "--code-file", "-", "--pin-file", "-", typed="ABCDE-12345\n")
    assert (status, err) == (65, "eduseal: activation code: expected 20 letters and digits in groups of 5, as printed\n")


def test_a_weak_pin_is_refused_and_the_code_stays_good(desk):
    typed = f"{desk.codes['SM-GV05']}\nĐinh Gia Quân 1\n"
    status, _, err = desk("activate", "SM-GV05", "--code-file", "-", "--pin-file", "-", typed=typed)
    assert (status, err) == (65, "eduseal: the PIN contains a name or code of its holder; choose another\n")
    assert desk("activate", "SM-GV05", "--code-file", "-", "--pin-file", "-", typed=f"{desk.codes['SM-GV05']}\n{PIN}\n")[0] == 0


def test_a_secret_file_open_to_others_is_refused(desk):
    Path(private("code", desk.codes["SM-GV05"])).chmod(0o644)
    status, _, err = desk("activate", "SM-GV05", "--code-file", "code", "--pin-file", "-")
    assert (status, err) == (65, "eduseal: code is open to others (mode 0644); run: chmod 600 code\n")


def test_a_secret_file_that_is_not_there_is_one_line(desk):
    status, _, err = desk("activate", "SM-GV05", "--code-file", "none")
    assert (status, err) == (66, "eduseal: Activation code: none is not there\n")


def test_nobody_is_asked_where_nobody_is(desk):
    assert desk("activate", "SM-GV05") == (
        64,
        "",
        "eduseal: Activation code: nobody is here to ask; name a file with --code-file FILE, "
        "or --code-file - for a line of standard input\n",
    )


def test_an_empty_secret_is_refused(desk):
    status, _, err = desk("activate", "SM-GV05", "--code-file", "-", typed="")
    assert (status, err) == (65, "eduseal: Activation code: got nothing; expected it on the first line\n")


def test_who_has_no_key_activates_nothing(desk):
    status, _, err = desk("activate", "SM-GV06", "--code-file", "-", typed="x\n")
    assert (status, err) == (65, "eduseal: SM-GV06 has no key here; expected one made when the certificate was issued\n")


def test_a_pin_is_changed(desk):
    change = ("change-pin", "SM-GV04", "--old-pin-file", "-", "--pin-file", "-")
    assert desk(*change, typed=f"{PIN}\n{OTHER}\n") == (0, "The key of SM-GV04 is under its new PIN.\n", "")
    refusal = "eduseal: the PIN or activation code does not open this key; 4 of 5 tries left\n"
    assert desk(*change, typed=f"{PIN}\n{OTHER}\n") == (65, "", refusal)


def test_a_key_without_a_pin_has_none_to_change(desk):
    status, _, err = desk("change-pin", "SM-GV05", "--old-pin-file", "-", "--pin-file", "-", typed=f"{PIN}\n{OTHER}\n")
    assert (status, err) == (65, "eduseal: the key of SM-GV05 has no PIN yet; `eduseal activate SM-GV05` gives it one\n")


def test_a_pupil_sees_their_opening(desk):
    status, out, err = desk("opening", "SM-9A-01", "--pin-file", "-", typed=f"{PIN}\n")
    assert (status, err) == (0, "Give it to nobody but those who may know your personal code.\n")
    assert len(parse_opening(out)) == 32


def test_a_teacher_has_no_opening(desk):
    status, _, err = desk("opening", "SM-GV04", "--pin-file", "-", typed=f"{PIN}\n")
    assert (status, err) == (65, "eduseal: SM-GV04 has a certificate that names its holder plainly; there is nothing to open\n")


def test_at_the_keyboard_secrets_are_asked_for_without_echo(desk):
    shown = typed_at_a_terminal(["activate", "SM-GV05"], [desk.codes["SM-GV05"], PIN, PIN])
    assert [line for line in shown.splitlines() if line] == [
        "Activation code: ",
        "New PIN: ",
        "New PIN again: ",
        "The key of SM-GV05 is activated. The code opens nothing any more; the PIN is known to nobody else and cannot be recovered.",
    ]


def test_at_the_keyboard_a_mistyped_repetition_changes_nothing(desk):
    shown = typed_at_a_terminal(["activate", "SM-GV05"], [desk.codes["SM-GV05"], PIN, OTHER])
    assert shown.splitlines()[-1] == "eduseal: New PIN: the two differ; nothing was changed"


def typed_at_a_terminal(arguments: list[str], answers: list[str]) -> str:
    """What a terminal shows when each question is answered in turn."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "NO_COLOR": "1"},
    )
    os.close(theirs)
    shown, waiting, deadline = b"", list(answers), time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                shown += os.read(ours, 4096)
            except OSError:  # the other end has closed
                break
        if waiting and re.search(rb": $", shown):
            os.write(ours, waiting.pop(0).encode() + b"\n")
            shown += b"\r\n" if not waiting else b"\n"
    process.wait(SECONDS)
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")
