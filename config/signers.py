"""A signer of the house put together: certificate, chain, key, and how the signature looks. For the service and the command line alike."""

from __future__ import annotations

from config.house import House
from config.pages import verify_page
from pki.ports import CertificateEntry, CertificateState
from pki.structures.algorithms import SigningKey
from records.enrolment import seal_holder, seal_label
from records.errors import NotFoundError
from records.export import LABELS
from records.look import school_look
from records.person import Role, School
from records.seal_keys import key_of
from signing.applying.batch import BatchSigner


def signer_of(house: House, certificate_der: bytes, key: SigningKey, *, name: str, role: str, organization: str) -> BatchSigner:
    """A signer with a certificate of this authority; `role` and `organization` are shown, the certificate says what holds."""
    look = school_look(name, role=role, organization=organization, verify_url=verify_page(house.settings, house.plan))
    return BatchSigner(certificate_der, house.authority.chain_of(certificate_der), key, look)


def seal_signer(house: House, school: School) -> BatchSigner:
    """Raises :class:`records.errors.NotFoundError` where the school has no seal in force."""
    entry = standing_seal(house, school)
    if entry is None or entry.certificate_der is None:
        raise NotFoundError(f"school {school.id} has no seal in force; `eduseal request seal {school.id}` asks for one")
    key = key_of(entry, seal_label(school), keys=house.keys)
    return signer_of(house, entry.certificate_der, key, name=school.short_name, role=LABELS[Role.SCHOOL_SEAL], organization=school.locality)


def standing_seal(house: House, school: School) -> CertificateEntry | None:
    """The seal's newest certificate that is issued, not revoked and not expired."""
    now = house.clock()
    entries = house.stores.certificates.of_holder(seal_holder(school))
    standing = [entry for entry in entries if entry.state is CertificateState.ISSUED and entry.not_before <= now <= entry.not_after]
    return standing[-1] if standing else None
