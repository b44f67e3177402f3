"""How a home tells that it belongs to ceremonies: the folder `ceremonies`, which keeps their transcripts."""

from __future__ import annotations

from config.errors import NoHouseError, SettingsError
from config.settings import Settings

FOLDER = "ceremonies"


def make_folder(settings: Settings) -> None:
    """The home with its folder of ceremonies; raises SettingsError."""
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (settings.home / FOLDER).mkdir(mode=0o700, exist_ok=True)
    except OSError as exc:
        raise SettingsError(f"{settings.home} cannot be made: {exc.strerror or type(exc).__name__}") from exc


def in_ceremony(settings: Settings) -> bool:
    """Whether the home belongs to ceremonies: `eduseal init` must not finish it."""
    return (settings.home / FOLDER).exists()


def refuse_unfinished(settings: Settings) -> None:
    """Raises :class:`config.errors.NoHouseError` for a home of a root, or one that waits for its certificate."""
    if in_ceremony(settings) and not settings.root_pem.exists():
        raise NoHouseError(
            f"{settings.home} is a root's home, or waits for `eduseal ceremony install` (docs/ceremony.md); it serves nothing"
        )
