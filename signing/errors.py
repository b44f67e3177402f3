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
    """A document holds what must not be signed (attack class 15); the message names it. There is no override."""


class WorkflowError(SigningError):
    """A signature is out of order, doubled, or by a role that the record's workflow does not name for the step."""


class PolicyError(SigningError):
    """A policy or workflow file does not say what it must."""
