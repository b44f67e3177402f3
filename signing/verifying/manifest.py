"""Finds the signed `record.json` in a document: the one embedded file of that name, as of the revision that the first signature closes."""

from __future__ import annotations

from collections.abc import Iterator

from signing.errors import PdfError, PolicyError
from signing.pdf.document import Document
from signing.pdf.objects import PdfObject, Ref, Stream
from signing.pdf.text import text
from signing.workflow import MAX_MANIFEST, Manifest, parse_manifest

MANIFEST_NAME = "record.json"
MAX_FILES = 200  # embedded files looked at; bounds work on hostile input
MAX_NODES = 500  # nodes of the name tree
_KINDS = ("F", "UF")


def find_manifest(document: Document, revision: int) -> Manifest | None:
    """The manifest, or None where no file is called `record.json`.

    Raises :class:`PolicyError` where more than one bears the name, or the one does not read: two readers could then see two records.
    """
    try:
        found = [spec for spec in _specifications(document, revision) if _is_named(document, spec, revision)]
        if not found:
            return None
        if len(found) > 1:
            raise PolicyError(f"{len(found)} embedded files are called {MANIFEST_NAME}, expected one")
        return parse_manifest(_content(document, found[0], revision))
    except PdfError as exc:
        raise PolicyError(f"{MANIFEST_NAME}: cannot be read ({exc})") from exc


def _specifications(document: Document, revision: int) -> Iterator[dict[str, PdfObject]]:
    """Every file specification that the catalog's /AF or its /EmbeddedFiles name tree shows, each once."""
    catalog = document.catalog(revision)
    listed: list[PdfObject] = []
    associated = document.get(catalog.get("AF"), revision=revision)
    if isinstance(associated, list):
        listed += associated
    names = document.get(catalog.get("Names"), revision=revision)
    if isinstance(names, dict):
        listed += _leaves(document, names.get("EmbeddedFiles"), revision)
    if len(listed) > MAX_FILES:
        raise PolicyError(f"more than {MAX_FILES} embedded files, expected one called {MANIFEST_NAME}")
    seen: set[Ref] = set()
    for value in listed:
        if isinstance(value, Ref):
            if value in seen:
                continue
            seen.add(value)
        spec = document.get(value, revision=revision)
        if isinstance(spec, dict):
            yield spec


def _leaves(document: Document, root: PdfObject, revision: int) -> list[PdfObject]:
    """The values of a name tree (ISO 32000-2 clause 7.9.6)."""
    values: list[PdfObject] = []
    waiting, visited = [root], 0
    while waiting:
        visited += 1
        if visited > MAX_NODES:
            raise PolicyError(f"the tree of embedded files has more than {MAX_NODES} nodes")
        node = document.get(waiting.pop(), revision=revision)
        if not isinstance(node, dict):
            continue
        pairs = document.get(node.get("Names"), revision=revision)
        if isinstance(pairs, list):
            values += pairs[1::2]
        kids = document.get(node.get("Kids"), revision=revision)
        if isinstance(kids, list):
            waiting += kids
    return values


def _is_named(document: Document, spec: dict[str, PdfObject], revision: int) -> bool:
    names = {text(document.get(spec[kind], revision=revision)) for kind in _KINDS if kind in spec}
    if MANIFEST_NAME in names and len(names) != 1:
        raise PolicyError(f"an embedded file is called {MANIFEST_NAME} and something else at once")
    return MANIFEST_NAME in names


def _content(document: Document, spec: dict[str, PdfObject], revision: int) -> bytes:
    files = document.get(spec.get("EF"), revision=revision)
    refs = {ref for kind in _KINDS if isinstance(files, dict) and isinstance(ref := files.get(kind), Ref)}
    stream = document.get(next(iter(refs)), revision=revision) if len(refs) == 1 else None
    if not isinstance(stream, Stream):
        raise PolicyError(f"{MANIFEST_NAME}: its /EF does not name one embedded file")
    if len(stream.raw) > MAX_MANIFEST:
        raise PolicyError(f"{MANIFEST_NAME}: {len(stream.raw)} octets, more than the {MAX_MANIFEST} that are read")
    return document.stream_data(stream, revision=revision)
