"""The hardware key store: keys of the authority and of seals are made in a PKCS#11 token and never leave it; so is the key-encryption key.

    keys = Pkcs11KeyStore.open_or_create(place, pin=pin)
    key = keys.generate("issuing")

In the token, under the place's prefix: a pair `eduseal/LABEL` for each key, and the AES-256 key `eduseal/kek`. A wrapped secret is one
version octet, 12 octets nonce, ciphertext and 16 octets tag of AES-256-GCM computed in the token, with version and context as additional
data (docs/adr/0008). What is wrapped under a token opens with that token alone.
"""

from __future__ import annotations

import os
from contextlib import suppress

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from pki.errors import KeyNotFoundError, KeyStoreError, SignatureError, UnsupportedAlgorithmError, WrongSecretError
from pki.keys.key_store_uri import TokenPlace
from pki.keys.keystore import is_label, require_label
from pki.keys.pkcs11.token import GCM_TAG_OCTETS, LabelTakenError, Token
from pki.keys.softkey import CURVES
from pki.keys.wrap import MAX_SECRET
from pki.structures.algorithms import PublicKey, SignatureAlgorithm, algorithm_for_key
from pki.structures.der import element

KEK = "kek"
OVERHEAD = 1 + 12 + GCM_TAG_OCTETS  # octets that wrapping adds

OCTET_STRING = 0x04

_VERSION = b"\x02"  # 1 is what pki.keys.wrap seals under a key in memory
_NONCE_OCTETS = 12
_PROBE = b"does the token what it should?"

# CKA_EC_PARAMS: the DER of the curve's OID (RFC 5480 section 2.1.1.1)
_EC_PARAMS = {
    "P-256": bytes.fromhex("06082a8648ce3d030107"),
    "P-384": bytes.fromhex("06052b81040022"),
    "P-521": bytes.fromhex("06052b81040023"),
}
_CURVES = {der: CURVES[name] for name, der in _EC_PARAMS.items()}


class Pkcs11Key:
    """A :class:`pki.structures.algorithms.SigningKey` in a token. It stays usable when the token is lost and comes back."""

    def __init__(self, token: Token, label: str, public_key: ec.EllipticCurvePublicKey) -> None:
        self._token, self._label, self._public_key = token, label, public_key
        self._algorithm = algorithm_for_key(public_key)

    @property
    def algorithm(self) -> SignatureAlgorithm:
        return self._algorithm

    def public_key(self) -> PublicKey:
        return self._public_key

    def sign(self, data: bytes) -> bytes:
        """ECDSA-Sig-Value DER over `data`, hashed here; raises :class:`pki.errors.KeyStoreError` where the token does not answer."""
        rs = self._token.sign(self._label, self._algorithm.digest.of(data))
        half = len(rs) // 2
        return encode_dss_signature(int.from_bytes(rs[:half], "big"), int.from_bytes(rs[half:], "big"))


