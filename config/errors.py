"""Errors of settings and wiring. Every error of this package is a :class:`ConfigError`."""

from __future__ import annotations


class ConfigError(Exception):
    """Base of everything `config` raises on purpose; its text is one line that a user can act on."""


class SettingsError(ConfigError):
    """A setting is missing or is not of the form it should have."""


class NoHouseError(ConfigError):
    """The home folder holds no authority."""


class HouseExistsError(ConfigError):
    """The home folder holds an authority already; nothing is overwritten."""
