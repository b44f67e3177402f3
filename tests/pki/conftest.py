"""Fixtures of the authority's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.softhsm import softhsm
from tests.support.status_house import House, make_house

__all__ = ["house", "softhsm"]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path)
