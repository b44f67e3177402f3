"""The verdict on bytes that cannot be read as a PDF of ours: never a pass, and a line that says what to do.

- Encrypted: INDETERMINATE/SIGNED_DATA_NOT_FOUND. Its signatures may be sound; nobody without the password can tell.
- More work than a verifier grants (a bomb): TOTAL-FAILED/FORMAT_FAILURE.
- Broken, but with the marks of a signature: TOTAL-FAILED/FORMAT_FAILURE. An honest signer does not leave such a file.
- Anything else: NO-SIGNATURE. An empty file or a picture claims nothing that could fail.
"""

from __future__ import annotations

import hashlib

from signing.errors import EncryptedPdfError, LimitError, SigningError
from signing.verdict import Entitlement, Indication, Message, SubIndication, Verdict

SIGNATURE_MARKS = (b"/ByteRange", b"/ETSI.CAdES.detached", b"/ETSI.RFC3161", b"/adbe.pkcs7", b"/adbe.x509", b"/DocTimeStamp")


def claims_signature(document: bytes) -> bool:
    """Whether the bytes hold what only a signature dictionary has a use for."""
    return any(mark in document for mark in SIGNATURE_MARKS)


def unreadable(document: bytes, problem: SigningError) -> Verdict:
    """The verdict where reading ended with `problem`."""
    failed = (Indication.TOTAL_FAILED, SubIndication.FORMAT_FAILURE)
    if isinstance(problem, EncryptedPdfError):
        outcome: tuple[Indication, SubIndication | None] = (Indication.INDETERMINATE, SubIndication.SIGNED_DATA_NOT_FOUND)
        message = Message("ENCRYPTED_PDF", f"{problem}; ask the sender for a copy without a password")
    elif isinstance(problem, LimitError):
        outcome = failed
        message = Message("TOO_COMPLEX", f"{problem}; ask the issuer for the file as it was signed")
    elif claims_signature(document):
        outcome = failed
        message = Message("PDF_BROKEN", f"{problem}; the file claims a signature but was damaged or altered: ask the issuer for it anew")
    elif not document:
        outcome = (Indication.NO_SIGNATURE, None)
        message = Message("EMPTY_FILE", "the file is empty; send it again")
    else:
        outcome = (Indication.NO_SIGNATURE, None)
        message = Message("NOT_A_PDF", f"{problem}; give the PDF file as the school issued it")
    return Verdict(
        sha256=hashlib.sha256(document).hexdigest(),
        indication=outcome[0],
        sub_indication=outcome[1],
        entitlement=Entitlement.UNKNOWN,
        messages=(message,),
    )
