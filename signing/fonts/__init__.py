"""The fonts that records and signature appearances are set in: Noto Sans and Noto Sans SC, subset (`subset.py`), under the SIL OFL 1.1.

>>> from signing.fonts import FAMILIES, fonts_path
>>> sorted(path.name for path in fonts_path().glob("*.ttf"))
['NotoSans-Bold.ttf', 'NotoSans-Regular.ttf', 'NotoSansSC-Regular.ttf']
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["FAMILIES", "fonts_path"]

FAMILIES = ("Noto Sans", "Noto Sans SC")
"""Font families in order of preference, as a Typst `font:` list wants them."""


def fonts_path() -> Path:
    """The folder with the font files: pass it to Typst as a font path, system fonts ignored, so that every machine sets alike."""
    return Path(__file__).parent
