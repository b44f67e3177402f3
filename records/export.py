"""A record as a PDF to be signed: typeset with Typst, its canonical `record.json` attached, one empty signature field per step.

>>> exporter = Exporter(verify_url="https://records.example/verify")        # doctest: +SKIP
>>> pdf = exporter.export(record, workflow)                                 # doctest: +SKIP

The same record gives the same octets on every machine: fonts are the bundled ones, dates come from the record, nothing is drawn at
random. Setting takes about 20 ms. PDF/A-3 is intended and not claimed.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode

import segno
import typst

from records.canonical import record_json
from records.errors import ExportError
from records.form import with_signature_fields
from records.record import Record
from signing.fonts import fonts_path
from signing.workflow import Step, Workflow

TEMPLATES = Path(__file__).parent / "templates"
LABELS = {
    "teacher": "Giáo viên",
    "principal": "Hiệu trưởng",
    "school-seal": "Con dấu nhà trường",
    "student": "Học sinh",
}
"""What the box of a role is headed with; the step `homeroom` has its own words."""
HOMEROOM_LABEL = "Giáo viên chủ nhiệm"


class Exporter:
    """Sets records as PDFs. One compiler is kept and reused: fonts and template are read once. Safe to share between threads."""

    def __init__(self, *, verify_url: str, templates: Path = TEMPLATES) -> None:
        """`verify_url` is the public page's address; the QR code and the printed link add `?record=…&version=…` to it."""
        self._verify_url = verify_url
        self._template = str(templates / "school-record.typ")
        self._lock = threading.Lock()
        self._compiler = typst.Compiler(root=str(templates), font_paths=[str(fonts_path())], ignore_system_fonts=True)

    def export(self, record: Record, workflow: Workflow) -> bytes:
        """The unsigned PDF; raises :class:`ExportError`."""
        labels = {step.id: step_label(step) for step in workflow.steps}
        address = f"{self._verify_url}?{urlencode({'record': record.id, 'version': record.version})}"
        inputs = {
            "record": record_json(record, workflow).decode(),
            "fields": json.dumps([{"field": step.field, "label": labels[step.id], "box": _box(step, workflow)} for step in workflow.steps]),
            "verify": address,
            "qr": qr_svg(address),
        }
        try:
            with self._lock:
                typeset = self._compiler.compile(
                    input=self._template,
                    format="pdf",
                    sys_inputs=inputs,
                    pdf_standards="a-3b",  # embeds fonts, output intent and extension schemas as PDF/A-3 asks
                    timestamp=int(record.prepared_at.timestamp()),
                )
        except typst.TypstError as exc:
            raise ExportError(f"record {record.id} version {record.version} cannot be typeset: {_first_line(exc)}") from exc
        if not isinstance(typeset, bytes):  # the binding's type allows a list of pages, as for pictures
            raise ExportError(f"record {record.id} version {record.version} was not typeset into one PDF")
        return with_signature_fields(typeset, workflow, labels={key: f"Ô chữ ký số: {label}" for key, label in labels.items()})

    def export_class(self, records: Iterable[Record], workflow: Workflow) -> Iterator[tuple[Record, bytes]]:
        """One PDF after the other, as they are asked for: a class never lies in memory as a whole."""
        for record in records:
            yield record, self.export(record, workflow)


def export_record(record: Record, workflow: Workflow, *, verify_url: str) -> bytes:
    """The unsigned PDF of one record; keeps an :class:`Exporter` for each address."""
    return _exporter(verify_url).export(record, workflow)


@lru_cache(maxsize=4)
def _exporter(verify_url: str) -> Exporter:
    return Exporter(verify_url=verify_url)


def qr_svg(address: str) -> str:
    """A QR code (level M, without its quiet zone: the page around it is white) as an SVG."""
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(drawn, kind="svg", border=0, xmldecl=False)
    return drawn.getvalue().decode()


def step_label(step: Step) -> str:
    """What people call a step: its own label, else its role's."""
    return step.label or (HOMEROOM_LABEL if step.id == "homeroom" else LABELS.get(step.role, step.role))


def _box(step: Step, workflow: Workflow) -> str:
    """How the template draws the step's box: a "strip" over the others, "small" for those that sign side by side, else "large"."""
    if step.certifies:
        return "strip"
    alone = all(other is step or step.id in workflow.before(other.id) or other.id in workflow.before(step.id) for other in workflow.steps)
    return "large" if alone else "small"


def _first_line(exc: Exception) -> str:
    """The compiler's words without source excerpts, which could hold record contents."""
    return (str(exc).splitlines() or [type(exc).__name__])[0][:200]
