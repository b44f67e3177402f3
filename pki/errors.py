"""Errors of the issuing authority. Every error of this package is a :class:`PkiError`."""

from __future__ import annotations


class PkiError(Exception):
    """Base of everything `pki` raises on purpose; its text is one line that a user can act on."""


class EncodingError(PkiError):
    """Bytes that should be a DER structure of a named type are not."""


class SignatureError(PkiError):
    """A signature value does not verify under the key and algorithm it names."""


class UnsupportedAlgorithmError(PkiError):
    """An algorithm identifier or key that this authority neither makes nor accepts."""


class KeyStoreError(PkiError):
    """A key store cannot be opened, read or written."""


class KeyNotFoundError(KeyStoreError):
    """No key bears the label that was asked for."""


class WrongSecretError(KeyStoreError):
    """A passphrase, PIN or activation code does not open what it should open."""


class IssuanceError(PkiError):
    """A certificate cannot be prepared, recorded or issued as asked."""


class DuplicateSerialError(IssuanceError):
    """The issuer already has an entry with this serial number."""


class NotRecordedError(IssuanceError):
    """No entry with this issuer and serial number: nothing is signed or revoked that was not recorded."""


class AlreadyIssuedError(IssuanceError):
    """The recorded certificate has been issued before; a prepared certificate is redeemable once."""


class AlreadyRevokedError(IssuanceError):
    """The certificate is already revoked; a revocation is final."""


class NotIssuedError(IssuanceError):
    """The certificate is recorded but was never signed: there is nothing to suspend."""


class AlreadySuspendedError(IssuanceError):
    """The certificate is on hold already."""


class NotSuspendedError(IssuanceError):
    """The certificate is not on hold, so nothing can be released."""


class BlockedKeyError(IssuanceError):
    """The key was reported as compromised: it is never certified again, for anybody."""


class KeyTakenError(IssuanceError):
    """The key stands in a certificate of somebody else: one key, one holder."""


class WeakKeyError(IssuanceError):
    """The key is of a kind that others can work out. `weakness` names it, such as "close-primes"."""

    def __init__(self, weakness: str, text: str) -> None:
        super().__init__(text)
        self.weakness = weakness
