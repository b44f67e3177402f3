"""A ceremony, as its file says it: which keys and CA certificates are made, by whom, and who holds the shares. Read strictly.

The file is what a second person approves, by its SHA-256, and what the result is held against (:mod:`pki.ceremony.check`). See
`certs/ceremony/` for the shipped ones, and docs/ceremony.md.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from pki.ceremony.split import MAX_SHARES
from pki.ceremony.table import PlanError, PlanTable, tables
from pki.identity.subject import Subject, SubjectError, legal_person
from pki.issuing.generations import series_of
from pki.issuing.profile import MAX_VALIDITY_DAYS
from pki.issuing.urls import AuthorityUrls
from pki.keys.keystore import is_label

FORMAT = "eduseal-ceremony/1"
MAX_FILE = 64 * 1024  # octets; a shipped one has about 2,000
MAX_CRL_DAYS = 400  # a root opens its home at least once a year
ROOT, ISSUING, CROSS = "root", "issuing", "cross"
CURVES = ("P-256", "P-384")


class Role(StrEnum):
    OPERATOR = "operator"
    WITNESS = "witness"


class KeyHome(StrEnum):
    """Where a key is made, and stays."""

    HERE = "here"
    """In the home of the root, during the ceremony."""
    ONLINE = "online"
    """In the home that serves; its request (PKCS#10) is carried to the ceremony."""


@dataclass(frozen=True)
class Participant:
    name: str
    role: Role


@dataclass(frozen=True)
class SplitPlan:
    """`threshold` of the shares of these holders open the root's key store."""

    threshold: int
    holders: tuple[str, ...]


@dataclass(frozen=True)
class KeyPlan:
    label: str
    curve: str
    home: KeyHome


@dataclass(frozen=True)
class CertificatePlan:
    """`subject` and `issuer` are labels of keys; `name` is the subject's common name."""

    subject: str
    issuer: str
    profile: str
    name: str
    validity: timedelta

    @property
    def title(self) -> str:
        """What files and messages call it: `root`, `issuing-2`, `root-2-by-root`."""
        return f"{self.subject}-by-{self.issuer}" if self.profile == CROSS else self.subject


@dataclass(frozen=True)
class CeremonyPlan:
    """`text` is the file, octet for octet."""

    title: str
    base_url: str
    country: str
    organization: str
    identifier: str
    crl_validity: timedelta
    crl_shards: int
    participants: tuple[Participant, ...]
    split: SplitPlan | None
    keys: tuple[KeyPlan, ...]
    certificates: tuple[CertificatePlan, ...]
    text: bytes

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.text).digest()

    def key(self, label: str) -> KeyPlan | None:
        return next((key for key in self.keys if key.label == label), None)

    def made(self, home: KeyHome) -> tuple[KeyPlan, ...]:
        return tuple(key for key in self.keys if key.home is home)

    def subject(self, certificate: CertificatePlan) -> Subject:
        return legal_person(country=self.country, name=self.organization, identifier=self.identifier, common_name=certificate.name)


def parse_plan(text: bytes) -> CeremonyPlan:
    """Raises :class:`PlanError`, naming the key that is missing, unknown or impossible."""
    if len(text) > MAX_FILE:
        raise PlanError(f"ceremony file: {len(text)} octets, more than the {MAX_FILE} that are read")
    try:
        data = tomllib.loads(text.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, ValueError) as exc:
        raise PlanError(f"ceremony file: not TOML in UTF-8 ({exc})") from exc
    plan = _plan(data, text)
    _check_participants(plan)
    _check_keys(plan)
    for certificate in plan.certificates:
        _check_certificate(plan, certificate)
    return plan


def _plan(data: dict[str, Any], text: bytes) -> CeremonyPlan:
    top = PlanTable(data, "ceremony file")
    top.choice("format", (FORMAT,))
    organization = PlanTable(data.get("organization"), "[organization]")
    plan = CeremonyPlan(
        title=top.text("title"),
        base_url=top.text("base_url"),
        country=organization.text("country"),
        organization=organization.text("name"),
        identifier=organization.text("identifier"),
        crl_validity=timedelta(days=top.number("crl_validity_days", 1, MAX_CRL_DAYS)),
        crl_shards=top.number("crl_shards", 1, 10_000),
        participants=tuple(map(_participant, tables(data, "participants"))),
        split=_split(PlanTable(data["split"], "[split]")) if "split" in data else None,
        keys=tuple(map(_key, tables(data, "keys"))),
        certificates=tuple(map(_certificate, tables(data, "certificates"))),
        text=text,
    )
    organization.finish()
    top.finish("organization", "participants", "split", "keys", "certificates")
    AuthorityUrls(plan.base_url)  # raises PkiError
    return plan


