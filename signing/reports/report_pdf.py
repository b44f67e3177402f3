"""The report on one document as a PDF, for whoever signs it: the answer in words, the reasons, and `verdict.json` attached.

The caller brings the words, in its reader's language; file names, signers' names and findings are strangers' text, and are set as text.
"""

from __future__ import annotations

import json
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import typst

from signing.errors import SigningError
from signing.fonts import fonts_path, missing_characters
from signing.reports.summary import Row

MAX_FINDINGS = 40  # set on paper; all of them stand in the attachment
MAX_SIGNERS = 100  # likewise: five thousand, which a hostile file may have, take three seconds to set
MAX_LINE = 400  # characters of one text of a stranger's
_UNSEEN = ("Cc", "Cf")  # control and format characters: writing directions (U+202E) reorder a line, a line end begins another
TONES = ("good", "warn", "bad", "calm")


class ReportError(SigningError):
    """A report cannot be typeset."""


@dataclass(frozen=True)
class SignerLine:
    name: str
    place: str
    time: str
    answer: str
    tone: str


@dataclass(frozen=True)
class CheckLine:
    name: str
    answer: str
    tone: str


@dataclass(frozen=True)
class ReportPage:
    """What the page says. `tone` is one of :data:`TONES`; `facts` are label and value; `words` heads the tables (see report.typ), and
    `words["more"]` says of what was left out that there are {count} more."""

    lang: str
    authority: str
    heading: str
    file: str
    tone: str
    answer: str
    text: str
    action: str
    footer: str
    facts: tuple[tuple[str, str], ...]
    signers: tuple[SignerLine, ...]
    checks: tuple[CheckLine, ...]
    findings: tuple[str, ...]
    words: dict[str, str]


def report_pdf(page: ReportPage, row: Row, *, at: datetime) -> bytes:
    """The unsigned PDF of the report on `row`, made at `at`. The same arguments give the same octets. Raises :class:`ReportError`."""
    data = _drawable(asdict(_shortened(page))) | {"attached": json.dumps(row, ensure_ascii=False, indent=2)}
    try:
        return _setter().set(json.dumps(data), at)
    except typst.TypstError as exc:
        raise ReportError("the report cannot be typeset") from exc  # the compiler's words may repeat the document's


def _shortened(page: ReportPage) -> ReportPage:
    signers, findings = page.signers[:MAX_SIGNERS], page.findings[:MAX_FINDINGS]
    if more := len(page.signers) - len(signers):
        signers += (SignerLine(page.words["more"].format(count=more), "", "", "", "calm"),)
    if more := len(page.findings) - len(findings):
        findings += (page.words["more"].format(count=more),)
    return replace(page, signers=signers, findings=findings)


class _Setter:
    """One compiler, kept: fonts and template are read once. One thread at a time."""

    def __init__(self) -> None:
        template = Path(str(resources.files("signing.reports"))) / "report.typ"
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(fonts_path())])
        self._compiler: Any = typst.Compiler(str(template), root=str(template.parent), font_paths=fonts)
        self._lock = threading.Lock()

    def set(self, data: str, at: datetime) -> bytes:
        with self._lock:
            return bytes(self._compiler.compile(format="pdf", sys_inputs={"data": data}, timestamp=int(at.timestamp())))


@cache
def _setter() -> _Setter:
    return _Setter()


def _drawable(value: Any) -> Any:
    """Every text within, shortened, and with a question mark for what the fonts cannot draw or what would turn the text around it."""
    if isinstance(value, str):
        text = value if len(value) <= MAX_LINE else value[:MAX_LINE] + " …"
        text = "".join("?" if unicodedata.category(c) in _UNSEEN else c for c in text)
        missing = missing_characters(text)
        return "".join("?" if c in missing else c for c in text) if missing else text
    if isinstance(value, dict):
        return {key: _drawable(each) for key, each in value.items()}
    if isinstance(value, Sequence):
        return [_drawable(each) for each in value]
    return value
