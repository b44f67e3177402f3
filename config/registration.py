"""The registration policy that comes with the house: `certs/policies/registration.toml`."""

from __future__ import annotations

from certs.loader import load
from pki.registration.policy import RegistrationPolicy


def registration_policy() -> RegistrationPolicy:
    """Raises :class:`pki.registration.policy.RegistrationPolicyError`."""
    return RegistrationPolicy.from_mapping(load("policies", "registration"))
