"""A ceremony in the home of a root: keys are made, CA certificates and lists signed, and everything held against the ceremony's file.

    done = hold(plan, requests={"issuing": csr_der}, keys=keys, store=store, profiles=profiles, clock=clock, approve=approve)

Nothing is signed before a second person's approval of exactly this file, and of the keys that requests bring, is redeemed. What an
interrupted ceremony left is used as it stands: a key that was made, a certificate that was issued; so it may be repeated until it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pki.authority.establish import holder_of
from pki.authority.root_lists import certificate_in_force, root_lists
from pki.authority.self_sign import self_sign
from pki.ceremony.check import CeremonyError, CeremonyMismatchError, check_certificate
from pki.ceremony.order import ceremony_order, requests_of
from pki.ceremony.plan import CROSS, ROOT, CeremonyPlan, CertificatePlan, KeyHome
from pki.issuing.generations import names_of, number_of
from pki.issuing.issue import Authority, CertificateRequest
from pki.issuing.lint import SAMPLE_RATE
from pki.issuing.profile import CertificateProfile
from pki.issuing.tbs import Issuer
from pki.issuing.urls import AuthorityUrls
from pki.ports import CertificateStore, Clock, KeyStore
from pki.registration.approval import Redeemed, RequestKind
from pki.registration.ca_request import CaRequest
from pki.structures.algorithms import PublicKey

__all__ = ["Approve", "CeremonyError", "Made", "NotApprovedByAnotherError", "Outcome", "check_approval", "hold"]


class NotApprovedByAnotherError(CeremonyError):
    """Nobody but the requester stands behind the ceremony."""


Approve = Callable[[], Redeemed]
"""Uses up the approval of the ceremony's order (:func:`pki.registration.approval.redeem`); raises where there is none in force.

