"""Decoding streams: the one filter that is read, its predictors, and bombs."""

from __future__ import annotations

import io
import zlib

import pikepdf
import pytest

from signing.errors import LimitError, PdfError
from signing.pdf.filters import decode
from signing.pdf.objects import Name, PdfObject

FLATE: dict[str, PdfObject] = {"Filter": Name("FlateDecode")}


def _png(data: bytes, row: int, pixel: int, kinds: list[int]) -> bytes:
    """PNG filters applied (RFC 2083 section 6), as an encoder does."""
    out = bytearray()
    previous = bytes(row)
    for index, start in enumerate(range(0, len(data), row)):
        line, kind = data[start : start + row], kinds[index % len(kinds)]
        out.append(kind)
        for i, octet in enumerate(line):
            left, above = line[i - pixel] if i >= pixel else 0, previous[i]
            corner = previous[i - pixel] if i >= pixel else 0
            estimate = left + above - corner
            nearest = min((left, above, corner), key=lambda c: abs(estimate - c))
            out.append((octet - (0, left, above, (left + above) // 2, nearest)[kind]) & 0xFF)
        previous = line
    return bytes(out)


def test_stream_without_filter_is_itself() -> None:
    assert decode({}, b"plain") == b"plain"


def test_flate_is_inflated_even_with_an_end_of_line_inside_the_length() -> None:
    assert decode(FLATE, zlib.compress(b"content") + b"\r\n") == b"content"


@pytest.mark.parametrize("kinds", [[0], [1], [2], [3], [4], [4, 3, 2, 1, 0]])
def test_png_predictors_are_undone(kinds: list[int]) -> None:
    data = bytes((i * 37 + i // 7) & 0xFF for i in range(24 * 9))
    parms: PdfObject = {"Predictor": 15, "Columns": 8, "Colors": 3}
    packed = zlib.compress(_png(data, 24, 3, kinds))
    assert decode({**FLATE, "DecodeParms": parms}, packed) == data
    with pikepdf.new() as pdf:
        stream = pikepdf.Stream(pdf, packed)
        stream.Filter = pikepdf.Name.FlateDecode
        stream.DecodeParms = pikepdf.Dictionary(Predictor=15, Columns=8, Colors=3)
        pdf.Root.Probe = pdf.make_indirect(stream)
        saved = io.BytesIO()
        pdf.save(saved, stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)
        with pikepdf.open(saved) as again:
            assert again.Root.Probe.read_bytes() == data


@pytest.mark.parametrize(
    ("dictionary", "raw", "message"),
    [
        ({"Filter": Name("LZWDecode")}, b"", "filter 'LZWDecode' is not read"),
        ({"Filter": [Name("ASCIIHexDecode"), Name("FlateDecode")]}, b"", "filter 'ASCIIHexDecode' is not read"),
        (FLATE, b"nonsense", "FlateDecode data are broken"),
        (FLATE, zlib.compress(b"x" * 100)[:-5], "FlateDecode data end too early"),
        (FLATE, zlib.compress(b"x") + b"hidden", "followed by other octets"),
        ({"F": Name("elsewhere")}, b"", "external file"),
        ({**FLATE, "DecodeParms": {"Predictor": 2}}, zlib.compress(b"x"), "predictor 2 is not read"),
        ({**FLATE, "DecodeParms": {"Predictor": 12, "Columns": 0}}, zlib.compress(b"x"), "/Columns of /DecodeParms"),
        ({**FLATE, "DecodeParms": {"Predictor": 12, "Columns": 4}}, zlib.compress(b"x"), "are not rows of 5"),
        ({**FLATE, "DecodeParms": {"Predictor": 12, "Columns": 1}}, zlib.compress(b"\x07x"), "PNG filter type 7"),
        ({**FLATE, "DecodeParms": [{}, {}]}, b"", "more /DecodeParms than filters"),
    ],
)
def test_other_encodings_are_refused(dictionary: dict[str, PdfObject], raw: bytes, message: str) -> None:
    with pytest.raises(PdfError) as caught:
        decode(dictionary, raw)
    assert message in str(caught.value)


def test_bomb_meets_the_limit_before_it_is_inflated() -> None:
    with pytest.raises(LimitError, match="decodes to more than 33554432 octets"):
        decode(FLATE, zlib.compress(bytes(64 * 1024 * 1024)))


def test_wide_predictor_row_meets_a_limit() -> None:
    parms: PdfObject = {"Predictor": 12, "Columns": 1_000_000, "Colors": 1_000_000}
    with pytest.raises(LimitError, match="a predictor row"):
        decode({**FLATE, "DecodeParms": parms}, zlib.compress(b"x"))
