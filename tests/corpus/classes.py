"""The 44 classes of attack, and the table of cases by class (`README.md`).

python -m tests.corpus.classes        # writes README.md anew
"""

from __future__ import annotations

from pathlib import Path

from tests.corpus import all_cases

README = Path(__file__).with_name("README.md")
CLASSES: dict[int, str] = {
    1: "`/Contents` absent, null, empty, zeros, garbage, indirect",
    2: "`/ByteRange` absent, null, negative, of a wrong length or type, huge, overlapping",
    3: "validly signed, wrong coverage: wide gap, uncovered tail, late start",
    4: "wrapping by a moved second range",
    5: "a literal string hides octets in the gap",
    6: "incremental saving: content update, copied signature, commented close",
    7: "the same without xref, trailer or `%%EOF`; trailing octets",
    8: "page added, removed, swapped",
    9: "font replaced",
    10: "JavaScript, OpenAction or XFA added",
    11: "signature removed: field detached or value cleared",
    12: "shadow hide, hide-and-replace, xref re-pointed",
    13: "shadow replace through an open form",
    14: "optional-content layer flipped",
    15: "what the signer refuses to sign",
    16: "annotations on certified documents",
    17: "an unsigned or self-signed field covers the content",
    18: "DocMDP violated, `/Perms` removed",
    19: "FieldMDP lock violated",
    20: "hybrid xref, `/Prev` loop or negative, object-stream override",
    21: "two fields share a signature",
    22: "`/Name` or `/Reason` spoofed",
    23: "CMS messageDigest mismatched, empty, duplicated; wrong content-type",
    24: "digest or signature algorithm that does not fit",
    25: "signed attributes removed, or replayed as content",
    26: "ESSCertIDv2 missing, or naming another certificate",
    27: "no or two SignerInfos, enclosed content",
    28: "forged certificate of the same issuer and serial number",
    29: "weak algorithms and keys, degenerate signature values",
    30: "expired, not yet valid, revoked; with and without proof of existence",
    31: "who may issue: CA:false, keyCertSign, pathLen, names, critical extensions, rogue CA",
    32: "key usage and extended key usage",
    33: "time stamps that lie",
    34: "OCSP answers that do not count",
    35: "CRLs that do not count",
    36: "decompression bombs",
    37: "deep nesting, loops",
    38: "20,000 incremental updates",
    39: "billion laughs in XMP, external entities in XFA",
    40: "deep ASN.1, lengths of 2^31, certificate-path bombs, 5,000 fields",
    41: "a valid certificate of the wrong person",
    42: "a record cut back to an earlier revision",
    43: "an edit between two honest signatures",
    44: "a trust anchor planted beside the file",
}
_HEAD = """# Corpus of attacks

Each case is a function that builds a file, registered with its class, clause, reason and the verdict expected under the
`record` policy, and under `ades` where that differs (`case.py`). `tests/signing/verifying/test_verify_corpus.py` judges each by every
engine, `tests/cli/test_verify_whole_corpus.py` all of them in one run of `eduseal verify`. Honest siblings, which must pass,
are set in italics. This table is written by `python -m tests.corpus.classes`.

"""


def table() -> str:
    """README.md: for each class its cases, and what is expected of them."""
    lines = [_HEAD]
    for number, title in CLASSES.items():
        lines.append(f"## {number}: {title}\n\n| case | why | verdict | under `ades` |\n| --- | --- | --- | --- |\n")
        for case in all_cases():
            if case.attack_class == number:
                identifier = f"*{case.id}*" if case.honest else case.id
                ades = "" if case.ades == case.record else str(case.ades)
                lines.append(f"| {identifier} | {case.reason}. {case.clause} | {case.record} | {ades} |\n")
        lines.append("\n")
    return "".join(lines).rstrip("\n") + "\n"


if __name__ == "__main__":
    README.write_text(table(), encoding="utf-8")
