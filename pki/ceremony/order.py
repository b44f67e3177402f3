"""What a second person approves of a ceremony: its file, and every key from elsewhere that it is to certify.

The file cannot name a key that is made in another home. Approved by the file alone, a request exchanged on its way to the vault would get
a certificate authority's certificate for somebody else's key; so the approval names the keys as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from pki.ceremony.check import CeremonyError, check_request
from pki.ceremony.plan import CROSS, CeremonyPlan, KeyHome
from pki.issuing.tbs import public_key_sha256
from pki.registration.approval import Order
from pki.registration.ca_request import CaRequest, read_request
from pki.registration.policy import RequestKind
from pki.structures.algorithms import PublicKey

_FORMAT = "eduseal ceremony order 1"


def requests_of(plan: CeremonyPlan, given: Mapping[str, bytes]) -> dict[str, CaRequest]:
    """The requests (PKCS#10, PEM or DER, by label) that the file asks for, each held against it.

    Raises :class:`pki.ceremony.check.CeremonyError`, CeremonyMismatchError, or what reading raises.
    """
    found: dict[str, CaRequest] = {}
    for wanted in plan.certificates:
        key = plan.key(wanted.subject)
        if key is None or key.home is KeyHome.HERE or wanted.profile == CROSS:
            continue
        if wanted.subject not in given:
            raise CeremonyError(f"certificate {wanted.title}: its request is missing; bring {wanted.subject}.csr from the home that serves")
        found[wanted.subject] = read_request(given[wanted.subject])
        check_request(plan, wanted, found[wanted.subject])
    return found


def ceremony_order(plan: CeremonyPlan, requests: Mapping[str, CaRequest]) -> Order:
    """The file alone where all keys are made in the vault; else a text of the file's digest and one line for each key."""
    reference = f"ceremony/{plan.sha256.hex()[:16]}"
    if not requests:
        return Order(RequestKind.CA, "ceremony", reference, plan.sha256)
    keys = [f"key {label} {key_digest(requests[label].public_key)}" for label in sorted(requests)]
    text = "\n".join((_FORMAT, f"file {plan.sha256.hex()}", *keys, ""))
    return Order(RequestKind.CA, "ceremony", reference, hashlib.sha256(text.encode()).digest(), text)


def key_digest(key: PublicKey) -> str:
    """SHA-256 of the SubjectPublicKeyInfo, hexadecimal: what people compare, from paper. The same however often a key asks."""
    return public_key_sha256(key).hex()


def keys_in(order: Order) -> tuple[tuple[str, str], ...]:
    """Labels and digests that :func:`ceremony_order` put into it."""
    lines = [line.split(" ") for line in (order.content or "").splitlines() if line.startswith("key ")]
    return tuple((label, digest) for _, label, digest in lines)
