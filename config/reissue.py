"""Making certificates anew, put together from a house."""

from __future__ import annotations

from config.house import House
from records.reissue import Reissue


def reissue_of(house: House) -> Reissue:
    """By the newest issuing authority."""
    return Reissue(
        authority=house.authority.issuing,
        keys=house.keys,
        holder_keys=house.stores.holder_keys,
        certificates=house.stores.certificates,
        pin_attempts=house.stores.pin_attempts,
        clock=house.clock,
    )
