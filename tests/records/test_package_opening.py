"""The example that the package opens with runs."""

from __future__ import annotations

import doctest

import records


def test_the_packages_example_runs():
    assert doctest.testmod(records).failed == 0
