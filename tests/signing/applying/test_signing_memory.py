"""Signing a PDF of 100 MB: peak memory of the whole process stays under three times the file.

VmHWM and not getrusage, which on Linux also remembers the peak of the test process that this one was forked from.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Dictionary, Name, ObjectStreamMode, Stream

MEASURED = """
import sys
from pathlib import Path
from signing.applying.archive import archive
from signing.applying.sign import sign
from tests.support.signing_cases import make_signing_house

house = make_signing_house()
document = Path(sys.argv[1]).read_bytes()
request = house.request("seal", field="Seal", create=True)
signed = sign(document, request, time_stamper=house.tsa)
del document
archived = archive(signed, time_stamper=house.tsa, validation=house.evidence)
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
print(int(peak.split()[1]) * 1024)
"""


def scanned(pages: int, octets: int) -> pikepdf.Pdf:
    """Pages with a picture each, as a scanner writes them: incompressible octets."""
    pdf, chance = pikepdf.new(), random.Random(1)
    for _ in range(pages):
        pdf.add_blank_page(page_size=(595, 842))
        entries = Dictionary(Type=Name.XObject, Subtype=Name.Image, Width=1024, Height=octets // 1024, BitsPerComponent=8)
        entries.ColorSpace = Name.DeviceGray
        pdf.pages[-1].Resources = Dictionary(XObject=Dictionary(I=Stream(pdf, chance.randbytes(octets), entries)))
        pdf.pages[-1].Contents = pdf.make_stream(b"q 595 0 0 842 0 0 cm /I Do Q")
    return pdf


@pytest.mark.long
def test_peak_memory_stays_under_three_times_a_file_of_100_mb(tmp_path: Path) -> None:
    file = tmp_path / "scanned.pdf"
    scanned(20, 5 * 1024 * 1024).save(file, compress_streams=False, object_stream_mode=ObjectStreamMode.disable)
    assert file.stat().st_size > 100 * 10**6
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    told = subprocess.run(
        [sys.executable, "-c", MEASURED, str(file)], capture_output=True, text=True, check=True, env=environment, cwd=root
    )
    assert int(told.stdout) < 3 * file.stat().st_size
