"""The department's seal on verification reports: a key of the house, a certificate of profile `report`, made when first asked for.

Where the key was reported as compromised, another is made; `eduseal certificates rekey-service report` gives it another for any reason.
"""

from __future__ import annotations

from config.house import House
from pki.authority.establish import REPORT, holder_of
from pki.authority.renew import RENEWAL_WINDOW
from pki.issuing.issue import CertificateRequest
from pki.ports import CertificateState
from records.enrolment import refuse_suspended
from records.seal_keys import key_of, key_to_certify
from signing.applying.archive import archive
from signing.applying.batch import BatchSigner
from signing.applying.sign import SignatureRequest, sign

LABEL = REPORT  # of the key and the profile
HOLDER = holder_of(LABEL)
FIELD = "Report-Seal"


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
    """The seal in force; where there is none, or it runs out within RENEWAL_WINDOW, a new certificate over the newest key.

    Raises :class:`records.errors.EnrolmentError` where the seal is suspended.
    """
    authority, now = house.authority.issuing, house.clock()
    standing = [
        entry
        for entry in house.stores.certificates.of_holder(HOLDER)
        if entry.state is CertificateState.ISSUED and entry.issuer == authority.name and entry.not_after - now > RENEWAL_WINDOW
    ]
    if standing and standing[-1].certificate_der is not None:
        certificate_der, key = standing[-1].certificate_der, key_of(standing[-1], LABEL, keys=house.keys)
    else:
        refuse_suspended(HOLDER, authority)
        key = key_to_certify(LABEL, holder=HOLDER, keys=house.keys, certificates=house.stores.certificates)
        subject = house.plan.organization.subject(LABEL)
        request = CertificateRequest(profile=LABEL, subject=subject, public_key=key.public_key(), holder=HOLDER)
        certificate_der = authority.certify(request).certificate_der
    return BatchSigner(certificate_der, house.authority.chain_of(certificate_der), key)
