"""What a signature looks like on the page: a Form XObject set by Typst, its fonts embedded, with no system font and no network.

The text comes from the caller, never from the PDF, and is what the certificate says (name) and what the record says (role, school).
A verifier shows the certificate's subject only: an appearance proves nothing (attack class 22).

>>> from datetime import UTC, datetime
>>> look = Appearance(name="Nguyễn Thị Ánh", role="Giáo viên chủ nhiệm", organization="Trường THCS Cầu Giấy")
>>> graft = AppearanceRenderer().render(look, width=200, height=64, time=datetime(2026, 5, 29, 8, 30, tzinfo=UTC), reason=None)
>>> graft.size > 2
True
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import segno
import typst

from signing.applying.graft import Graft, graft_first_page
from signing.errors import SigningError
from signing.fonts import fonts_path, missing_characters

MAX_CACHED = 256  # appearances kept by one renderer; a class needs one or two
MAX_TEXT = 300  # characters of one line; a longer one is no name, role, school or reason
QR_MODULE = 0.94  # points, 0.33 mm: the smallest square that a telephone reads off a 300 dpi print without trouble
QR_MARGIN = 3.5  # points of white above and below
QR_MOST = 42  # points, 15 mm: larger only takes room from the words
WORDS_LEAST = 90  # points of width that stay for the words: a Vietnamese name of four words in readable type

_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_HEADINGS = {"vi": "Ký số bởi", "en": "Digitally signed by", "zh": "数字签名人"}
_REASONS = {"vi": "Lý do: {}", "en": "Reason: {}", "zh": "签署事由：{}"}
_TIMES = {"vi": "%H:%M %d/%m/%Y", "en": "%Y-%m-%d %H:%M", "zh": "%Y-%m-%d %H:%M"}


class AppearanceError(SigningError):
    """An appearance cannot be set: unknown language, text too long or not in the bundled fonts, or a size that is none."""


@dataclass(frozen=True)
class Appearance:
    """The words of one signer's appearances. `language` is "vi", "en" or "zh"."""

    name: str
    role: str = ""
    organization: str = ""
    language: str = "vi"
    verify_url: str | None = None
    """The verification page: a QR code leads there, where the field leaves room for it beside the words."""
    zone: str | None = None
    """The school's time zone, such as "Asia/Ho_Chi_Minh", in which the time is shown; None shows it in its own."""

    def __post_init__(self) -> None:
        self.local(_ANY_TIME)  # says at once that a zone is none
        if self.language not in _HEADINGS:
            raise AppearanceError(f"appearance language is {self.language!r}, expected one of {sorted(_HEADINGS)}")
        if not self.name or max(len(self.name), len(self.role), len(self.organization)) > MAX_TEXT:
            raise AppearanceError(f"an appearance needs a name, and no line of more than {MAX_TEXT} characters")

    def local(self, time: datetime) -> datetime:
        """The same moment as the school's clocks show it; raises :class:`AppearanceError` for a zone that is not known here."""
        if self.zone is None or time.tzinfo is None:
            return time
        try:
            return time.astimezone(ZoneInfo(self.zone))
        except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
            raise AppearanceError(f"time zone {self.zone[:60]!r} is not known here; expected one such as Asia/Ho_Chi_Minh") from exc


@dataclass
class AppearanceRenderer:
    """Sets appearances and remembers them by words, minute and size: the 45 records of a class share one.

    Keep one for a batch; it holds a Typst compiler with the bundled fonts. Not safe to share between threads.
    """

    _compiler: Any = field(default=None, repr=False)
    _done: dict[tuple[object, ...], Graft] = field(default_factory=dict, repr=False)

    def render(self, appearance: Appearance, *, width: float, height: float, time: datetime, reason: str | None) -> Graft:
        """The form for a field of `width` by `height` points. `time` is aware and shown to the minute.

        Deterministic: the same arguments give the same octets. Raises :class:`AppearanceError`.
        """
        if width <= 0 or height <= 0:
            raise AppearanceError(f"appearance size is {width} by {height} points, expected more than nothing")
        time = appearance.local(time)
        key = (appearance, round(width, 2), round(height, 2), shown_time(time, appearance.language), reason)
        if key not in self._done:
            if len(self._done) >= MAX_CACHED:
                self._done.clear()
            self._done[key] = graft_first_page(self._compile(_data(appearance, width, height, time, reason)), width=width, height=height)
        return self._done[key]

    def _compile(self, data: dict[str, Any]) -> bytes:
        if self._compiler is None:
            fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(fonts_path())])
            template = Path(str(resources.files("signing.applying"))) / "appearance.typ"
            self._compiler = typst.Compiler(str(template), root=str(template.parent), font_paths=fonts)
        # no tags: a form drawn by a widget has no place in the page's structure tree; timestamp 0: same words, same octets
        pdf = self._compiler.compile(format="pdf", sys_inputs={"data": json.dumps(data)}, timestamp=0, pdf_tags=False)
        return bytes(pdf)


def shown_time(time: datetime, language: str) -> str:
    """`time` to the minute with its offset from UTC, such as "08:30 29/05/2026 (UTC+07:00)"."""
    if time.tzinfo is None:
        raise AppearanceError("the claimed signing time has no time zone")
    offset = time.strftime("%z")
    return f"{time.strftime(_TIMES[language])} (UTC{offset[:3]}:{offset[3:5]})"


def _data(appearance: Appearance, width: float, height: float, time: datetime, reason: str | None) -> dict[str, Any]:
    if reason is not None and len(reason) > MAX_TEXT:
        raise AppearanceError(f"the reason has {len(reason)} characters, expected at most {MAX_TEXT}")
    if missing := missing_characters("".join((appearance.name, appearance.role, appearance.organization, reason or ""))):
        points = ", ".join(f"U+{ord(character):04X}" for character in missing[:5])
        raise AppearanceError(f"the bundled fonts cannot draw {points}; expected Vietnamese, other Latin or common Chinese characters")
    return {
        "width": round(width, 2),
        "height": round(height, 2),
        "lang": appearance.language,
        "heading": _HEADINGS[appearance.language],
        "name": appearance.name,
        "lines": [line for line in (appearance.role, appearance.organization) if line],
        "notes": [shown_time(time, appearance.language), *([_REASONS[appearance.language].format(reason)] if reason else [])],
        **_qr(appearance.verify_url, width, height),
    }


def _qr(url: str | None, width: float, height: float) -> dict[str, Any]:
    """The code's picture, its edge in points, and its words; none where the field is too small for it to be read off paper."""
    none = {"qr": None, "qr-size": 0, "qr-text": ""}
    if url is None:
        return none
    if len(url) > MAX_TEXT:
        raise AppearanceError(f"the verification address has {len(url)} characters, expected at most {MAX_TEXT}")
    code = segno.make_qr(url, error="m")
    edge = min(height - 2 * QR_MARGIN, QR_MOST)
    if edge < code.symbol_size(border=0)[0] * QR_MODULE or width - edge < WORDS_LEAST:
        return none
    out = io.BytesIO()
    code.save(out, kind="svg", border=0, xmldecl=False, nl=False)
    return {"qr": out.getvalue().decode("ascii"), "qr-size": round(edge, 2), "qr-text": url}
