"""When notices of expiry are raised: policy data of `certs/life/expiry.toml`."""

from __future__ import annotations

from certs.loader import load
from config.errors import SettingsError

MAX_DAYS = 3650


def expiry_thresholds() -> tuple[int, ...]:
    """Days before a certificate ends, largest first; raises :class:`config.errors.SettingsError`."""
    return thresholds_from(load("life", "expiry").get("days"))


def thresholds_from(days: object) -> tuple[int, ...]:
    if not isinstance(days, list) or not days or not all(type(each) is int and 0 < each <= MAX_DAYS for each in days):
        raise SettingsError(f"certs/life/expiry.toml: days must be a list of numbers from 1 to {MAX_DAYS}")
    return tuple(sorted(set(days), reverse=True))
