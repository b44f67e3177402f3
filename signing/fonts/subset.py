"""Makes the bundled fonts from the full ones. Run by hand when a font is raised; fontTools is wanted only here.

    pip install fonttools
    npm pack @expo-google-fonts/noto-sans@0.4.2 @expo-google-fonts/noto-sans-sc@0.4.3      (and unpack both)
    python signing/fonts/subset.py NotoSans_400Regular.ttf NotoSans_700Bold.ttf NotoSansSC_400Regular.ttf signing/fonts

The Latin faces keep Latin (all of Vietnamese among it), Greek and punctuation; the Chinese face keeps the hanzi and punctuation of
GB 2312 and characters outside it that are frequent in personal names. The SIL Open Font License allows subsets under the same name:
neither font reserves "Noto".
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

LATIN = "".join(
    chr(point)
    for low, high in ((0x20, 0x250), (0x300, 0x32A), (0x370, 0x3FF), (0x1E00, 0x1F00), (0x2000, 0x2070), (0x20A0, 0x20C0), (0x2100, 0x2200))
    for point in range(low, high)
)
# in personal names and place names, but not in GB 2312 (1980)
NAMES = (
    "镕喆堃珺昇玥祎晞垚犇赟翀甯濛瑀婳彧晟旻昉暐曈朸栩梽椿榗樑檦沄泠浠淏淩渼湉滢潆澍濬炘炜焜煊煜熠燊璟瓅瑨瑭琤珣珏玘"
    "玚甡皓皞祐祺禛禔秾竑筠筱綦翊羿耘芃芮苒茜荃莙菡萱蒗蓁蔺薏蘅虓袆裎詠诩谞赪跞輝轶迺逸郅郗酆鋆铄铠锴锵镠闿阗隽霈霖"
    "靓韡韬頔颉颢飏馥骁骐骞魟鲲鹍鹔麒黟黾齐龑龢龘峯淼焱鑫骉麤嘉祾"
)


def gb2312() -> str:
    """Hanzi, punctuation and full-width forms; its Greek and Cyrillic are in the Latin faces or not needed."""
    found = []
    for row in (0xA1, 0xA3, *range(0xB0, 0xF8)):
        for cell in range(0xA1, 0xFF):
            try:
                found.append(bytes((row, cell)).decode("gb2312"))
            except UnicodeDecodeError:
                continue  # an empty cell
    return "".join(found)


def make(source: Path, target: Path, characters: str) -> None:
    subset = importlib.import_module("fontTools.subset")
    options = subset.Options()
    options.layout_features = ["ccmp", "kern", "liga", "locl", "mark", "mkmk"]
    options.hinting = False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]  # copyright, names, version, licence
    options.notdef_outline = True
    options.recalc_timestamp = False
    font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=sorted({ord(character) for character in characters}))
    subsetter.subset(font)
    subset.save_font(font, str(target), options)


def write_coverage(folder: Path) -> None:
    """`coverage.txt`: the characters that a text may hold, as ranges of hexadecimal code points, so that nobody needs fontTools to ask."""
    reader = importlib.import_module("fontTools.ttLib").TTFont
    points = sorted({point for file in folder.glob("*-Regular.ttf") for point in reader(file).getBestCmap()})
    known = set(points)
    starts = [point for point in points if point - 1 not in known]
    ends = [point for point in points if point + 1 not in known]
    lines = [f"{low:04X}-{high:04X}" for low, high in zip(starts, ends, strict=True)]
    (folder / "coverage.txt").write_text("\n".join(lines) + "\n", encoding="ascii")


def main() -> None:
    regular, bold, chinese, folder = (Path(argument) for argument in sys.argv[1:5])
    make(regular, folder / "NotoSans-Regular.ttf", LATIN)
    make(bold, folder / "NotoSans-Bold.ttf", LATIN)
    make(chinese, folder / "NotoSansSC-Regular.ttf", gb2312() + NAMES)
    write_coverage(folder)


if __name__ == "__main__":
    main()
