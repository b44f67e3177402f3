"""Damaged requests for parsers: valid octets changed, cut out or put in, and plain noise."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

FUZZ = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.differing_executors],
)


def mutated(valid: bytes) -> st.SearchStrategy[bytes]:
    """A valid request with octets changed, cut out or put in, or noise."""
    position = st.integers(0, len(valid) - 1)
    changed = st.lists(st.tuples(position, st.integers(0, 255)), min_size=1, max_size=4).map(lambda edits: edited(valid, edits))
    cut = st.tuples(position, position).map(lambda ends: valid[: min(ends)] + valid[max(ends) :])
    grown = st.tuples(position, st.binary(min_size=1, max_size=40)).map(lambda put: valid[: put[0]] + put[1] + valid[put[0] :])
    return st.one_of(changed, cut, grown, st.binary(max_size=200))


def edited(valid: bytes, edits: list[tuple[int, int]]) -> bytes:
    octets = bytearray(valid)
    for position, value in edits:
        octets[position] = value
    return bytes(octets)