class Pkcs11KeyStore:
    """Implements :class:`pki.ports.KeyStore`. Threads may share it; so may children made by fork."""

    def __init__(self, token: Token, prefix: str) -> None:
        """Use :meth:`open_existing` or :meth:`open_or_create`."""
        self._token, self._prefix = token, prefix

    @classmethod
    def open_existing(cls, place: TokenPlace, *, pin: str) -> Pkcs11KeyStore:
        """Raises :class:`pki.errors.WrongSecretError` (the PIN), or KeyStoreError where there is no such token or no store in it."""
        store = cls(Token(place, pin), place.prefix)
        if not store._token.has_secret(store._name(KEK)):
            raise KeyStoreError(f"{place.title} holds no key store {place.prefix!r}; correct the key store URI, or run: eduseal init")
        store.unwrap(store.wrap(_PROBE, context=_PROBE), context=_PROBE)  # a token that cannot is found out now, not at the first enrolment
        return store

    @classmethod
    def open_or_create(cls, place: TokenPlace, *, pin: str) -> Pkcs11KeyStore:
        """As above; makes the key-encryption key where it is missing."""
        store = cls(Token(place, pin), place.prefix)
        if not store._token.has_secret(store._name(KEK)):
            with suppress(LabelTakenError):  # by another process, meanwhile
                store._token.generate_secret(store._name(KEK))
        return cls.open_existing(place, pin=pin)

    def generate(self, label: str, *, curve: str = "P-256") -> Pkcs11Key:
        """Raises :class:`pki.errors.KeyStoreError` where the label is taken or is no label, UnsupportedAlgorithmError for other curves."""
        require_label(label)
        if curve not in _EC_PARAMS:
            raise UnsupportedAlgorithmError(f"curve {curve!r} is not one of {', '.join(_EC_PARAMS)}")
        try:
            self._token.generate_pair(self._name(label), _EC_PARAMS[curve])
        except LabelTakenError:
            raise KeyStoreError(f"key store {self._prefix}: a key {label!r} stands already; it was not touched") from None
        return self.open(label)

    def open(self, label: str) -> Pkcs11Key:
        """Raises :class:`pki.errors.KeyNotFoundError`, or KeyStoreError where the key could leave the token or its halves do not fit."""
        require_label(label)
        try:
            params, point = self._token.public_point(self._name(label))
        except KeyNotFoundError:
            if label in self.labels():
                raise KeyStoreError(
                    f"key store {self._prefix}: key {label!r} lacks its public half; restore it, or remove the key"
                ) from None
            raise KeyNotFoundError(f"key store {self._prefix} holds no key {label!r}") from None
        key = Pkcs11Key(self._token, self._name(label), _public_key(params, point, label))
        try:
            key.algorithm.verify(key.public_key(), key.sign(_PROBE), _PROBE)
        except SignatureError:
            raise KeyStoreError(f"key store {self._prefix}: the halves of key {label!r} do not belong together; restore them") from None
        return key

    def labels(self) -> tuple[str, ...]:
        """Sorted."""
        start = self._name("")
        found = (name.removeprefix(start) for name in self._token.labels() if name.startswith(start))
        return tuple(sorted(set(filter(is_label, found))))

    def wrap(self, secret: bytes, *, context: bytes) -> bytes:
        if len(secret) > MAX_SECRET:
            raise ValueError(f"secret of {len(secret)} octets, at most {MAX_SECRET} are wrapped")
        nonce = os.urandom(_NONCE_OCTETS)
        return _VERSION + nonce + self._token.encrypt(self._name(KEK), secret, nonce=nonce, context=_VERSION + context)

    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        if wrapped[:1] != _VERSION or not OVERHEAD <= len(wrapped) <= OVERHEAD + MAX_SECRET:
            raise WrongSecretError(f"wrapped secret: {len(wrapped)} octets that no token wrapped")
        nonce, ciphertext = wrapped[1 : 1 + _NONCE_OCTETS], wrapped[1 + _NONCE_OCTETS :]
        return self._token.decrypt(self._name(KEK), ciphertext, nonce=nonce, context=_VERSION + context)

    def _name(self, label: str) -> str:
        """CKA_LABEL. No label holds a slash, so no store's keys are another's."""
        return f"{self._prefix}/{label}"


def _public_key(params: bytes, point: bytes, label: str) -> ec.EllipticCurvePublicKey:
    if params not in _CURVES:
        raise KeyStoreError(f"key {label!r} lies on curve {params[:40].hex()}, expected one of {', '.join(_EC_PARAMS)}")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[params], _bare(point, _CURVES[params]))
    except ValueError as exc:
        raise KeyStoreError(f"key {label!r}: its public point is not on the curve") from exc


def _bare(point: bytes, curve: ec.EllipticCurve) -> bytes:
    """CKA_EC_POINT is an OCTET STRING in DER; some tokens give the bare point."""
    bare = point[-(1 + 2 * ((curve.key_size + 7) // 8)) :]
    return bare if point == element(OCTET_STRING, bare) else point
