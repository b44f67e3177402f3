"""Where people reach the pages."""

from __future__ import annotations

from config.house_file import HousePlan
from config.settings import Settings


def verify_page(settings: Settings, plan: HousePlan) -> str:
    """The verification page's address."""
    return f"{(settings.public_url or plan.base_url).rstrip('/')}/verify"
