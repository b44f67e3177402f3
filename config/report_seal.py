"""The department's seal on verification reports: a key of the house, a certificate of profile `report`, made when first asked for."""

from __future__ import annotations

from datetime import timedelta

from config.house import House
from pki.algorithms import SigningKey
from pki.errors import KeyStoreError
from pki.issue import CertificateRequest
from pki.ports import CertificateState
from pki.subject import Subject, legal_person
from signing.archive import archive
from signing.batch import BatchSigner
from signing.sign import SignatureRequest, sign

LABEL = "report"  # of the key, the profile, and in the holder's name
TITLE = "Verification Service"
FIELD = "Report-Seal"
RENEWAL_WINDOW = timedelta(days=30)


def sealed_report(house: House, report: bytes) -> bytes:
    """The PDF with the department's seal, a time stamp and its validation data: PAdES B-LTA.

    Raises what key, store and authority raise, and :class:`signing.errors.SigningError`.
    """
    signer = report_signer(house)
    request = SignatureRequest(
        field=FIELD,
        certificate_der=signer.certificate_der,
        chain=signer.chain,
        key=signer.key,
        claimed_time=house.clock(),
        create=True,
    )
    return bytes(archive(sign(report, request, time_stamper=house.tsa), time_stamper=house.tsa, validation=house.evidence))


def report_signer(house: House) -> BatchSigner:
    """The seal in force; where there is none, or it runs out within :data:`RENEWAL_WINDOW`, a new certificate over the same key."""
    key = _key(house)
    authority, now = house.authority.issuing, house.clock()
    entries = house.stores.certificates.of_holder(f"authority/{LABEL}")
    standing = [
        entry
        for entry in entries
        if entry.state is CertificateState.ISSUED and entry.issuer == authority.name and entry.not_after - now > RENEWAL_WINDOW
    ]
    if standing and standing[-1].certificate_der is not None:
        return BatchSigner(standing[-1].certificate_der, house.authority.chain_of(standing[-1].certificate_der), key)
    request = CertificateRequest(profile=LABEL, subject=_subject(house), public_key=key.public_key(), holder=f"authority/{LABEL}")
    issued = authority.certify(request).certificate_der
    return BatchSigner(issued, house.authority.chain_of(issued), key)


def _key(house: House) -> SigningKey:
    if LABEL not in house.keys.labels():
        try:
            return house.keys.generate(LABEL)
        except KeyStoreError:
            pass  # another process of the service was quicker
    return house.keys.open(LABEL)


def _subject(house: House) -> Subject:
    organization = house.plan.organization
    name = f"{organization.name} {TITLE}"
    return legal_person(country=organization.country, name=organization.name, identifier=organization.identifier, common_name=name)
