"""Other authorities that this house accepts signatures of: what whoever runs it laid into `HOME/trust`.

A `.toml` file says what an authority is trusted for (:mod:`signing.trust.outside_authority`); a certificate that no such file names is
trusted for any signature and time stamp. The folder belongs to the home that the operator names; nothing is trusted because it lies
somewhere else (attack class 44).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import SettingsError
from signing.errors import PolicyError
from signing.trust.outside_authority import OutsideAuthority, plain_authority, read_authority
from signing.trust.store import Registered, TrustStore, read_certificates

if TYPE_CHECKING:  # `eduseal verify` reads authorities and needs no house: importing one takes a third of a second
    from config.house import House
    from config.settings import Settings

FOLDER = "trust"
CERTIFICATES = (".pem", ".cer", ".crt")
MAX_FILES = 100
MAX_FILE = 1024 * 1024  # octets


def outside_authorities(settings: Settings) -> tuple[OutsideAuthority, ...]:
    """Those of `HOME/trust`, by file name; raises :class:`config.errors.SettingsError` where one cannot be read."""
    folder = settings.home / FOLDER
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix in (*CERTIFICATES, ".toml")) if folder.is_dir() else []
        if len(files) > MAX_FILES:
            raise SettingsError(f"{folder}: {len(files)} files, more than the {MAX_FILES} that are read")
        described = [read_authority_file(path) for path in files if path.suffix == ".toml"]
        taken = {der for authority in described for der in authority.certificates}
        if len(taken) < sum(len(authority.certificates) for authority in described):
            raise SettingsError(f"{folder}: two files name the same certificate; say once what it is trusted for")
        plain = [(path, [der for der in _certificates(path) if der not in taken]) for path in files if path.suffix != ".toml"]
        return (*described, *(plain_authority(found, source=str(path)) for path, found in plain if found))
    except OSError as exc:
        raise SettingsError(f"{exc.filename or folder} cannot be read: {exc.strerror or type(exc).__name__}") from exc
    except PolicyError as exc:
        raise SettingsError(str(exc)) from exc


def read_authority_file(path: Path) -> OutsideAuthority:
    """One `.toml` file, with the certificates beside it; raises :class:`signing.errors.PolicyError` and OSError."""
    try:
        table = tomllib.loads(_octets(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise PolicyError(f"{path}: is no TOML ({exc})") from exc

    def beside(name: str) -> tuple[bytes, ...]:
        if Path(name).name != name:
            raise PolicyError(f"{path}: certificate file {name!r}; expected the name of a file in the same folder")
        return _certificates(path.parent / name)

    return read_authority(table, source=str(path), certificates_in=beside)


def external_trust(house: House) -> TrustStore:
    """The anchors of :func:`outside_authorities`, without certificates of the house's own authorities.

    Whoever lays the house's root there, too, does not mean that it is another's.
    """
    own = {each.certificate_der for each in (*house.authority.roots, *house.authority.issuers)}
    named = (anchor for authority in outside_authorities(house.settings) for anchor in authority.named)
    return TrustStore(tuple(anchor for anchor in named if anchor.certificate_der not in own))


def trust_from(
    files: Sequence[tuple[str, bytes]], described: Sequence[OutsideAuthority], registered: Mapping[str, Registered]
) -> TrustStore:
    """Anchors that a caller named, as certificates and as authority files. Named both ways, one is trusted for what its file says."""
    narrowed = [anchor for authority in described for anchor in authority.named]
    taken = {anchor.certificate_der for anchor in narrowed}
    plain = [anchor for anchor in TrustStore.read(files).anchors if anchor.certificate_der not in taken]
    return TrustStore((*plain, *narrowed), registered)


def _certificates(path: Path) -> tuple[bytes, ...]:
    return read_certificates(_octets(path), source=str(path))


def _octets(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise PolicyError(f"{path}: more than the {MAX_FILE} octets that are read")
    return data
