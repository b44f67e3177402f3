"""Decoding streams: FlateDecode with PNG predictors (ISO 32000-2 clause 7.4), within limits. Other filters are refused, not guessed."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from signing.errors import LimitError, PdfError
from signing.pdf.limits import LIMITS, Limits
from signing.pdf.objects import PdfObject

CODING = ("F", "Filter", "DecodeParms")  # what of a stream's dictionary says how its data are coded
MAX_ROW = 1_000_000  # octets of one predictor row
MAX_TAIL = 2  # octets after the zlib data: some writers let the end of line stand inside /Length


def decode(dictionary: Mapping[str, PdfObject], raw: bytes, *, limits: Limits = LIMITS) -> bytes:
    """The decoded octets of a stream whose /Filter and /DecodeParms are already resolved.

    Raises :class:`PdfError` on other filters or broken data, :class:`LimitError` where the result grows beyond `limits.stream`.
    """
    if "F" in dictionary:
        raise PdfError("a stream's data lie in an external file")
    filters, parameters = _chain(dictionary, limits) if dictionary else ([], [])
    data = raw
    for name, parms in zip(filters, parameters, strict=True):
        if name not in ("FlateDecode", "Fl"):
            raise PdfError(f"filter {str(name)[:32]!r} is not read; expected FlateDecode")
        data = _predicted(_inflate(data, limits.stream), parms)
    if len(data) > limits.stream:
        raise LimitError(f"a stream is longer than {limits.stream} octets")
    return data


def _chain(dictionary: Mapping[str, PdfObject], limits: Limits) -> tuple[list[PdfObject], list[PdfObject]]:
    filters = dictionary.get("Filter")
    parameters = dictionary.get("DecodeParms")
    filters = filters if isinstance(filters, list) else [] if filters is None else [filters]
    parameters = parameters if isinstance(parameters, list) else [parameters] * min(len(filters), 1)
    if len(filters) > limits.filters:
        raise LimitError(f"a stream has {len(filters)} filters, more than the {limits.filters} that are read")
    if len(parameters) > len(filters):
        raise PdfError("a stream has more /DecodeParms than filters")
    return filters, parameters + [None] * (len(filters) - len(parameters))


def _inflate(data: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        decoded = inflater.decompress(data, limit + 1)
    except zlib.error as exc:
        raise PdfError("FlateDecode data are broken") from exc
    if len(decoded) > limit:
        raise LimitError(f"a stream decodes to more than {limit} octets")
    if not inflater.eof:
        raise PdfError("FlateDecode data end too early")
    if len(inflater.unused_data) > MAX_TAIL or inflater.unused_data.strip(b"\r\n"):
        raise PdfError("FlateDecode data are followed by other octets")
    return decoded


def _predicted(data: bytes, parms: PdfObject) -> bytes:
    if parms is None:
        return data
    if not isinstance(parms, dict):
        raise PdfError("/DecodeParms is not a dictionary")
    predictor = _positive(parms, "Predictor", 1)
    if predictor == 1:
        return data
    if not 10 <= predictor <= 15:
        raise PdfError(f"predictor {predictor} is not read; expected 1 or 10 to 15")
    bits = _positive(parms, "Colors", 1) * _positive(parms, "BitsPerComponent", 8)
    row = (bits * _positive(parms, "Columns", 1) + 7) // 8
    if row > MAX_ROW:
        raise LimitError(f"a predictor row has {row} octets, more than {MAX_ROW}")
    return _png(data, row, max(1, bits // 8))


def _positive(parms: Mapping[str, PdfObject], key: str, default: int) -> int:
    value = parms.get(key, default)
    if type(value) is not int or not 1 <= value <= MAX_ROW:
        raise PdfError(f"/{key} of /DecodeParms is not a small positive integer")
    return value


def _png(data: bytes, row: int, pixel: int) -> bytes:
    """Undoes the PNG filters (RFC 2083 section 6); each row is one filter octet and `row` octets."""
    if len(data) % (row + 1):
        raise PdfError(f"predictor data of {len(data)} octets are not rows of {row + 1}")
    previous = bytes(row)
    rows = []
    for start in range(0, len(data), row + 1):
        kind, line = data[start], data[start + 1 : start + 1 + row]
        if kind == 2:
            line = bytes([(a + b) & 0xFF for a, b in zip(line, previous, strict=True)])
        elif kind in (1, 3, 4):
            line = _unfilter(kind, line, previous, pixel)
        elif kind:
            raise PdfError(f"PNG filter type {kind}; expected 0 to 4")
        rows.append(line)
        previous = line
    return b"".join(rows)


def _unfilter(kind: int, line: bytes, previous: bytes, pixel: int) -> bytes:
    out = bytearray(line)
    for i, value in enumerate(line):
        left = out[i - pixel] if i >= pixel else 0
        if kind == 1:
            add = left
        elif kind == 3:
            add = (left + previous[i]) // 2
        else:
            add = _paeth(left, previous[i], previous[i - pixel] if i >= pixel else 0)
        out[i] = (value + add) & 0xFF
    return bytes(out)


def _paeth(left: int, above: int, corner: int) -> int:
    estimate = left + above - corner
    distances = (abs(estimate - left), abs(estimate - above), abs(estimate - corner))
    return (left, above, corner)[distances.index(min(distances))]
