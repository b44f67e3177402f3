"""Spellings that make an object worth reading before signing: a name that it holds stands in its octets, plainly or with `#` escapes."""

from __future__ import annotations

import re
from itertools import groupby

from signing.inspection.refusal import ACTIONS, ACTIVE_ANNOTATIONS

WORDS = (
    *("JavaScript", "JS", "XFA", "AA", "OpenAction", "OCProperties", "Ref", "OPI", "PS", "URL", "Page", "Catalog", "Template"),
    *("Alternates", "Collection", *ACTIONS, *ACTIVE_ANNOTATIONS),
)
_SPACE = "[\\x00\\t\\n\\x0c\\r ]"
_END = "(?![^\\x00\\t\\n\\x0c\\r ()<>\\[\\]{}/%])"


def _pattern() -> re.Pattern[bytes]:
    initials = groupby(sorted(set(WORDS)), key=lambda word: word[0])  # one branch for each initial: most names fail at once
    words = "|".join(f"{initial}(?:{'|'.join(word[1:] for word in group)}){_END}" for initial, group in initials)
    field = f"FT(?!{_SPACE}*/Sig{_END}){_END}"  # any field that is not plainly a signature field
    flags = f"F(?!{_SPACE}*(?:0|4|128|132){_SPACE}*[/>])(?={_SPACE}*[(<0-9%])"  # data in another file, flags that hide
    escaped = "[^\\x00\\t\\n\\x0c\\r ()<>\\[\\]{}/%#]{0,127}+#"
    return re.compile(f"/(?:{words}|{field}|{flags}|{escaped})".encode("ascii"))


RISKY = _pattern()
