"""Which verifier is asked to answer; :mod:`signing.verifying.engines` says what each does."""

from __future__ import annotations

from enum import StrEnum


class Engine(StrEnum):
    AUTO = "auto"
    FAST = "fast"
    REFERENCE = "reference"
