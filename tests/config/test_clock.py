from __future__ import annotations

from datetime import UTC, datetime

import pytest

from config.clock import clock_policy, stamping_clock, utc_now
from config.errors import SettingsError
from pki.status.clock_trust import TrustedClock
from pki.status.timestamp import TimeNotAvailableError

STANDING = datetime(2026, 9, 5, 8, 0, tzinfo=UTC)


def standing() -> datetime:
    return STANDING


@pytest.mark.parametrize("check", [None, "none", "kernel", "command:chronyc -n waitsync 1 0.5"])
def test_the_wall_clock_stamps_only_as_long_as_it_is_trusted(check: str | None) -> None:
    assert isinstance(stamping_clock(utc_now, clock_policy(), check), TrustedClock)


def test_a_clock_that_is_moved_by_hand_is_taken_as_it_is() -> None:
    assert stamping_clock(standing, clock_policy(), None) is standing


def test_the_command_is_asked() -> None:
    assert stamping_clock(utc_now, clock_policy(), "command:true")() <= utc_now()
    with pytest.raises(TimeNotAvailableError, match="the clock check false ended with status 1, expected 0"):
        stamping_clock(utc_now, clock_policy(), "command:false")()


@pytest.mark.parametrize("check", ["ntp", "command:", "command:'", "Kernel"])
def test_a_check_of_another_kind_is_refused(check: str) -> None:
    with pytest.raises(SettingsError, match=r"EDUSEAL_CLOCK_CHECK is .*, expected none, kernel, or command: and a command"):
        stamping_clock(utc_now, clock_policy(), check)
