"""A key that its holder brings: in a PKCS#12 file, or on a token that another authority handed out.

    own = open_pkcs12(Path("me.p12").read_bytes(), passphrase)
    own = open_token_key(place, label=None, pin=pin)

The house's own keys are elsewhere (:mod:`pki.keys.keystore`, :mod:`pki.keys.pkcs11.store`), and held to stricter rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from pki.errors import KeyNotFoundError, KeyStoreError, UnsupportedAlgorithmError, WrongSecretError
from pki.keys.key_store_uri import TokenPlace
from pki.keys.softkey import SoftwareKey
from pki.structures.algorithms import Digest, PublicKey, SignatureAlgorithm, SigningKey, algorithm_for_key
from pki.structures.issuer_order import ordered_chain

if TYPE_CHECKING:
    from pki.keys.pkcs11.holder import HolderToken

MAX_KEY_FILE = 1024 * 1024  # octets; one with a chain has about 5,000

# DigestInfo but for the digest (RFC 8017 section 9.2, note 1)
_DIGEST_INFO = {
    Digest.SHA256: bytes.fromhex("3031300d060960864801650304020105000420"),
    Digest.SHA384: bytes.fromhex("3041300d060960864801650304020205000430"),
    Digest.SHA512: bytes.fromhex("3051300d060960864801650304020305000440"),
}


@dataclass(frozen=True)
class OwnKey:
    """`certificate_der` is the key's, `chain` its issuers below the root, nearest first, as far as they were at hand."""

    key: SigningKey
    certificate_der: bytes = field(repr=False)
    chain: tuple[bytes, ...] = field(repr=False)


def open_pkcs12(data: bytes, passphrase: str, *, more: Sequence[bytes] = ()) -> OwnKey:
    """From a PKCS#12 file; `more` are certificates (DER) that it may lack. Raises :class:`pki.errors.WrongSecretError` or KeyStoreError."""
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(data, passphrase.encode("utf-8"))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise WrongSecretError("key file: the passphrase does not open it, or it is no PKCS#12 file") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise KeyStoreError("key file: it holds no EC or RSA key; expected a PKCS#12 file with a key and its certificate")
    own = SoftwareKey(key)
    beside = [each.public_bytes(Encoding.DER) for each in (*([certificate] if certificate else []), *others)]
    return _with_certificates(own, own.public_key(), (*beside, *more), "key file")


def open_token_key(place: TokenPlace, *, label: str | None, pin: str, more: Sequence[bytes] = ()) -> OwnKey:
    """The one private key of a token, or the one labelled `label`; its certificate is the token's of the same CKA_ID, or among `more`.

    Raises :class:`pki.errors.WrongSecretError` (the PIN), KeyNotFoundError or KeyStoreError. Not supported: keys that ask for their PIN
    at each signature (CKA_ALWAYS_AUTHENTICATE).
    """
    from pki.keys.pkcs11.holder import HolderToken  # here: who keeps keys in files loads nothing of PKCS#11

    token = HolderToken(place, pin)
    keys = [(key_id, name) for key_id, name in token.private_keys() if label is None or name == label]
    if len(keys) != 1:
        named = f"labelled {label!r}" if label is not None else "(choose one with object=LABEL)"
        raise KeyNotFoundError(f"{place.title} holds {len(keys)} private keys {named}, expected one")
    ((key_id, _),) = keys
    held = token.certificates()
    own = [der for found_id, der in held if found_id == key_id] or list(more[:1])
    if not own:
        raise KeyNotFoundError(f"{place.title} holds no certificate for the key; name a file that does with --certificate")
    public_key = _public_key(own[0])
    key = _TokenKey(token, key_id, public_key)
    return _with_certificates(key, public_key, (*own, *(der for _, der in held), *more), place.title)


class _TokenKey:
    """A :class:`pki.structures.algorithms.SigningKey` on a holder's own token."""

    def __init__(self, token: HolderToken, key_id: bytes, public_key: PublicKey) -> None:
        self._token, self._key_id, self._public_key = token, key_id, public_key
        self._algorithm = algorithm_for_key(public_key)

    @property
    def algorithm(self) -> SignatureAlgorithm:
        return self._algorithm

    def public_key(self) -> PublicKey:
        return self._public_key

    def sign(self, data: bytes) -> bytes:
        digest = self._algorithm.digest
        if isinstance(self._public_key, rsa.RSAPublicKey):
            return self._token.sign(self._key_id, _DIGEST_INFO[digest] + digest.of(data), rsa=True)
        rs = self._token.sign(self._key_id, digest.of(data), rsa=False)
        half = len(rs) // 2
        return encode_dss_signature(int.from_bytes(rs[:half], "big"), int.from_bytes(rs[half:], "big"))


def _with_certificates(key: SigningKey, public_key: PublicKey, certificates: Sequence[bytes], place: str) -> OwnKey:
    for der in certificates:
        if _public_key(der) == public_key:
            own, *chain = ordered_chain(der, certificates)
            return OwnKey(key, own, tuple(chain))
    raise KeyStoreError(f"{place}: none of the {len(certificates)} certificates at hand is the key's; name it with --certificate")


def _public_key(certificate_der: bytes) -> PublicKey:
    try:
        key = x509.load_der_x509_certificate(certificate_der).public_key()
    except (ValueError, x509.InvalidVersion, UnsupportedAlgorithm) as exc:
        raise KeyStoreError("a certificate beside the key cannot be read; expected X.509") from exc
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise UnsupportedAlgorithmError(f"a certificate beside the key holds a key of type {type(key).__name__}; expected EC or RSA")
    return key
