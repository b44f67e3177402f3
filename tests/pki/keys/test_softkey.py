"""Software keys: they sign with the algorithm that fits, and show nothing."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from pki.errors import SignatureError, UnsupportedAlgorithmError
from pki.keys.softkey import SoftwareKey
from pki.structures.algorithms import ECDSA_SHA256, ECDSA_SHA384, ECDSA_SHA512, RSA_SHA256, SignatureAlgorithm


@pytest.mark.parametrize(("curve", "algorithm"), [("P-256", ECDSA_SHA256), ("P-384", ECDSA_SHA384), ("P-521", ECDSA_SHA512)])
def test_curve_signs_with_its_own_digest(curve: str, algorithm: SignatureAlgorithm) -> None:
    key = SoftwareKey.generate(curve)
    assert key.algorithm is algorithm
    algorithm.verify(key.public_key(), key.sign(b"record"), b"record")


def test_rsa_signs_with_sha256() -> None:
    key = SoftwareKey(rsa.generate_private_key(65537, 2048))
    RSA_SHA256.verify(key.public_key(), key.sign(b"record"), b"record")


def test_signature_over_other_octets_does_not_verify() -> None:
    key = SoftwareKey.generate()
    with pytest.raises(SignatureError, match="does not verify"):
        key.algorithm.verify(key.public_key(), key.sign(b"record"), b"another")


def test_unknown_curve_is_refused() -> None:
    with pytest.raises(UnsupportedAlgorithmError, match="curve 'P-224' is not one of P-256, P-384, P-521"):
        SoftwareKey.generate("P-224")


def test_key_of_another_family_is_refused() -> None:
    with pytest.raises(UnsupportedAlgorithmError, match="neither EC nor RSA"):
        SoftwareKey(ed25519.Ed25519PrivateKey.generate())  # type: ignore[arg-type]


def test_repr_shows_no_key_material() -> None:
    key = SoftwareKey.generate()
    private = key.private_key.private_numbers()
    assert str(getattr(private, "private_value", "?")) not in repr(key) + repr(vars(key))
