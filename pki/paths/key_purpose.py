"""What a key may be used for: key usage and extended key usage as data, one row for each purpose.

Sources: RFC 5280 sections 4.2.1.3 and 4.2.1.12; RFC 9336 (documentSigning); RFC 3161 section 2.3; RFC 6960 section 4.2.2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pki.paths.chain_errors import PurposeError
from pki.structures.certificate import Certificate
from pki.structures.extensions import EXTENDED_KEY_USAGE

DIGITAL_SIGNATURE = 0  # KeyUsage bit numbers
NON_REPUDIATION = 1
CRL_SIGN = 6

ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0"
EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36"
MS_DOCUMENT_SIGNING = "1.3.6.1.4.1.311.10.3.12"
ADOBE_AUTHENTIC_DOCUMENTS = "1.2.840.113583.1.1.5"


@dataclass(frozen=True)
class PurposeRule:
    """`key_usage`: bits of which one is needed where keyUsage is present. `extended`: purposes of which one is needed where
    extKeyUsage is present; `required` refuses an absent one, `sole` asks for it to be critical and to name nothing else. `nested` applies
    `extended` to the authorities above, where they bear an extKeyUsage."""

    name: str
    key_usage: frozenset[int] = frozenset()
    extended: frozenset[str] = frozenset()
    required: bool = False
    sole: bool = False
    nested: bool = False


class KeyPurpose(Enum):
    """What the leaf of a path is to be used for."""

    DOCUMENT_SIGNING = PurposeRule(
        "document signing",
        key_usage=frozenset({DIGITAL_SIGNATURE, NON_REPUDIATION}),
        extended=frozenset({DOCUMENT_SIGNING, EMAIL_PROTECTION, MS_DOCUMENT_SIGNING, ADOBE_AUTHENTIC_DOCUMENTS, ANY_EXTENDED_KEY_USAGE}),
        nested=True,
    )
    TIME_STAMPING = PurposeRule(
        "time stamping",
        key_usage=frozenset({DIGITAL_SIGNATURE, NON_REPUDIATION}),
        extended=frozenset({TIME_STAMPING}),
        required=True,
        sole=True,
        nested=True,
    )
    OCSP_SIGNING = PurposeRule(
        "OCSP signing",
        key_usage=frozenset({DIGITAL_SIGNATURE, NON_REPUDIATION}),
        extended=frozenset({OCSP_SIGNING}),
        required=True,
    )
    CRL_SIGNING = PurposeRule("CRL signing", key_usage=frozenset({CRL_SIGN}))
    ANY = PurposeRule("any purpose")


def check_purpose(leaf: Certificate, authorities: tuple[Certificate, ...], purpose: KeyPurpose) -> None:
    """Raises :class:`pki.paths.chain_errors.PurposeError` unless `leaf`, and the `authorities` above it, are for `purpose`."""
    rule = purpose.value
    if rule.key_usage and not any(leaf.may(bit) for bit in rule.key_usage):
        raise PurposeError(f"certificate {leaf.serial_hex} is not for {rule.name}: its keyUsage does not allow it")
    _check_extended(leaf, rule)
    if rule.nested:
        for place, authority in enumerate(authorities, start=1):
            usages = authority.extensions.extended_key_usage
            if usages is not None and not usages & (rule.extended | {ANY_EXTENDED_KEY_USAGE}):
                raise PurposeError(f"CA certificate {place} above the leaf may not issue for {rule.name}: its extKeyUsage does not name it")


def _check_extended(leaf: Certificate, rule: PurposeRule) -> None:
    usages = leaf.extensions.extended_key_usage
    if usages is None:
        if rule.required:
            raise PurposeError(
                f"certificate {leaf.serial_hex} is not for {rule.name}: it has no extKeyUsage, expected {_names(rule.extended)}"
            )
        return
    if rule.extended and not usages & rule.extended:
        raise PurposeError(
            f"certificate {leaf.serial_hex} is not for {rule.name}: its extKeyUsage does not name it, expected {_names(rule.extended)}"
        )
    if rule.sole and usages != rule.extended:
        raise PurposeError(f"certificate {leaf.serial_hex} is not for {rule.name}: its extKeyUsage names other purposes beside it")
    if rule.sole and EXTENDED_KEY_USAGE not in leaf.extensions.critical:
        # RFC 3161 section 2.3: "This extension MUST be critical."
        raise PurposeError(f"certificate {leaf.serial_hex} is not for {rule.name}: its extKeyUsage is not critical")


def _names(oids: frozenset[str]) -> str:
    return " or ".join(sorted(oids))
