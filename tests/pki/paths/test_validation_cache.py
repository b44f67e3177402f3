"""The bounded memory of validation."""

from __future__ import annotations

import pytest

from pki.paths.validation_cache import ValidationCache


def test_what_was_made_once_is_not_made_again() -> None:
    cache, made = ValidationCache(), []
    for _ in range(2):
        assert cache.remember("key", lambda: made.append(1) or "value") == "value"
    assert made == [1]


def test_what_raises_is_not_remembered() -> None:
    cache = ValidationCache()
    with pytest.raises(ZeroDivisionError):
        cache.remember("key", lambda: 1 // 0)
    assert cache.remember("key", lambda: 5) == 5


def test_least_recently_used_entry_goes_first() -> None:
    cache = ValidationCache(max_entries=2)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.get("a")
    cache.put("c", 3)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)


def test_octets_are_bounded_and_freed() -> None:
    cache = ValidationCache(max_octets=100)
    for number in range(1_000):
        cache.put(number, number, octets=30)
    assert len(cache) == 3
    cache.put(999, 0, octets=30)
    assert len(cache) == 3


def test_entry_larger_than_the_memory_is_not_kept() -> None:
    cache = ValidationCache(max_octets=100)
    cache.put("small", 1, octets=50)
    cache.put("large", 2, octets=101)
    assert (cache.get("small"), cache.get("large")) == (1, None)
