"""Whose key signs: a person's, opened by their PIN. A school's seal is :func:`config.signers.seal_signer`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from config.house import House
from config.signers import signer_of
from pki.keys.pin import Pin
from pki.ports import CertificateState
from records.errors import NotEntitledError
from records.export import step_label
from records.person import Person
from signing.applying.batch import BatchSigner
from signing.workflow import Step


@contextmanager
def holder_signer(house: House, who: Person, pin: Pin, step: Step) -> Iterator[BatchSigner]:
    """The person's signer for the length of the block. Raises :class:`pki.errors.WrongSecretError`, and as :func:`require_certificate`."""
    require_certificate(house, who.id, step)
    school = house.stores.roster.school(who.school_id)
    with house.services.holders.opened(who.id, pin) as (held, key):
        yield signer_of(house, held.certificate_der, key, name=who.name, role=step_label(step), organization=school.short_name)


def require_certificate(house: House, holder: str, step: Step) -> None:
    """Raises :class:`records.errors.RecordsError` unless the holder's newest certificate stands and is of the step's role.

    A signature made otherwise would be good and count for nothing: better said before it is made.
    """
    held = house.stores.holder_keys.get(holder)
    entry = house.stores.certificates.get(held.issuer, held.serial)
    again = f"`eduseal enrol --again {holder}` issues another"
    if entry is not None and entry.state is CertificateState.SUSPENDED:
        raise NotEntitledError(f"the certificate of {holder} is suspended; `eduseal certificates release {entry.serial:x}` ends that")
    if entry is None or entry.state is not CertificateState.ISSUED:
        raise NotEntitledError(f"the certificate of {holder} is {entry.state if entry else 'not in the books'}; {again}")
    if entry.profile != step.role:
        raise NotEntitledError(f"the certificate of {holder} is a {entry.profile}'s, step {step.id} asks for a {step.role}'s; {again}")
    if not held.activated:
        raise NotEntitledError(f"{holder} has not chosen a PIN yet; `eduseal activate {holder}` does, with the activation code")
