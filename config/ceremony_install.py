"""The side of a ceremony in the home that serves: it asks for its certificate, and takes certificate, roots and their lists in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from config.ceremony import (
    CeremonyDoneError,
    house_plan,
    keep_transcript,
    program,
    refuse_foreign_keys,
    require_same,
    transcript_path,
)
from config.ceremony_books import HouseBooks, keep_newest
from config.ceremony_mark import make_folder
from config.errors import SettingsError
from config.house_file import read_plan, write_plan, write_whole
from config.imported import list_path
from config.key_store import key_store_place
from config.settings import Settings
from config.wiring import shipped_profiles
from db.certificates import Certificates
from db.engine import open_database
from db.schema import require_current, upgrade
from pki.authority.establish import EstablishedAuthority, complete, holder_of
from pki.authority.offline import check_imported_crl
from pki.ceremony.check import check_certificate
from pki.ceremony.hold import CeremonyError
from pki.ceremony.plan import CROSS, ISSUING, ROOT, CeremonyPlan, KeyHome
from pki.ceremony.transcript import Transcript
from pki.issuing.generations import names_of
from pki.issuing.lint import SAMPLE_RATE
from pki.issuing.urls import AuthorityUrls
from pki.keys.key_stores import open_key_store
from pki.ports import Clock
from pki.registration.ca_request import make_request
from pki.structures.relations import is_issued_by


class RootNotConfirmedError(SettingsError):
    """A root was carried here that nobody vouched for: neither its fingerprint was given, nor does a root of this house certify it."""


def request(settings: Settings, plan: CeremonyPlan, *, passphrase: str, clock: Clock) -> tuple[dict[str, bytes], bytes]:
    """Makes the keys that the file puts in this home; returns their requests (DER PKCS#10, by label) and the transcript.

    A home that is not there is made, to be finished by :func:`install`. May be repeated: a key that stands asks again.
    """
    fresh = not settings.house_file.exists()
    house = house_plan(settings, plan) if fresh else read_plan(settings.house_file)
    make_folder(settings)
    require_same(settings, house, plan)
    keys = open_key_store(key_store_place(settings, house), passphrase, create=fresh)
    if fresh:
        refuse_foreign_keys(keys)
    database = open_database(settings.database_url)
    try:
        if fresh:
            upgrade(database)
            write_plan(settings.house_file, house)
        require_current(database)
        store = Certificates(database)
        transcript = Transcript("request", plan, program=program(), clock=clock)
        made: dict[str, bytes] = {}
        for key_plan in plan.made(KeyHome.ONLINE):
            if store.of_holder(holder_of(key_plan.label)):
                raise CeremonyDoneError(f"{settings.home}: {key_plan.label} is certified already; a rollover names the next generation")
            stands = key_plan.label in keys.labels()
            key = keys.open(key_plan.label) if stands else keys.generate(key_plan.label, curve=key_plan.curve)
            transcript.key(key_plan.label, key.public_key(), fresh=not stands)
            (wanted,) = [each for each in plan.certificates if each.subject == key_plan.label and each.profile != CROSS]
            made[key_plan.label] = make_request(plan.subject(wanted), key)
            transcript.public("request", key_plan.label, made[key_plan.label])
    finally:
        database.close()
    path = transcript_path(settings, "request", plan)
    return made, path.read_bytes() if path.exists() else keep_transcript(settings, "request", plan, transcript)


@dataclass(frozen=True)
class Carried:
    """What came from the root's home, DER, by name: certificates (`root`, `root-2-by-root`, `issuing-2`) and lists (`root`)."""

    certificates: Mapping[str, bytes]
    crls: Mapping[str, bytes]


def install(
    settings: Settings,
    plan: CeremonyPlan,
    carried: Carried,
    *,
    passphrase: str,
    fingerprint: str | None,
    clock: Clock,
    lint_rate: float = SAMPLE_RATE,
) -> tuple[EstablishedAuthority, bytes]:
    """Takes everything in; the house then serves under it. Returns the authority and the transcript. Repeating it is safe.

    `fingerprint` (SHA-256, hexadecimal) is the newest root's, as the root's home showed it; it may be None where a root of this house
    certifies the new one. Raises :class:`RootNotConfirmedError`, :class:`pki.ceremony.check.CeremonyMismatchError`,
    :class:`pki.authority.offline.ImportedCrlError` and other errors of `config`, `pki` and `db`.
    """
    house = read_plan(settings.house_file)
    require_same(settings, house, plan)
    keys = open_key_store(key_store_place(settings, house), passphrase)
    database = open_database(settings.database_url)
    try:
        require_current(database)
        books = HouseBooks(database, keys, clock)
        roots = _roots(carried, books)
        _check(plan, carried, roots, books, fingerprint)
        transcript = Transcript("install", plan, program=program(), clock=clock)
        titles = {wanted.title for wanted in plan.certificates}
        for name, der in roots.items():
            if name not in titles:
                transcript.public("standing", name, der, fresh=False)
        for name in dict.fromkeys((*roots, *titles)):
            der = roots.get(name) or carried.certificates[name]
            taken = books.take(name, der, issuer=_issuer_of(plan, name))
            if name in titles:
                transcript.public("certificate", name, der, fresh=taken)
        for name in roots:
            if name not in keys.labels():
                keep_newest(list_path(settings, name), name, carried.crls[name], roots[name])
                books.publish(name, carried.crls[name])
            transcript.public("crl", name, carried.crls[name])
        authority = complete(
            keys,
            Certificates(database),
            shipped_profiles(),
            clock=clock,
            urls=AuthorityUrls(house.base_url),
            organization=house.organization,
            lists={name: (lambda der=der: der) for name, der in carried.crls.items()},  # type: ignore[misc]  # bound now
            crl_shards=house.crl_shards,
            lint_rate=lint_rate,
        )
    finally:
        database.close()
    write_whole(settings.issuing_pem, b"".join(_pem(each.certificate_der) for each in authority.issuers))
    write_whole(settings.root_pem, b"".join(_pem(each.certificate_der) for each in authority.roots))
    path = transcript_path(settings, "install", plan)
    return authority, path.read_bytes() if path.exists() else keep_transcript(settings, "install", plan, transcript)


def _roots(carried: Carried, books: HouseBooks) -> dict[str, bytes]:
    """Every root, by name, oldest first: those of this house, and those that were carried."""
    found: dict[str, bytes] = {}
    for name in names_of(ROOT):
        der = books.current(name) or carried.certificates.get(name)
        if der is None:
            break
        if carried.certificates.get(name, der) != der:
            raise CeremonyError(f"{name}: another certificate than the one of this house was carried here; nothing was changed")
        if name not in carried.crls:
            raise CeremonyError(f"{name}: its revocation list is missing; bring {name}.crl from the home of the root")
        found[name] = der
    if not found:
        raise CeremonyError("no root was carried here; bring root.pem from the home of the root")
    return found


def _check(plan: CeremonyPlan, carried: Carried, roots: Mapping[str, bytes], books: HouseBooks, fingerprint: str | None) -> None:
    """Everything, before anything is entered."""
    for wanted in plan.certificates:
        if wanted.title not in carried.certificates:
            raise CeremonyError(f"certificate {wanted.title}: missing; bring {wanted.title}.pem from the home of the root")
        if wanted.issuer not in roots:
            raise CeremonyError(f"certificate {wanted.title}: its issuer {wanted.issuer} is missing; bring {wanted.issuer}.pem")
        subject = roots[wanted.subject] if wanted.profile == CROSS else None
        check_certificate(plan, wanted, carried.certificates[wanted.title], roots[wanted.issuer], subject_der=subject)
        if wanted.profile == ISSUING:
            own = books.keys.open(wanted.subject).public_key()
            if x509.load_der_x509_certificate(carried.certificates[wanted.title]).public_key() != own:
                raise CeremonyError(f"certificate {wanted.title}: it is for another key than {wanted.subject} of this home")
    for name, der in roots.items():
        check_imported_crl(carried.crls[name], der, issuer=name, at=books.clock())
    _confirm_roots(plan, roots, carried, books, fingerprint)


def _confirm_roots(plan: CeremonyPlan, roots: Mapping[str, bytes], carried: Carried, books: HouseBooks, fingerprint: str | None) -> None:
    """A root of this house is trusted; another one by its fingerprint, or by a certificate of a trusted one that the file asks for.

    Such a certificate has been held against the file: whoever has a key that the root certified for something else cannot pass it off.
    """
    trusted = {der for name, der in roots.items() if books.current(name) == der}
    given = (fingerprint or "").replace(":", "").replace(" ", "").lower()
    for name, der in roots.items():
        titles = [wanted.title for wanted in plan.certificates if wanted.profile == CROSS and wanted.subject == name]
        crosses = [x509.load_der_x509_certificate(carried.certificates[title]) for title in titles]
        certified = any(
            cross.public_key() == x509.load_der_x509_certificate(der).public_key()
            and is_issued_by(cross, x509.load_der_x509_certificate(above))
            for cross in crosses
            for above in trusted
        )
        if der in trusted or certified or hashlib.sha256(der).hexdigest() == given:
            trusted.add(der)
        else:
            said = "the fingerprint given is another's" if given else "give its fingerprint, as its home showed it, with --fingerprint"
            raise RootNotConfirmedError(f"{name}: nobody vouched for this root; {said}; nothing was changed")


def _issuer_of(plan: CeremonyPlan, title: str) -> str:
    return next((wanted.issuer for wanted in plan.certificates if wanted.title == title), title)


def _pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
