"""Whose key signs: a person's, opened by their PIN, or a school's seal from the key store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from config.house import House
from config.pages import verify_page
from pki.algorithms import SigningKey
from pki.pin import Pin
from pki.ports import CertificateEntry, CertificateState
from records.enrolment import seal_holder, seal_label
from records.errors import NotEntitledError, NotFoundError
from records.export import LABELS, step_label
from records.look import school_look
from records.person import Person, Role, School
from signing.batch import BatchSigner
from signing.workflow import Step


@contextmanager
def holder_signer(house: House, who: Person, pin: Pin, step: Step) -> Iterator[BatchSigner]:
    """The person's signer for the length of the block. Raises :class:`pki.errors.WrongSecretError`, and as :func:`require_certificate`."""
    require_certificate(house, who.id, step)
    school = house.stores.roster.school(who.school_id)
    with house.services.holders.opened(who.id, pin) as (held, key):
        yield _signer(house, held.certificate_der, key, who.name, step_label(step), school.short_name)


def require_certificate(house: House, holder: str, step: Step) -> None:
    """Raises :class:`records.errors.RecordsError` unless the holder's newest certificate stands and is of the step's role.

    A signature made otherwise would be good and count for nothing: better said before it is made.
    """
    held = house.stores.holder_keys.get(holder)
    entry = house.stores.certificates.get(held.issuer, held.serial)
    again = f"`eduseal enrol --again {holder}` issues another"
    if entry is None or entry.state is not CertificateState.ISSUED:
        raise NotEntitledError(f"the certificate of {holder} is {entry.state if entry else 'not in the books'}; {again}")
    if entry.profile != step.role:
        raise NotEntitledError(f"the certificate of {holder} is a {entry.profile}'s, step {step.id} asks for a {step.role}'s; {again}")
    if not held.activated:
        raise NotEntitledError(f"{holder} has not chosen a PIN yet; `eduseal activate {holder}` does, with the activation code")


def seal_signer(house: House, school: School) -> BatchSigner:
    """Raises :class:`records.errors.NotFoundError` where the school has no seal in force."""
    entry = standing_seal(house, school)
    if entry is None or entry.certificate_der is None:
        raise NotFoundError(f"school {school.id} has no seal in force; `eduseal enrol --seal {school.id}` issues one")
    key = house.keys.open(seal_label(school))
    return _signer(house, entry.certificate_der, key, school.short_name, LABELS[Role.SCHOOL_SEAL], school.locality)


def standing_seal(house: House, school: School) -> CertificateEntry | None:
    """The seal's newest certificate that is issued, not revoked and not expired."""
    now = house.clock()
    entries = house.stores.certificates.of_holder(seal_holder(school))
    standing = [entry for entry in entries if entry.state is CertificateState.ISSUED and entry.not_before <= now <= entry.not_after]
    return standing[-1] if standing else None


def _signer(house: House, certificate_der: bytes, key: SigningKey, name: str, role: str, organization: str) -> BatchSigner:
    look = school_look(name, role=role, organization=organization, verify_url=verify_page(house.settings, house.plan))
    return BatchSigner(certificate_der, (house.authority.issuing_der,), key, look)
