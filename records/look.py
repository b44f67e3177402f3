"""How the school's signatures look: in the school's language and time zone, with a way to the verification page."""

from __future__ import annotations

from signing.applying.appearance import Appearance

SCHOOL_ZONE = "Asia/Ho_Chi_Minh"  # of Vietnam's schools, whose record this house sets


def school_look(name: str, *, role: str, organization: str = "", verify_url: str | None = None) -> Appearance:
    """What a signature of `name` shows; `verify_url` is the page itself, not a record's own address, so that a class shares one look."""
    return Appearance(name, role, organization, verify_url=verify_url, zone=SCHOOL_ZONE)
