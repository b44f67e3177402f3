"""Fixtures of the signing tests."""

from __future__ import annotations

from tests.support.softhsm import softhsm

__all__ = ["softhsm"]