def _participant(table: PlanTable) -> Participant:
    found = Participant(table.text("name"), Role(table.choice("role", [role.value for role in Role])))
    table.finish()
    return found


def _split(table: PlanTable) -> SplitPlan:
    holders = table.texts("holders")
    if not 2 <= len(holders) <= MAX_SHARES:
        raise PlanError(f"[split] holders: {len(holders)} named, expected 2 to {MAX_SHARES}")
    found = SplitPlan(table.number("threshold", 2, len(holders)), holders)
    table.finish()
    return found


def _key(table: PlanTable) -> KeyPlan:
    label = table.text("label")
    if not is_label(label) or series_of(label) not in (ROOT, ISSUING):
        raise PlanError(f"{table.where} label: got {label!r}, expected root or issuing, or a later generation such as root-2")
    found = KeyPlan(label, table.choice("curve", CURVES), KeyHome(table.choice("home", [home.value for home in KeyHome])))
    table.finish()
    return found


def _certificate(table: PlanTable) -> CertificatePlan:
    found = CertificatePlan(
        subject=table.text("subject"),
        issuer=table.text("issuer"),
        profile=table.choice("profile", (ROOT, ISSUING, CROSS)),
        name=table.text("name"),
        validity=timedelta(days=table.number("validity_days", 1, MAX_VALIDITY_DAYS)),
    )
    table.finish()
    return found


def _check_participants(plan: CeremonyPlan) -> None:
    roles = {person.role for person in plan.participants}
    missing = [role.value for role in Role if role not in roles]
    if missing:
        raise PlanError(f"participants: nobody is {' or '.join(missing)}; expected at least one operator and one witness")
    repeated = [name for name, count in Counter(person.name for person in plan.participants).items() if count > 1]
    if repeated:
        raise PlanError(f"participants: {repeated[0]!r} stands twice; nobody witnesses their own work")


def _check_keys(plan: CeremonyPlan) -> None:
    for label, count in Counter(key.label for key in plan.keys).items():
        if count > 1:
            raise PlanError(f"keys: {label} stands twice")
    for label, count in Counter(certificate.title for certificate in plan.certificates).items():
        if count > 1:
            raise PlanError(f"certificates: {label} stands twice")
    for key in plan.keys:
        if key.label not in [certificate.title for certificate in plan.certificates]:
            raise PlanError(f"keys: {key.label} gets no certificate; expected one in [[certificates]]")
        if series_of(key.label) == ROOT and key.home is not KeyHome.HERE:
            raise PlanError(f"keys: {key.label} is a root's and must be made here; got home {key.home.value!r}")
    if not plan.certificates:
        raise PlanError("certificates: none; expected at least one [[certificates]]")


def _check_certificate(plan: CeremonyPlan, certificate: CertificatePlan) -> None:
    """Who may certify whom: a root itself, another root, or an issuing authority."""
    subject, issuer, profile = certificate.subject, certificate.issuer, certificate.profile
    where = f"certificate {certificate.title}"
    if series_of(issuer) != ROOT:
        raise PlanError(f"{where}: its issuer is {issuer}, expected a root")
    expected = {ROOT: ROOT, ISSUING: ISSUING, CROSS: ROOT}[profile]
    if series_of(subject) != expected:
        raise PlanError(f"{where}: profile {profile} is for {expected}, got subject {subject}")
    if (subject == issuer) != (profile == ROOT):
        raise PlanError(
            f"{where}: a certificate of profile {profile} is issued by {'itself' if profile == ROOT else 'another'}, got {issuer}"
        )
    if profile != CROSS and plan.key(subject) is None:
        raise PlanError(f"{where}: its key is not in [[keys]]")
    try:
        plan.subject(certificate)
    except SubjectError as exc:
        raise PlanError(f"{where}: {exc}") from exc
