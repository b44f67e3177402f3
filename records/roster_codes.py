"""Codes that two people give: found without holding every code of a province beside its holder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from records.person import PersonalCode
from records.roster_people import unpacked


def canonical_code(code: PersonalCode) -> str:
    """The spelling under which two codes are one, as :func:`pki.identity.codes.check` reads them."""
    return "".join(code.value.split()).upper()


def shared_codes(
    people: Sequence[bytes], place_of: Mapping[str, int], held: Iterable[tuple[str, PersonalCode]]
) -> tuple[dict[str, list[str]], set[str]]:
    """Canonical codes with more than one holder, in the order of the rows, then of the books; and the ids of `people` whose code the
    books hold for them just so.

    `people` as :mod:`records.roster_people` packs them, `place_of` their places by id. Two looks: the first keeps a number a code, which
    may name too many (numbers can meet by chance); the second compares the codes themselves, of those alone.
    """
    seen, again = set[int](), set[int]()
    for octets in people:
        code = unpacked(octets).code
        if code is not None:
            number = hash(canonical_code(code))
            (again if number in seen else seen).add(number)
    standing: set[str] = set()
    elsewhere: list[tuple[str, str]] = []
    for holder, code in held:
        place = place_of.get(holder)
        given = unpacked(people[place]).code if place is not None else None
        if given == code:
            standing.add(holder)
            continue
        canonical = canonical_code(code)
        if given is not None and canonical_code(given) == canonical:
            continue
        if hash(canonical) in seen:
            again.add(hash(canonical))
            elsewhere.append((canonical, holder))
    return (_holders(people, again, elsewhere) if again else {}), standing


def _holders(people: Sequence[bytes], numbers: set[int], elsewhere: list[tuple[str, str]]) -> dict[str, list[str]]:
    holders: dict[str, list[str]] = defaultdict(list)
    for octets in people:
        who = unpacked(octets)
        if who.code is not None and hash(canonical := canonical_code(who.code)) in numbers:
            holders[canonical].append(who.id)
    for canonical, holder in elsewhere:
        if canonical in holders:
            holders[canonical].append(holder)
    return {canonical: found for canonical, found in holders.items() if len(set(found)) > 1}
