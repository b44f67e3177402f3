"""The fonts that records and signature appearances are set in: Noto Sans and Noto Sans SC, subset (`subset.py`), under the SIL OFL 1.1.

>>> from signing.fonts import FAMILIES, fonts_path
>>> sorted(path.name for path in fonts_path().glob("*.ttf"))
['NotoSans-Bold.ttf', 'NotoSans-Regular.ttf', 'NotoSansSC-Regular.ttf']
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

__all__ = ["FAMILIES", "fonts_path", "missing_characters"]

FAMILIES = ("Noto Sans", "Noto Sans SC")
"""Font families in order of preference, as a Typst `font:` list wants them."""


def fonts_path() -> Path:
    """The folder with the font files: pass it to Typst as a font path, system fonts ignored, so that every machine sets alike."""
    return Path(__file__).parent


def missing_characters(text: str) -> str:
    """The characters of `text` that the bundled fonts cannot draw, each once; "" where all can be. Line ends count as drawn.

    >>> missing_characters("Nguyễn Thị Ánh, 王晓明")
    ''
    """
    drawn = _coverage()
    composed = unicodedata.normalize("NFC", text)
    return "".join(dict.fromkeys(character for character in composed if ord(character) not in drawn and character not in "\r\n\t"))


@cache
def _coverage() -> frozenset[int]:
    ranges = (line.split("-") for line in (fonts_path() / "coverage.txt").read_text(encoding="ascii").split())
    return frozenset(point for low, high in ranges for point in range(int(low, 16), int(high, 16) + 1))