Called again after an interruption it gives the same evidence again.
"""


@dataclass(frozen=True)
class Made:
    """One thing that a ceremony made, or that stood already (`fresh` is False). `der` is None for a key, which nobody sees."""

    kind: str
    """key, request, certificate or crl"""
    name: str
    fresh: bool
    at: datetime
    der: bytes | None = None
    public_key: PublicKey | None = None


@dataclass(frozen=True)
class Outcome:
    """`standing` are certificates of roots that the ceremony built upon and did not make, by name."""

    approval: Redeemed
    made: tuple[Made, ...]
    standing: Mapping[str, bytes]

    def certificates(self) -> dict[str, bytes]:
        return {each.name: each.der for each in self.made if each.kind == "certificate" and each.der is not None}

    def crls(self) -> dict[str, bytes]:
        return {each.name: each.der for each in self.made if each.kind == "crl" and each.der is not None}


def hold(
    plan: CeremonyPlan,
    *,
    requests: Mapping[str, bytes],
    keys: KeyStore,
    store: CertificateStore,
    profiles: Mapping[str, CertificateProfile],
    clock: Clock,
    approve: Approve,
    lint_rate: float = SAMPLE_RATE,
) -> Outcome:
    """The whole ceremony. `requests` are PKCS#10, PEM or DER, by the label of the key.

    Raises :class:`CeremonyError`, :class:`pki.ceremony.check.CeremonyMismatchError`, what `approve` raises, and errors of `pki`.
    """
    altar = _Ceremony(plan, keys, store, profiles, clock, lint_rate)
    asked = requests_of(plan, requests)
    altar.check_possible()
    approval = approve()
    check_approval(approval, plan, asked)
    brought = [Made("request", label, True, clock(), each.der, each.public_key) for label, each in asked.items()]
    made = [*altar.make_keys(), *brought]
    public = {each.name: each.public_key for each in made if each.public_key is not None}
    for wanted in plan.certificates:
        made.append(altar.certify(wanted, public))
    made += altar.lists()
    titles = {wanted.title for wanted in plan.certificates}
    standing = {name: der for name in names_of(ROOT) if name not in titles and (der := altar.current(name)) is not None}
    return Outcome(approval, tuple(made), standing)


def check_approval(approval: Redeemed, plan: CeremonyPlan, requests: Mapping[str, CaRequest]) -> None:
    """For exactly this file and these keys, by another than who asked, whatever a policy says.

    Raises OtherDigestError or :class:`NotApprovedByAnotherError`.
    """
    approval.require(RequestKind.CA, ceremony_order(plan, requests).digest)
    if not set(approval.approved_by) - {approval.requested_by}:
        raise NotApprovedByAnotherError("ceremony: a second person, besides the one who asked, must approve a CA certificate")


@dataclass(frozen=True)
class _Ceremony:
    plan: CeremonyPlan
    keys: KeyStore
    store: CertificateStore
    profiles: Mapping[str, CertificateProfile]
    clock: Clock
    lint_rate: float

    def check_possible(self) -> None:
        """Everything that can be known before an approval is used up."""
        here = self.keys.labels()
        new = {key.label for key in self.plan.keys}
        for wanted in self.plan.certificates:
            for label in {wanted.issuer, *([wanted.subject] if wanted.profile == CROSS else [])}:
                if label not in new and (label not in here or self.current(label) is None):
                    raise CeremonyError(f"certificate {wanted.title}: this home holds no root {label!r}; name the home of the root")
            if wanted.validity > self.profiles[wanted.profile].validity:
                most = self.profiles[wanted.profile].validity.days
                raise CeremonyError(f"certificate {wanted.title}: {wanted.validity.days} days, profile {wanted.profile} allows {most}")
        self._check_generations()

    def _check_generations(self) -> None:
        standing = [name for name in names_of(ROOT) if self.current(name) is not None]
        for wanted in self.plan.certificates:
            if wanted.profile != ROOT:
                continue
            if number_of(wanted.subject) > len(standing) + 1:
                raise CeremonyError(
                    f"certificate {wanted.title}: the newest root here is {standing[-1] if standing else 'none'}; no number may be left out"
                )
            first = self.current(ROOT)
            if (
                first is not None
                and Issuer.from_certificate(ROOT, first).subject.public_bytes() != self.plan.subject(wanted).x509_name().public_bytes()
            ):
                raise CeremonyError(
                    f"certificate {wanted.title}: a new root bears the first one's name, octet for octet (RFC 4210 section 4.4)"
                )

    def make_keys(self) -> list[Made]:
        """Keys whose home is here, where they do not stand yet."""
        made: list[Made] = []
        for plan in self.plan.made(KeyHome.HERE):
            fresh = plan.label not in self.keys.labels()
            key = self.keys.generate(plan.label, curve=plan.curve) if fresh else self.keys.open(plan.label)
            made.append(Made("key", plan.label, fresh, self.clock(), None, key.public_key()))
        return made

    def certify(self, wanted: CertificatePlan, public: Mapping[str, PublicKey]) -> Made:
        """One certificate, made or found as it stands, and held against the file."""
        key = public.get(wanted.subject) or self.keys.open(wanted.subject).public_key()
        der = self.current(wanted.subject, cross_by=wanted.issuer if wanted.profile == CROSS else None)
        fresh = der is None
        if der is None:
            der = self._self_sign(wanted) if wanted.profile == ROOT else self._sign(wanted, key)
        issuer_der = der if wanted.profile == ROOT else self._certificate(wanted.issuer)
        check_certificate(
            self.plan, wanted, der, issuer_der, subject_der=self._certificate(wanted.subject) if wanted.profile == CROSS else None
        )
        if Issuer.from_certificate(wanted.subject, der).public_key != key:
            raise CeremonyMismatchError(f"certificate {wanted.title}: it stands for another key; nothing was changed")
        return Made("certificate", wanted.title, fresh, self.clock(), der)

    def lists(self) -> list[Made]:
        lists = root_lists(self.keys, self.store, clock=self.clock, base_url=self.plan.base_url, validity=self.plan.crl_validity)
        return [Made("crl", name, True, self.clock(), der) for name, der in lists.items()]

    def current(self, label: str, *, cross_by: str | None = None) -> bytes | None:
        return certificate_in_force(self.store, label, cross_by=cross_by)

    def _certificate(self, label: str) -> bytes:
        found = self.current(label)
        if found is None:
            raise CeremonyError(f"{label} has no certificate yet; in the ceremony's file it must come before what it signs")
        return found

    def _profile(self, wanted: CertificatePlan) -> CertificateProfile:
        """As long as the file says; between roots no longer than the one that is certified."""
        validity = wanted.validity
        if wanted.profile == CROSS:
            until = Issuer.from_certificate(wanted.subject, self._certificate(wanted.subject)).not_after
            validity = min(validity, until - self.clock().replace(microsecond=0))
        return replace(self.profiles[wanted.profile], validity=validity)

    def _sign(self, wanted: CertificatePlan, key: PublicKey) -> bytes:
        authority = Authority(
            name=wanted.issuer,
            certificate_der=self._certificate(wanted.issuer),
            key=self.keys.open(wanted.issuer),
            profiles={wanted.profile: self._profile(wanted)},
            store=self.store,
            clock=self.clock,
            urls=AuthorityUrls(self.plan.base_url),
            lint_rate=self.lint_rate,
        )
        request = CertificateRequest(wanted.profile, self.plan.subject(wanted), key, holder_of(wanted.subject))
        return authority.certify(request).certificate_der

    def _self_sign(self, wanted: CertificatePlan) -> bytes:
        return self_sign(
            wanted.subject,
            holder=holder_of(wanted.subject),
            subject=self.plan.subject(wanted),
            profile=self._profile(wanted),
            key=self.keys.open(wanted.subject),
            store=self.store,
            urls=AuthorityUrls(self.plan.base_url),
            now=self.clock(),
            lint_rate=self.lint_rate,
        )
