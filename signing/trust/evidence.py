"""The validation data inside a document: certificates, CRLs and OCSP responses of its DSS (ETSI EN 319 142-1 clause 5.4)."""

from __future__ import annotations

from pki.revocation.judgement import Evidence
from signing.errors import LimitError, PdfError
from signing.pdf.document import Document
from signing.pdf.objects import PdfObject, Ref, Stream

MAX_STREAMS = 1_000  # in a DSS; bounds work on hostile input
_KEYS = ("Certs", "CRLs", "OCSPs")


def embedded_evidence(document: Document, revision: int) -> Evidence:
    """The DSS as of `revision`; an empty one where there is none. Streams that cannot be read are left out: they prove nothing.

    VRI dictionaries are not read: they only repeat references by signature.
    """
    dss = document.get(document.catalog(revision).get("DSS"), revision=revision)
    if not isinstance(dss, dict):
        return Evidence()
    lists = [_streams(document, dss.get(key), revision) for key in _KEYS]
    return Evidence(*lists)


def _streams(document: Document, listed: PdfObject, revision: int) -> tuple[bytes, ...]:
    refs = document.get(listed, revision=revision)
    if not isinstance(refs, list):
        return ()
    if len(refs) > MAX_STREAMS:
        raise LimitError(f"the DSS lists {len(refs)} items, more than the {MAX_STREAMS} that are read")
    found: dict[bytes, None] = {}
    for ref in refs:
        if not isinstance(ref, Ref):
            continue
        try:
            stream = document.get(ref, revision=revision)
            if isinstance(stream, Stream):
                found[document.stream_data(stream, revision=revision)] = None
        except LimitError:
            raise
        except PdfError:
            continue
    return tuple(found)
