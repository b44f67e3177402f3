"""Certificates put in order: the one at the bottom first, then its issuers, as far as those at hand go."""

from __future__ import annotations

from collections.abc import Iterable

from pki.errors import EncodingError
from pki.structures.certificate import Certificate, load_certificate


def ordered_chain(leaf_der: bytes, others: Iterable[bytes]) -> tuple[bytes, ...]:
    """`leaf_der` and those of `others` above it, nearest first, by names; a root is left out, and so is what cannot be read.

    A verifier has the root, or does not trust it. Nothing is validated. Raises :class:`pki.errors.EncodingError` for the leaf alone.
    """
    pool = [certificate for der in others if (certificate := _loaded(der)) is not None]
    chain = [load_certificate(leaf_der)]
    while (above := next((each for each in pool if each.subject == chain[-1].issuer and each not in chain), None)) is not None:
        if above.self_issued:
            break
        chain.append(above)
    return tuple(each.der for each in chain)


def _loaded(der: bytes) -> Certificate | None:
    try:
        return load_certificate(der)
    except EncodingError:
        return None  # attribute certificates and the like
