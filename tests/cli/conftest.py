"""What the command's transcripts work with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cli.main import main
from tests.support.verify_cases import good_record, standing_house


@pytest.fixture
def eduseal(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """Runs `eduseal …` in this process: (exit status, stdout, stderr)."""
    for name in ("EDUSEAL_HOME", "EDUSEAL_DATABASE_URL", "EDUSEAL_DEBUG"):
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
