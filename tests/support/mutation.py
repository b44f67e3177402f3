"""Damage for parsers' tests: valid octets changed, cut out or put in, and plain noise."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

FUZZ = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass(frozen=True)
class Damage:
    """Replaces the octets from `start` to `end` (counted around the end of the message) by `content`; all of them where `noise`."""

    start: int
    end: int
    content: bytes
    noise: bool = False

    def to(self, message: bytes) -> bytes:
        if self.noise:
            return self.content
        start, end = sorted((self.start % len(message), self.end % len(message)))
        return message[:start] + self.content + message[end:]


_position = st.integers(0, 2**10)


def _change(position: int, octets: bytes) -> Damage:
    return Damage(position, position + len(octets), octets)


damages: st.SearchStrategy[Damage] = st.one_of(
    st.builds(_change, _position, st.binary(min_size=1, max_size=4)),
    st.builds(Damage, _position, _position, st.just(b"")),
    st.builds(lambda at, octets: Damage(at, at, octets), _position, st.binary(min_size=1, max_size=40)),
    st.builds(Damage, st.just(0), st.just(0), st.binary(max_size=200), st.just(True)),
)
