"""What a verifier found missing while it judged. Whether anybody fetches it is for the caller to say (:mod:`pki.remote.online`)."""

from __future__ import annotations

from dataclasses import dataclass

from pki.structures.certificate import Certificate


@dataclass(frozen=True)
class Lack:
    """A certificate below a trusted anchor whose status is not known, or (`issuer` None) one whose issuer is not at hand."""

    certificate: Certificate
    issuer: Certificate | None
    dated: bool = False
    """Its status is known, from before what it signed is proven to exist: it may have been revoked since. Worth asking, once."""
