"""What the command's transcripts work with."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cli.main import main
from config.bootstrap import open_stores
from config.house import Stores
from config.settings import Settings
from tests.support.registration import OFFICER, PINS, SECOND
from tests.support.school_home import PASSPHRASE, SchoolHome, make_school_home
from tests.support.softhsm import softhsm
from tests.support.verify_cases import good_record, standing_house

__all__ = ["softhsm"]


@pytest.fixture
def eduseal(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """Runs `eduseal …` in this process: (exit status, stdout, stderr)."""
    for name in ("EDUSEAL_HOME", "EDUSEAL_DATABASE_URL", "EDUSEAL_KEY_STORE", "EDUSEAL_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        status = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return status, out, err

    return run


@pytest.fixture(scope="session")
def good_pdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("good") / "good.pdf"
    path.write_bytes(good_record())
    return path


@pytest.fixture(scope="session")
def root_pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = x509.load_der_x509_certificate(standing_house().house.authority.root_der)
    path = tmp_path_factory.mktemp("trust") / "root.pem"
    path.write_bytes(root.public_bytes(Encoding.PEM))
    return path


@pytest.fixture(scope="session")
def moment(good_pdf: Path) -> str:
    """When the good record has just been archived, as --at wants it."""
    assert good_pdf
    return standing_house().now.isoformat()


class Desk:
    """A copy of the school's home, and commands run in it: `desk("record", "list")` gives (exit status, stdout, stderr)."""

    def __init__(self, school: SchoolHome, run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = school.home
        self.codes = school.codes
        self.pupil_code = school.pupil_code
        self._run = run
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: object, typed: str = "") -> tuple[int, str, str]:
        """`typed` is standard input, which is no terminal."""
        self._monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        return self._run(*arguments)

    def agree(self, *wanted: object) -> str:
        """Asked for by one officer (`desk.agree("seal", "BL")`), approved by the other; returns the request's id."""
        status, out, err = self("request", *wanted, "--by", OFFICER, "--pin-file", "-", typed=PINS[OFFICER] + "\n")
        assert (status, err) == (0, ""), err
        request = out.split()[1]
        status, _, err = self("request", "approve", request, "--by", SECOND, "--pin-file", "-", typed=PINS[SECOND] + "\n")
        assert (status, err) == (0, ""), err
        return request

    @contextmanager
    def books(self) -> Iterator[Stores]:
        """The books as they stand."""
        stores = open_stores(Settings.from_environment({}, home=self.home))
        yield stores
        stores.database.close()


@pytest.fixture(scope="session")
def school_template(tmp_path_factory: pytest.TempPathFactory) -> SchoolHome:
    return make_school_home(tmp_path_factory.mktemp("school"))


@pytest.fixture
def desk(
    school_template: SchoolHome, tmp_path: Path, eduseal: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    """The school of `tests.support.school_home`, in a home of its own that the environment names; the current folder is empty."""
    home = tmp_path / "home"
    shutil.copytree(school_template.home, home)
    folder = tmp_path / "desk"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("EDUSEAL_HOME", str(home))
    monkeypatch.setenv("EDUSEAL_PASSPHRASE", PASSPHRASE)
    return Desk(replace(school_template, home=home), eduseal, monkeypatch)
