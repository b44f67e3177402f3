"""What one document may cost: 2 s + 0.5 s for each signature + 0.1 s for each MB, 30 s at most; 256 MiB + 3 × its size."""

from __future__ import annotations

from dataclasses import dataclass

_SIGNATURE_MARK = b"/ByteRange"


@dataclass(frozen=True)
class Grant:
    """Seconds count processor time of the process that judges; a busy machine is given `patience` times as long by the clock."""

    seconds: float = 2.0
    seconds_per_signature: float = 0.5
    seconds_per_megabyte: float = 0.1
    most_seconds: float = 30.0
    patience: float = 4.0
    waiting: float = 0.0
    """Seconds by the clock on top, for what has to come over the network."""
    rounds: int = 1
    """How often it may be judged: once, and again each time that something was fetched."""
    memory: int = 256 * 1024 * 1024
    """Octets of address space on top of what an idle process takes."""
    memory_per_octet: int = 3

    def seconds_for(self, document: bytes) -> float:
        signatures = document.count(_SIGNATURE_MARK)
        asked = self.seconds + self.seconds_per_signature * signatures + self.seconds_per_megabyte * len(document) / 1_000_000
        return min(self.most_seconds, asked * self.rounds)

    def wall_seconds(self, seconds: float) -> float:
        """By the clock, for `seconds` of processor time."""
        return min(self.patience * seconds, self.most_seconds) + self.waiting

    def memory_for(self, document: bytes) -> int:
        return self.memory + self.memory_per_octet * len(document)


GRANT = Grant()
