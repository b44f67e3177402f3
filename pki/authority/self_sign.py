"""A root's own certificate, by the same three moves as every other: it is its own issuer."""

from __future__ import annotations

from datetime import datetime

from pki.identity.subject import Subject
from pki.issuing.issue import CertificateRequest, Press, issue, record
from pki.issuing.profile import CertificateProfile
from pki.issuing.tbs import Issuer, key_identifier
from pki.issuing.urls import AuthorityUrls
from pki.ports import CertificateStore
from pki.structures.algorithms import SigningKey


def self_sign(
    label: str,
    *,
    holder: str,
    subject: Subject,
    profile: CertificateProfile,
    key: SigningKey,
    store: CertificateStore,
    urls: AuthorityUrls,
    now: datetime,
    lint_rate: float,
) -> bytes:
    """DER; `label` is the root's name in the books. Raises :class:`pki.errors.PkiError`."""
    start = now.replace(microsecond=0)
    issuer = Issuer(
        name=label,
        subject=subject.x509_name(),
        public_key=key.public_key(),
        key_identifier=key_identifier(key.public_key()),
        not_before=start,
        not_after=start + profile.validity,
    )
    press = Press(issuer, key, urls, crl_shards=1, lint_rate=lint_rate)
    request = CertificateRequest(profile=profile.name, subject=subject, public_key=key.public_key(), holder=holder)
    prepared = press.prepare(profile, request, now=now)
    record(store, prepared, at=now)
    return issue(store, press, prepared, at=now).certificate_der
