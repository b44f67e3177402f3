"""What lies in `HOME/trust`."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import SettingsError
from config.house import House
from config.trust import external_trust
from tests.api.conftest import Clock, make_house
from tests.support.authority import make_authority


@pytest.fixture
def house(tmp_path: Path):
    made = make_house(tmp_path, Clock())
    yield made
    made.close()


def lay(house: House, name: str, data: bytes) -> None:
    folder = house.settings.home / "trust"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)


def test_without_a_folder_nobody_else_is_trusted(house: House) -> None:
    assert external_trust(house).anchors == ()


def test_a_certificate_there_is_another_authoritys(house: House) -> None:
    government = make_authority(house.clock())
    lay(house, "government.crt", government.root_der)
    (anchor,) = external_trust(house).anchors
    assert anchor.certificate_der == government.root_der
    assert anchor.constraints is not None


def test_the_houses_own_certificates_there_do_not_become_another_authoritys(house: House) -> None:
    """They would lose what only the house's own may do: its records would be nobody's."""
    lay(house, "root.crt", house.authority.root_der)
    lay(house, "issuing.crt", house.authority.issuing.certificate_der)
    assert external_trust(house).anchors == ()


def test_two_files_may_not_say_twice_what_an_authority_is_trusted_for(house: House) -> None:
    lay(house, "root.pem", make_authority(house.clock()).root_der)
    for name in ("a.toml", "b.toml"):
        lay(house, name, b'name = "Government"\ncertificates = ["root.pem"]\n')
    with pytest.raises(SettingsError, match="two files name the same certificate"):
        external_trust(house)


def test_a_file_there_names_certificates_beside_it_alone(house: House) -> None:
    lay(house, "a.toml", b'name = "Government"\ncertificates = ["../ca/root.pem"]\n')
    with pytest.raises(SettingsError, match="expected the name of a file in the same folder"):
        external_trust(house)
