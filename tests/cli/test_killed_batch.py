"""A batch killed at a random moment (issue 4): outputs are absent or whole, no key is on the disk, the same authorisation ends it."""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.main import main
from config.house import House
from records.ports import DocumentKind
from signing.applying.form import signature_fields
from signing.pdf.document import Document
from tests.support.class_home import CLASS_SIZE, PASSPHRASE, PIN, STEP, TEACHER, ClassHome, house_of, make_class_home

SHORT, LONG = range(5), range(5, 55)
GRANTED = re.compile(r"Authorisation ([0-9a-f]{32}), until")
ONE_DOCUMENT = 0.025  # seconds that signing and keeping one takes, about
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def class_template(tmp_path_factory: pytest.TempPathFactory) -> ClassHome:
    return make_class_home(tmp_path_factory.mktemp("class"))


@pytest.mark.parametrize("seed", [*SHORT, *(pytest.param(seed, marks=pytest.mark.long) for seed in LONG)])
def test_what_a_kill_interrupts_the_authorisation_and_the_pin_finish(
    class_template: ClassHome, tmp_path: Path, seed: int, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, temporary, pin = tmp_path / "home", tmp_path / "temporary", tmp_path / "pin"
    shutil.copytree(class_template.home, home)
    temporary.mkdir()
    pin.write_text(PIN + "\n", encoding="utf-8")
    pin.chmod(0o600)

    authorisation, told = sign_and_kill(home, temporary, pin, random.Random(seed))

    require_whole_files(home)
    require_no_secret(class_template.secrets, home, temporary)
    with house_of(home) as house:
        signed = require_at_most_one_signature_each(house, class_template.ids)
        assert len(signed) >= told
        assert len(house.stores.authorisations.load(authorisation).used) == len(signed)
    if len(signed) < CLASS_SIZE:
        monkeypatch.setenv("EDUSEAL_PASSPHRASE", PASSPHRASE)
        capfd.readouterr()
        assert main(["record", "sign", "--resume", authorisation, "--by", TEACHER, "--pin-file", str(pin), "--home", str(home)]) == 0
        assert capfd.readouterr().out.splitlines()[-1] == f"{CLASS_SIZE - len(signed)} signed, 0 before, 0 failed."
    require_whole_files(home)
    require_no_secret(class_template.secrets, home, temporary)
    with house_of(home) as house:
        assert require_at_most_one_signature_each(house, class_template.ids) == class_template.ids
        kinds = [entry.kind for entry in house.stores.log.of_subject(f"authorisation/{authorisation}")]
        assert kinds == ["authorisation.granted"] + ["authorisation.used"] * CLASS_SIZE


def sign_and_kill(home: Path, temporary: Path, pin: Path, draw: random.Random) -> tuple[str, int]:
    """The authorisation's id, and how many results were told before the process was killed."""
    environment = {
        **os.environ,
        "EDUSEAL_HOME": str(home),
        "EDUSEAL_PASSPHRASE": PASSPHRASE,
        "TMPDIR": str(temporary),
        "PYTHONPATH": str(ROOT),
    }
    arguments = ["record", "sign", "--step", STEP, "--by", TEACHER, "--all", "--pin-file", str(pin)]
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=temporary,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process, process.stdout, process.stderr:
        try:
            granted = next(match for match in map(GRANTED.match, process.stderr) if match)
            told = draw.randrange(CLASS_SIZE)
            for _ in range(told):
                assert process.stdout.readline().startswith("signed ")
            time.sleep(draw.uniform(0, 2 * ONE_DOCUMENT))
        finally:
            process.kill()
    return granted[1], told


def require_whole_files(home: Path) -> None:
    """Every file in the content folder has the octets that its name says."""
    for path in (home / "documents").rglob("*"):
        if path.is_file():
            assert path.name == hashlib.sha256(path.read_bytes()).hexdigest() + ".pdf"


def require_no_secret(secrets: dict[str, bytes], *folders: Path) -> None:
    for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
        octets = path.read_bytes()
        assert [name for name, secret in secrets.items() if secret in octets] == [], path


def require_at_most_one_signature_each(house: House, ids: tuple[str, ...]) -> tuple[str, ...]:
    """Those that carry the step's signature, once in the books and once in the file."""
    signed = []
    for record_id in ids:
        state = house.stores.records.load(record_id)
        if not state.working.signed:
            continue
        assert [step.step for step in state.working.signed] == [STEP]
        pdf = house.stores.documents.get(record_id, 1, DocumentKind.SIGNED).pdf
        assert hashlib.sha256(pdf).hexdigest() == state.working.signed[0].document_sha256
        assert sum(field.signed for field in signature_fields(Document.parse(pdf))) == 1
        house.stores.documents.get(record_id, 1, DocumentKind.EXPORT)
        signed.append(record_id)
    return tuple(signed)
