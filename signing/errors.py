"""Errors of the signing service. Every error of this package is a :class:`SigningError`; verification answers with a verdict instead."""

from __future__ import annotations


class SigningError(Exception):
    """Base of everything `signing` raises on purpose; its text is one line that a user can act on."""


class PdfError(SigningError):
    """Bytes are not a PDF that this house reads; the message says what was expected, and where."""


class EncryptedPdfError(PdfError):
    """The document is encrypted: neither signed nor verified."""


class LimitError(PdfError):
    """A document asks for more work or memory than a verifier grants (see the named constants)."""


class RefusedDocumentError(SigningError):
    """A document holds what must not be signed (attack class 15). There is no override.

    `found` names the kind, such as "javascript" or "hidden-page" (docs list them); `text` says what and where.
    """

    def __init__(self, found: str, text: str) -> None:
        super().__init__(found, text)
        self.found = found
        self.text = text

    def __str__(self) -> str:
        return f"refused before signing, {self.found}: {self.text}"


class WorkflowError(SigningError):
    """A signature is out of order, doubled, or by a role that the record's workflow does not name for the step."""


class PolicyError(SigningError):
    """A policy or workflow file does not say what it must."""
