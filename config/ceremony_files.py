"""The ceremony files that are shipped, and what is carried between homes: PEM of certificates and requests, DER of lists."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs import loader
from config.ceremony_install import Carried
from config.errors import SettingsError
from config.house_file import write_whole
from pki.errors import EncodingError

KIND = "ceremony"
MAX_CARRIED = 1024 * 1024  # octets of one file
MAX_FILES = 200


def example_names() -> tuple[str, ...]:
    return loader.names(KIND)


def example(name: str) -> str:
    """The text of a shipped ceremony file; raises :class:`config.errors.SettingsError`."""
    if name not in example_names():
        raise SettingsError(f"example: got {name[:60]!r}, expected {', '.join(example_names())}")
    return loader.text(KIND, name)


def write_carried(folder: Path, certificates: Mapping[str, bytes], crls: Mapping[str, bytes]) -> list[Path]:
    """NAME.pem and NAME.crl; whole or not at all, each. What a repeated ceremony writes again is the same, but for newer lists."""
    written: list[Path] = []
    for name, der in certificates.items():
        written.append(folder / f"{name}.pem")
        write_whole(written[-1], x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    for name, der in crls.items():
        written.append(folder / f"{name}.crl")
        write_whole(written[-1], der)
    return written


def read_carried(folder: Path) -> Carried:
    """Every NAME.pem and NAME.crl of a folder; nothing of it is trusted yet. Raises SettingsError or EncodingError."""
    certificates = {path.stem: _certificate(path) for path in _files(folder, ".pem")}
    return Carried(certificates, {path.stem: _octets(path) for path in _files(folder, ".crl")})


def read_requests(folder: Path) -> dict[str, bytes]:
    """Every NAME.csr of a folder, by name."""
    return {path.stem: _octets(path) for path in _files(folder, ".csr")}


def _files(folder: Path, suffix: str) -> list[Path]:
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix == suffix and path.is_file())
    except OSError as exc:
        raise SettingsError(f"{folder} cannot be read: {exc.strerror or type(exc).__name__}") from exc
    if len(found) > MAX_FILES:
        raise SettingsError(f"{folder} holds {len(found)} files *{suffix}, more than the {MAX_FILES} that are read")
    return found


def _octets(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CARRIED + 1)
    except OSError as exc:
        raise SettingsError(f"{path} cannot be read: {exc.strerror or type(exc).__name__}") from exc
    if len(data) > MAX_CARRIED:
        raise SettingsError(f"{path} has more than the {MAX_CARRIED} octets that are read")
    return data


def _certificate(path: Path) -> bytes:
    try:
        return x509.load_pem_x509_certificate(_octets(path)).public_bytes(Encoding.DER)
    except (ValueError, x509.InvalidVersion) as exc:
        raise EncodingError(f"{path}: not a certificate in PEM") from exc
